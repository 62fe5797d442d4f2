"""The operator's own pager and editor, to which the console lends its terminal; what they get is sanitised."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from console.backends.port import LogBytes
from console.text import sanitise

_BLOCK = 256 * 1024


_WITH_COLON = ("code", "codium", "cursor", "subl", "zed", "hx", "helix")
"""Editors that take the line behind the file's name."""
_PAGED = ("less", "more", "most")
"""Pagers that begin at a line when they are told to."""


class NoPager(Exception):
    """There is no pager or editor that could be started; the text says what to set."""


def command(environ: Mapping[str, str]) -> list[str]:
    """The pager's program with its arguments: `$PAGER`, else `less`. Raises NoPager."""
    try:
        words = shlex.split(environ.get("PAGER") or "less")
    except ValueError as error:
        raise NoPager(f"$PAGER cannot be read: {error}") from error
    if not words or shutil.which(words[0], path=environ.get("PATH")) is None:
        raise NoPager(f"there is no {words[0] if words else 'pager'} to open it with: set $PAGER")
    return words


def editor(environ: Mapping[str, str]) -> list[str] | None:
    """The editor's program with its arguments: `$VISUAL`, else `$EDITOR`; None where neither is set. Raises NoPager."""
    name = next((name for name in ("VISUAL", "EDITOR") if environ.get(name, "").strip()), None)
    if name is None:
        return None
    try:
        words = shlex.split(environ[name])
    except ValueError as error:
        raise NoPager(f"${name} cannot be read: {error}") from error
    if shutil.which(words[0], path=environ.get("PATH")) is None:
        raise NoPager(f"there is no {words[0]} to open it with: set ${name}")
    return words


def at_line(words: list[str], file: str, line: int) -> list[str]:
    """The command that opens a file at a line (0: anywhere); without a file, one that reads it from its input."""
    name = Path(words[0]).name
    if not file:
        return [*words, f"+{line}"] if line > 1 and name in _PAGED else words
    if name in _WITH_COLON:
        return [*words, *(["--goto"] if name in _WITH_COLON[:3] else []), f"{file}:{line}"]
    return [*words, f"+{line}", file]


def edit(words: list[str], name: str, lines: Iterable[str], line: int, environ: Mapping[str, str]) -> int:
    """Opens a copy that nobody can write to, at a line, until the editor is left; gives its exit code. Raises NoPager.

    The copy is gone afterwards: an editor that comes back at once needs an option to wait.
    """
    with tempfile.TemporaryDirectory(prefix="dagdeck-") as folder:
        path = Path(folder) / (sanitise(Path(name).name) or "source")
        path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
        path.chmod(0o400)
        try:
            return subprocess.run(at_line(words, str(path), line), env=dict(environ), check=False).returncode
        except OSError as error:
            raise NoPager(f"{words[0]} cannot be started: {error.strerror or error}") from error


def lines_of(log: LogBytes) -> Iterator[bytes]:
    """The log's lines as they may go to a terminal."""
    rest, at = b"", 0
    while block := log.read(at, _BLOCK):
        at += len(block)
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _BLOCK:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield sanitise(line.removesuffix(b"\r")).encode() + b"\n"
    if rest:
        yield sanitise(rest).encode() + b"\n"


def show(words: list[str], lines: Iterable[bytes], environ: Mapping[str, str]) -> int:
    """Runs the pager on the lines until it is left; gives its exit code. Raises NoPager."""
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=dict(environ))
    except OSError as error:
        raise NoPager(f"{words[0]} cannot be started: {error.strerror or error}") from error
    assert pager.stdin is not None  # it was asked for
    try:
        with pager.stdin:
            for line in lines:
                pager.stdin.write(line)
    except BrokenPipeError:
        pass  # the pager was left before its end
    return pager.wait()
