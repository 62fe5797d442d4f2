"""Secrets in base64 and hexadecimal that is broken over lines, or of which only a part is there.

Breaks between two characters of such text are passed over: a new line with its indent, as it is or as repr and JSON
write it, with or without quotes around. Of a secret of some length a part is found, too, wherever in a group of three
bytes it begins.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=")
_BREAK = re.compile(rb"(?:\n|\\n)[ \t]{0,80}(?:b?['\"])?(?=[A-Za-z0-9+/_-])")
"""A break from its line feed on; what stands before that is looked at by hand, which is many times faster."""
_QUOTES = b"'\""
_TRAIL = re.compile(rb"['\"]?(?:\r?\n|\r|\\(?:r(?:\\n?)?|n)?)?[ \t]{0,80}(?:b?['\"])?\Z")
"""What may be the beginning of a break, or all of it, at the end of data."""
_LEAST_FORM = 8
"""Characters of an encoded secret that is looked for over a break."""
_GRAM = 12
_STEP = 5
"""Of every so many places one is looked at: with that a part of `_LEAST_PART` characters has one in it."""
_LEAST_PART = _GRAM + _STEP - 1
_LEAST_TAIL = 4
_SEAM = b"\n"


def cores(raw: bytes) -> Iterator[bytes]:
    """The secret in base64 as it stands within longer text, for each place in a group of three and both alphabets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            padded = encode(b"\0" * before + raw)
            yield padded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


class Wrapped:
    """Looks for some secrets in these forms."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found: set[bytes] = set()
        self._grams: set[bytes] = set()
        for secret in secrets:
            raw = secret.encode("utf-8", "surrogateescape")
            inner = set(cores(raw))
            found |= inner | {raw.hex().encode(), raw.hex().upper().encode()}
            for core in inner:
                if len(core) >= _LEAST_PART:
                    self._grams.update(core[at : at + _GRAM] for at in range(len(core) - _GRAM + 1))
        forms = sorted((form for form in found if len(form) >= _LEAST_FORM), key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, forms))) if forms else None
        self._all = _SEAM.join(forms)
        self._quads = {form[at : at + _LEAST_TAIL] for form in forms for at in range(len(form) - _LEAST_TAIL + 1)}

    def find(self, data: bytes) -> tuple[list[tuple[int, int]], int]:
        """Where secrets are, and from where on the end of the data may still become one, or more of one."""
        if self._pattern is None:
            return [], len(data)
        text, places = _squeeze(data)
        spans = [match.span() for match in self._pattern.finditer(text)] if places.breaks else []
        spans += self._parts(text)
        found = [(places.first(start), places.last(end)) for start, end in spans]
        growing = len(data)
        for start, end in found:
            if _TRAIL.match(data, end):
                growing = min(growing, start)
        return found, min(growing, self._tail(text, places, len(data)))

    def _parts(self, text: bytes) -> Iterator[tuple[int, int]]:
        grams, end = self._grams, 0
        if not grams:
            return
        for at in [at for at in range(0, len(text) - _GRAM + 1, _STEP) if text[at : at + _GRAM] in grams]:
            if at < end:
                continue
            first = last = at
            while first > end and text[first - 1 : first - 1 + _GRAM] in grams:
                first -= 1
            while text[last + 1 : last + 1 + _GRAM] in grams:
                last += 1
            end = last + _GRAM
            if end - first >= _LEAST_PART:
                yield first, end

    def _tail(self, text: bytes, places: _Places, size: int) -> int:
        """Where the last characters begin that stand somewhere in a secret; too few to be told from chance go out."""
        body = text[-200:].rstrip(b" \t\r\n'\"")
        for mark in (b"\\", b"\\n", b"\\r", b"'", b'"'):
            body = body.removesuffix(mark)
        if body[-_LEAST_TAIL:] not in self._quads:
            return size
        length = _LEAST_TAIL
        while length < min(_LEAST_PART, len(body)) and body[-length - 1 :] in self._all:
            length += 1
        return places.first(max(0, len(text) - 200) + len(body) - length)


class _Places:
    """Where bytes of squeezed text stand in what it was made of."""

    def __init__(self, breaks: list[int], removed: list[int]) -> None:
        self.breaks, self._removed = breaks, removed

    def first(self, at: int) -> int:
        """Where the byte at this place stood."""
        return at + self._removed[bisect_right(self.breaks, at)]

    def last(self, end: int) -> int:
        """The same for the end of a span."""
        return self.first(end - 1) + 1


def _squeeze(data: bytes) -> tuple[bytes, _Places]:
    """The data without its breaks."""
    pieces, breaks, removed, at = [], [], [0], 0
    for match in _BREAK.finditer(data):
        start = match.start()
        if data.startswith(b"\r", start - 1):
            start -= 1
        elif data.startswith(b"\\r", start - 2):
            start -= 2
        if start > at and data[start - 1] in _QUOTES:
            start -= 1
        if start <= at or data[start - 1] not in _LETTERS:
            continue
        pieces.append(data[at:start])
        breaks.append(start - removed[-1])
        removed.append(removed[-1] + match.end() - start)
        at = match.end()
    return b"".join([*pieces, data[at:]]), _Places(breaks, removed)
