"""Where in the user's code something is being defined."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

_ENGINE = str(Path(__file__).parents[1]) + "/"
_FACE = str(Path(__file__).parents[2] / "dagdeck.py")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file."""

    file: str
    line: int


def user_place() -> Place:
    """The innermost line on the stack that is not ours: the one the author wrote."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


def is_own(filename: str) -> bool:
    """Whether a source file is part of dagdeck itself."""
    return filename.startswith(_ENGINE) or filename == _FACE
