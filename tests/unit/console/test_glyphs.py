"""Every sign is one cell, in every table that a terminal may use."""

from __future__ import annotations

import unicodedata

import wcwidth
from rich.cells import cell_len

from console.glyphs import BARS, STATES, TO_ASCII, UNKNOWN, bar, glyph, to_ascii, token
from engine.model.states import Outcome, RunState, TaskState


def test_every_state_and_outcome_has_its_sign() -> None:
    """No state of a run or task instance and no outcome of an attempt is drawn with the sign for the unknown."""
    for state in (*TaskState, *RunState, *Outcome):
        assert state.value in STATES
    assert glyph("from_a_newer_engine") == UNKNOWN.unicode
    assert token("from_a_newer_engine") == "bad"


def test_state_signs_are_one_cell_and_not_ambiguous() -> None:
    """Each state's sign is one cell in rich's and wcwidth's tables, and outside the class of ambiguous width."""
    for sign in (*STATES.values(), UNKNOWN):
        assert cell_len(sign.unicode) == wcwidth.wcswidth(sign.unicode) == 1
        assert unicodedata.east_asian_width(sign.unicode) in {"N", "Na"}
        assert sign.ascii.isascii() and len(sign.ascii) == 1


def test_states_that_differ_in_meaning_differ_in_ascii() -> None:
    """Success, failure, retry, upstream failure, skipping and running are told apart without Unicode."""
    loud = ("success", "failed", "up_for_retry", "upstream_failed", "skipped", "running", "lost", "none", "queued")
    assert len({glyph(state, ascii_only=True) for state in loud}) == len(loud)


def test_translation_keeps_every_cell() -> None:
    """Signs, foreign letters and wide characters become ASCII of the same width."""
    for sign, plain in TO_ASCII.items():
        assert cell_len(sign) == len(plain) == 1
    assert to_ascii("✓ ► ─╮ naïve 天気 e\u0301") == "+ > -+ na?ve ???? ?"


def test_bars_grow_with_their_value() -> None:
    """A bar's height follows its share, within the eight that there are."""
    assert "".join(bar(value, 7) for value in range(8)) == BARS
    assert bar(9, 7) == BARS[-1] and bar(-1, 7) == bar(0, 0) == BARS[0]
