"""Escape as a key of its own: told apart from the sequences that terminals send for other keys.

Over a slow link keys that were typed one after the other come in one piece. Escape with a letter behind it would then
be read as Alt with that letter, and be no key at all; this console has no keys with Alt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ESCAPE: Final = "\x1b"
_BEGINS: Final = frozenset("[O]P_^X")
"""What begins a sequence behind Escape."""
_PASTE: Final = "\x1b[200~"
_PASTED: Final = "\x1b[201~"


class Escapes:
    """Splits what comes from a terminal. An Escape at its end is held: the rest of a sequence may follow."""

    def __init__(self) -> None:
        self.held = False
        """Whether an Escape waits for what follows it."""
        self._pasting = False
        self._tail = ""
        """The end of what came before: a mark around pasted text may be cut in two."""

    def release(self) -> bool:
        """Nothing followed: whether an Escape was held, which is a key then."""
        held, self.held = self.held, False
        return held

    def split(self, typed: str) -> Iterator[tuple[str, bool]]:
        """Texts, each with whether it is an Escape that was typed; all others are the parser's."""
        typed = ESCAPE + typed if self.release() else typed
        for at in range(len(self._tail)):
            self._mark(self._tail + typed, at)
        self._tail = (self._tail + typed.removesuffix(ESCAPE))[1 - len(_PASTE) :]
        start = at = 0
        while (at := typed.find(ESCAPE, at)) >= 0:
            following = typed[at + 1 : at + 2]
            if self._pasting or following in _BEGINS:
                self._mark(typed, at)
                at += 1
                continue
            if at > start:
                yield typed[start:at], False
            start = at = at + 1
            if not following:
                self.held = True
                return
            yield ESCAPE, True
        if start < len(typed):
            yield typed[start:], False

    def _mark(self, text: str, at: int) -> None:
        """Pasted text begins or ends here, if a mark of it stands here."""
        self._pasting = text.startswith(_PASTE, at) or (self._pasting and not text.startswith(_PASTED, at))
