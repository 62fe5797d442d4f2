"""Named SQL: `sql/<file>.sql` holds statements, each under a line `-- name: <name>`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: ([a-z0-9_.]+)[ \t]*$", re.MULTILINE)
_PARAMETER = re.compile(r":([a-z_]+)")
_STRINGS_AND_COMMENTS = re.compile(r"'[^']*'|--[^\n]*")


@cache
def statements(file: str) -> dict[str, str]:
    """All statements of `sql/<file>.sql` by name. Raises ValueError when a name stands twice."""
    parts = _NAME.split((_FOLDER / f"{file}.sql").read_text("utf-8"))
    found: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in found:
            raise ValueError(f"sql/{file}.sql: statement {name!r} stands twice")
        found[name] = text.strip().removesuffix(";")
    return found


@cache
def parameters(text: str) -> frozenset[str]:
    """The names of a statement's `:named` parameters."""
    return frozenset(_PARAMETER.findall(_STRINGS_AND_COMMENTS.sub("", text)))


def script(file: str) -> str:
    """The whole text of `sql/<file>.sql`, for schemas."""
    return (_FOLDER / f"{file}.sql").read_text("utf-8")


def files() -> list[str]:
    """Names of the files that hold named statements."""
    return sorted(path.stem for path in _FOLDER.glob("*.sql") if not path.stem.startswith("schema_"))
