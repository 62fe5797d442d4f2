"""Colours that a program wrote into its log, kept as style tokens; nothing else of its escape sequences survives.

The eight hues become tokens of the theme (`ansi.red` …), so a log can neither hide text (black on black, concealed) nor
bring colours that clash with the theme. Backgrounds, blinking, concealing and reversing are left out.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator

from console.text import cell_len, sanitise

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_HUES = ("dim", "ansi.red", "ansi.green", "ansi.yellow", "ansi.blue", "ansi.magenta", "ansi.cyan", "text")
_CUBE = (0, 95, 135, 175, 215, 255)
_WEIGHTS = {1: "bold", 3: "italic", 4: "underline"}
_WEIGHTS_OFF = {22: "bold", 23: "italic", 24: "underline"}
_MOST_PARAMETERS = 32


def parse_sgr(line: str | bytes) -> tuple[tuple[str, str], ...]:
    """The line as spans of safe text and style token. Whatever is not colour or weight stays visible as text.

    One carriage return at the end belongs to the line's end and is left out; any other is shown.
    """
    text = line.decode("utf-8", "backslashreplace") if isinstance(line, bytes) else line
    text = text.rstrip("\n").removesuffix("\r")
    if "\x1b" not in text:
        safe = sanitise(text)
        return ((safe, "text"),) if safe else ()
    spans: list[tuple[str, str]] = []
    pen = _Pen()
    column = 0
    pieces = _SGR.split(text)
    for piece, codes in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        shown = sanitise(piece, column=column)
        if shown:
            column += cell_len(shown)
            token = pen.token
            if spans and spans[-1][1] == token:
                spans[-1] = (spans[-1][0] + shown, token)
            else:
                spans.append((shown, token))
        pen.read(codes)
    return tuple(spans)


class _Pen:
    """The style that is in force while a line is read."""

    def __init__(self) -> None:
        self._colour = "text"
        self._weights: dict[str, None] = {}
        self.token = "text"

    def read(self, codes: str) -> None:
        """Follow the parameters of one SGR sequence; those that are malformed or unknown change nothing."""
        numbers = iter([int(code or 0) for code in re.split("[;:]", codes[:200])[:_MOST_PARAMETERS]])
        for number in numbers:
            if number == 0:
                self._colour, self._weights = "text", {}
            elif number == 2:
                self._colour = "dim"
            elif number in _WEIGHTS:
                self._weights[_WEIGHTS[number]] = None
            elif number in _WEIGHTS_OFF:
                self._weights.pop(_WEIGHTS_OFF[number], None)
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self._colour = _HUES[number % 10]
            elif number == 39:
                self._colour = "text"
            elif number in (38, 48):
                colour = _extended(numbers)
                if number == 38 and colour is not None:
                    self._colour = colour
        self.token = " ".join((self._colour, *self._weights))


def _extended(numbers: Iterator[int]) -> str | None:
    """The token of `5;N` or `2;R;G;B`, which is taken off `numbers`; None where it is incomplete or out of range."""
    kind = next(numbers, -1)
    if kind == 5:
        return _of_256(next(numbers, -1))
    if kind == 2:
        rgb = [next(numbers, -1) for _ in range(3)]
        return _of_rgb(*rgb) if all(0 <= part <= 255 for part in rgb) else None
    return None


def _of_256(number: int) -> str | None:
    if not 0 <= number <= 255:
        return None
    if number < 16:
        return "dim" if number == 8 else _HUES[number % 8]
    if number >= 232:
        return "dim" if number < 244 else "text"
    red, green, blue = (number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6
    return _of_rgb(_CUBE[red], _CUBE[green], _CUBE[blue])


def _of_rgb(red: int, green: int, blue: int) -> str:
    """The nearest of the eight hues."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if saturation < 0.25 or value < 0.2:
        return "text" if value >= 0.55 else "dim"
    for limit, token in ((0.06, 1), (0.2, 3), (0.45, 2), (0.54, 6), (0.72, 4), (0.92, 5)):
        if hue < limit:
            return _HUES[token]
    return _HUES[1]
