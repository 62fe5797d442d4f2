"""What a console keeps for the next one: bookmarks, and what was typed. One small file in the home."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

FILE = "console.json"
BOOKMARKS, COMMANDS, FILTERS = "bookmarks", "commands", "filters"
_MOST = 200
_LONGEST = 1000


class Keep:
    """Lists of lines by name, the newest last. Without a path, or where the file cannot be read, they begin empty."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lists: dict[str, list[str]] | None = None
        self._changes: list[tuple[str, str, bool]] = []

    def lines(self, name: str) -> list[str]:
        """The lines of a list."""
        if self._lists is None:
            self._lists = self._read()
        return self._lists.setdefault(name, [])

    def add(self, name: str, line: str) -> None:
        """A line is the newest from now on; `save` writes it."""
        if line and len(line) <= _LONGEST:
            self._apply(self.lines(name), line, True)
            self._changes.append((name, line, True))

    def drop(self, name: str, line: str) -> None:
        """A line is not in the list any more; `save` writes that."""
        self._apply(self.lines(name), line, False)
        self._changes.append((name, line, False))

    def save(self) -> None:
        """Writes what was changed, over what other consoles have written meanwhile. Raises OSError. Blocks."""
        changes, self._changes = self._changes, []
        if self._path is None or not changes:
            return
        import tempfile  # the first picture does not need it

        lists = self._read()
        for name, line, added in changes:
            self._apply(lists.setdefault(name, []), line, added)
        descriptor, made = tempfile.mkstemp(dir=self._path.parent, prefix=f".{FILE}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(lists, file, ensure_ascii=False, indent=1)
            Path(made).replace(self._path)
        except OSError:
            with suppress(OSError):
                Path(made).unlink()
            raise

    @staticmethod
    def _apply(lines: list[str], line: str, added: bool) -> None:
        if line in lines:
            lines.remove(line)
        if added:
            lines.append(line)
            del lines[:-_MOST]

    def _read(self) -> dict[str, list[str]]:
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            str(name): [line for line in lines if isinstance(line, str) and len(line) <= _LONGEST]
            for name, lines in found.items()
            if isinstance(lines, list)
        }
