"""A line of typed text with its cursor: the data behind prompts and note fields. Pure; nothing of it blinks."""

from __future__ import annotations

from console.text import cell_len, cells, sanitise
from console.widgets.spans import Span, Spans


class LineEdit:
    """Text being typed. Keys are Textual's names; what is typed or pasted is sanitised on its way in."""

    def __init__(self, text: str = "", *, most: int = 1000) -> None:
        self._pieces: list[str] = []
        self._at = 0
        self._most = most
        self.insert(text)

    @property
    def text(self) -> str:
        """What has been typed."""
        return "".join(self._pieces)

    def set(self, text: str) -> None:
        """Replace the text and put the cursor behind it."""
        self._pieces, self._at = [], 0
        self.insert(text)

    def insert(self, text: str) -> None:
        """Put text in at the cursor: its first line, up to the most that fits."""
        first = text.splitlines()[0] if text else ""
        before, after = self._pieces[: self._at], self._pieces[self._at :]
        before = [piece for piece, _ in cells(sanitise("".join(before) + first))][: self._most - len(after)]
        self._pieces, self._at = before + after, len(before)

    def key(self, key: str, character: str | None) -> bool:
        """Obey one key. False when it is none of an editor's keys, and nothing has changed."""
        at = self._at
        if key in ("left", "ctrl+b"):
            self._at = max(at - 1, 0)
        elif key in ("right", "ctrl+f"):
            self._at = min(at + 1, len(self._pieces))
        elif key in ("home", "ctrl+a"):
            self._at = 0
        elif key in ("end", "ctrl+e"):
            self._at = len(self._pieces)
        elif key in ("backspace", "ctrl+h"):
            self._remove(at - 1, at)
        elif key in ("delete", "ctrl+d"):
            self._remove(at, at + 1)
        elif key == "ctrl+u":
            self._remove(0, at)
        elif key == "ctrl+k":
            self._remove(at, len(self._pieces))
        elif key == "ctrl+w":
            self._remove(self._word_start(), at)
        elif character is not None and character.isprintable():
            self.insert(character)
        else:
            return False
        return True

    def spans(self, width: int, token: str = "text", *, focused: bool = True) -> Spans:
        """The text in exactly `width` cells, moved so that the cursor's cell is among them."""
        if width <= 0:
            return ()
        start = 0
        while cell_len("".join(self._pieces[start : self._at])) >= width:
            start += 1
        before = "".join(self._pieces[start : self._at])
        under = self._pieces[self._at] if self._at < len(self._pieces) else " "
        room = width - cell_len(before) - cell_len(under)
        if room < 0:
            under, room = " ", width - cell_len(before) - 1
        after = ""
        for piece in self._pieces[self._at + 1 :]:
            room -= cell_len(piece)
            if room < 0:
                room += cell_len(piece)
                break
            after += piece
        spans: list[Span] = [(before, token), (under, "cursor" if focused else token), (after + " " * room, token)]
        return tuple(span for span in spans if span[0])

    def _remove(self, start: int, end: int) -> None:
        start, end = max(start, 0), min(end, len(self._pieces))
        del self._pieces[start:end]
        if self._at > start:
            self._at = max(start, self._at - (end - start))

    def _word_start(self) -> int:
        at = self._at
        while at and self._pieces[at - 1] == " ":
            at -= 1
        while at and self._pieces[at - 1] != " ":
            at -= 1
        return at
