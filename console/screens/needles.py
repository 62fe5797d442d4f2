"""What is looked for in a log: error lines, a text, fields of structured lines. Pure, and quick on gigabytes.

A needle looks at blocks of bytes. It asks cheap questions of whole blocks and dear ones of single lines only, so that a
search in a thread leaves the interpreter to the screen every millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from console.view.structured import fields_of

ERROR = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|^[\w.]*(?:Error|Exception|Failure)\b.{0,3}"
    rb"|\b(?:ERROR|FATAL|CRITICAL|PANIC)\b"
    rb"|\b(?:error|fatal|panic|critical)(?:\[\w+\])?:"
    rb"|\blevel=\"?(?:error|fatal|critical)\b"
    rb'|"(?:level|severity|lvl)": ?"(?:error|fatal|critical)"'
)
"""What an error line looks like, in what tasks commonly write."""

_HINTS = (b"error", b"exception", b"failure", b"fatal", b"critical", b"panic", b"traceback")
"""Every error line holds one of these, in whatever case."""


Bounds = tuple[int, int]
"""Where a line begins and where it ends, its line feed not counted."""


class Needle(Protocol):
    """Something to look for in blocks of whole lines."""

    def each(self, data: bytes) -> Iterator[Bounds]:
        """The lines that match, in order."""

    def last(self, data: bytes) -> int:
        """Where the last line that matches begins; -1 where there is none."""


class LineNeedle:
    """Lines of which a question is true. `hints` are texts, of which each such line holds at least one.

    The hints are in small letters, and found in any case, unless they are `cased`.
    """

    def __init__(self, hints: tuple[bytes, ...], question: Callable[[bytes], bool] | None, *, cased: bool = False):
        self._hints = hints
        self._question = question
        self._cased = cased

    def each(self, data: bytes) -> Iterator[Bounds]:
        """See Needle."""
        low = data if self._cased else data.lower()
        at = {hint: low.find(hint) for hint in self._hints}
        while found := [place for place in at.values() if place >= 0]:
            start, end = _line(data, min(found))
            if self._question is None or self._question(data[start:end]):
                yield start, end
            for hint, known in at.items():
                if 0 <= known <= end:
                    at[hint] = low.find(hint, end)

    def last(self, data: bytes) -> int:
        """See Needle."""
        low = data if self._cased else data.lower()
        at = {hint: low.rfind(hint) for hint in self._hints}
        while (place := max(at.values())) >= 0:
            start, end = _line(data, place)
            if self._question is None or self._question(data[start:end]):
                return start
            for hint, known in at.items():
                if known >= start:
                    at[hint] = low.rfind(hint, 0, start)
        return -1


def _line(data: bytes, place: int) -> tuple[int, int]:
    end = data.find(b"\n", place)
    return data.rfind(b"\n", 0, place) + 1, len(data) if end < 0 else end


ERRORS = LineNeedle(_HINTS, lambda line: ERROR.search(line) is not None)
"""Lines that look like an error."""


def needle(text: str) -> Needle:
    """What a typed text looks for: `level=error host=db-1` the lines with these fields, else the text itself.

    Capitals of a text count where it has some.
    """
    wanted = terms(text)
    if wanted is None:
        cased = any(letter.isupper() for letter in text)
        return LineNeedle((text.encode() if cased else text.encode().lower(),), None, cased=cased)
    longest = max(wanted.values(), key=len)
    return LineNeedle((longest.lower().encode(),), lambda line: _has(line, wanted))


def terms(text: str) -> Mapping[str, str] | None:
    """The fields that a text asks for: words that all are `key=value`; None when it is just text."""
    pairs = [word.partition("=") for word in text.split()]
    if not pairs or any(not (key and equals and value) or not key.isidentifier() for key, equals, value in pairs):
        return None
    return {key: value for key, _, value in pairs}


def _has(line: bytes, wanted: Mapping[str, str]) -> bool:
    found = fields_of(line.decode("utf-8", "replace"))
    if found is None:
        return False
    return all(found.get(key, "").lower() == value.lower() for key, value in wanted.items())
