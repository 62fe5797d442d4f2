"""Escapes among what a terminal sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.escapes import ESCAPE, Escapes


def told(*pieces: str) -> tuple[list[tuple[str, bool]], bool]:
    """What is made of pieces that come one after the other, and whether an Escape is held at the end."""
    escapes = Escapes()
    found = [each for piece in pieces for each in escapes.split(piece)]
    return found, escapes.held


@pytest.mark.parametrize(
    ("pieces", "found", "held"),
    [
        (("\x1bi",), [(ESCAPE, True), ("i", False)], False),
        (("ab\x1b:open x\r",), [("ab", False), (ESCAPE, True), (":open x\r", False)], False),
        (("\x1b\x1bi\x1b",), [(ESCAPE, True), (ESCAPE, True), ("i", False)], True),
        (("\x1b", "i"), [(ESCAPE, True), ("i", False)], False),
        (("\x1b", "[A"), [("\x1b[A", False)], False),
        (("\x1b[A\x1bOP\x1bj",), [("\x1b[A\x1bOP", False), (ESCAPE, True), ("j", False)], False),
        (("\x1b[200~a\x1bb", "\x1bc\x1b[201~\x1bd"), [("\x1b[200~a\x1bb", False), ("\x1bc\x1b[201~", False),
         (ESCAPE, True), ("d", False)], False),
        (("\x1b[20", "0~a\x1bb\x1b[2", "01~\x1bd"), [("\x1b[20", False), ("0~a\x1bb\x1b[2", False), ("01~", False),
         (ESCAPE, True), ("d", False)], False),
        (("\x1b", "[200~a\x1bb"), [("\x1b[200~a\x1bb", False)], False),
        (("j",), [("j", False)], False),
        (("",), [], False),
    ],
    ids=[
        "letter", "line", "twice", "in two", "arrow in two", "sequences",
        "pasted", "pasted in pieces", "pasted from its Escape on", "none", "nothing",
    ],
)  # fmt: skip
def test_an_escape_that_begins_no_sequence_is_a_key(
    pieces: tuple[str, ...], found: list[tuple[str, bool]], held: bool
) -> None:
    """Escape and what was typed behind it are two keys, however they come; sequences and pastes stay whole."""
    assert told(*pieces) == (found, held)


def test_an_escape_that_nothing_follows_is_released_once() -> None:
    """A held Escape is a key when time has passed, and only one."""
    escapes = Escapes()
    assert not list(escapes.split(ESCAPE))
    assert escapes.release() and not escapes.release()


@given(st.lists(st.text(alphabet="\x1b[OAi~2001", max_size=8), max_size=6))
def test_nothing_is_lost(pieces: list[str]) -> None:
    """Every character comes out once, in its order."""
    found, held = told(*pieces)
    assert "".join(text for text, _ in found) + (ESCAPE if held else "") == "".join(pieces)
