"""The key line: only keys that do something here, most useful first; and the message that takes its place a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.text import cell_len
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans
from engine.model.moments import SECOND, Micros

MESSAGE_FOR: Micros = 4 * SECOND


@dataclass(frozen=True, slots=True)
class Message:
    """Something said to the operator, until it is old."""

    text: str
    token: str
    at: Micros
    lasts: Micros = MESSAGE_FOR

    def shown(self, now: Micros) -> bool:
        """Whether it still stands."""
        return 0 <= now - self.at < self.lasts


def key_line(keys: Iterable[tuple[str, str]], width: int) -> Spans:
    """As many of (key, what it does) as fit, and always the way to the others."""
    last = ("?", "keys")
    room = width - _size(last) - 1
    line = Line().add(" ")
    for pair in keys:
        size = _size(pair)
        if line.width + size > room:
            continue
        _add(line, pair)
    _add(line, last)
    return line.done()


def message_line(message: Message, width: int) -> Spans:
    """What was said, in the key line's place."""
    return Line().add(" ").cell(message.text, max(width - 1, 0), message.token).done()


def _size(pair: tuple[str, str]) -> int:
    return cell_len(pair[0]) + 1 + cell_len(pair[1]) + 3


def _add(line: Line, pair: tuple[str, str]) -> None:
    line.add(pair[0], f"{ACCENT} bold").add(f" {pair[1]}", DIM).add("   ", TEXT)
