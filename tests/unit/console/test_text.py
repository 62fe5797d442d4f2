"""The allow-list for untrusted text, and cuts and columns that are exact in cells."""

from __future__ import annotations

import unicodedata

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len as rich_cell_len

from console.text import cell_len, cells, cut_end, cut_middle, cut_start, fit, sanitise, sanitise_lines

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)
WIDE_TEXT = st.text(alphabet="ab 天気é\u0301👍ﾊ", max_size=30).map(sanitise)


# The planes in which anything is assigned but plain ideographs, and a few characters of the others.
PLANES = (*range(0x20000), *range(0xE0000, 0xE1000), 0x20000, 0x2FFFF, 0x30000, 0xF0000, 0x10FFFD, 0x10FFFF)
EVERYTHING = "".join("a" + chr(codepoint) for codepoint in PLANES)


def test_every_single_character_of_unicode_becomes_printable() -> None:
    """No code point survives as a control, format, surrogate, private or unassigned character."""
    shown = set(sanitise(EVERYTHING))
    refused = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert [each for each in shown if not each.isprintable() or unicodedata.category(each) in refused] == []


def test_terminals_agree_on_the_width_of_every_character() -> None:
    """Whatever passes the allow-list has the same width in rich's tables and in wcwidth's, so no column drifts."""
    shown = set(sanitise(EVERYTHING))
    assert [each for each in shown if rich_cell_len(each) != wcwidth.wcwidth(each)] == []


@given(ANY_TEXT)
def test_sanitising_is_safe_and_settles(text: str) -> None:
    """Any text becomes printable, its cells add up, and a second pass changes nothing."""
    shown = sanitise(text)
    assert shown.isprintable()
    assert sum(size for _, size in cells(shown)) == cell_len(shown)
    assert sanitise(shown) == shown


@given(st.binary(max_size=60))
def test_any_bytes_can_be_shown(data: bytes) -> None:
    """Bytes that are not UTF-8 are shown as escapes instead of raising."""
    assert sanitise(data).isprintable()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "^[]52;c;aGk=^G"),
        ("\x1b[2J", "^[[2J"),
        ("a\x9b31m", r"a\x9b31m"),
        ("safe\roverwritten", "safe^Moverwritten"),
        ("two\nlines", "two^Jlines"),
        ("\x7f\x00", "^?^@"),
        ("abc\u202edcb", r"abc\u202edcb"),
        ("lo\u200bad", r"lo\u200bad"),
        ("lo\u200dad", r"lo\u200dad"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\udc80", r"\udc80"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("no\xa0break", "no break"),
        ("wide\u3000space", "wide  space"),
        ("\ufdd0", r"\ufdd0"),
    ],
)
def test_what_could_act_or_hide_is_made_visible(hostile: str | bytes, shown: str) -> None:
    """Escape sequences, carriage returns, bidirectional and invisible characters are shown as what they are."""
    assert sanitise(hostile) == shown


def test_emoji_lose_only_their_joiners() -> None:
    """Presentation selectors, joiners and skin tones are dropped after a symbol, so widths are plain sums."""
    assert sanitise("\u26a0\ufe0f 👩\u200d👧 👍🏽") == "\u26a0 👩👧 👍"


def test_marks_are_bounded_and_never_land_on_a_neighbour() -> None:
    """A flood of combining marks is cut to three, and a mark without a base gets one."""
    assert sanitise("e" + "\u0301" * 500) == "e\u0301\u0301\u0301"
    assert sanitise("\u0301x") == "\u25cc\u0301x"


def test_tabs_reach_the_next_eighth_cell() -> None:
    """Tabs are spaces up to the next stop, counted in cells and from the given column."""
    assert sanitise("a\tb") == "a       b"
    assert sanitise("天\tb") == "天      b"
    assert sanitise("\tb", column=6) == "  b"


def test_lines_are_split_before_they_are_made_safe() -> None:
    """Line ends of either kind split the text, and `most` bounds the number of lines."""
    assert sanitise_lines("a\r\nb\x1b\nc") == ["a", "b^[", "c"]
    assert sanitise_lines(b"a\nb\nc", most=2) == ["a", "b"]


@given(WIDE_TEXT, st.integers(0, 20))
def test_cuts_fit_and_fields_are_exact(text: str, width: int) -> None:
    """Every cut is at most as wide as asked for, and `fit` is exactly that wide, whatever the characters."""
    for cut in (cut_end, cut_middle, cut_start):
        assert cell_len(cut(text, width)) <= width
        assert cut(text, 100) == text
    for align in ("left", "right", "centre"):
        for where in ("end", "middle", "start", "hard"):
            assert cell_len(fit(text, width, align, cut=where)) == width


def test_names_keep_both_ends() -> None:
    """A cut in the middle keeps the beginning and the end of a name."""
    assert cut_middle("weather_daily_seattle", 17) == "weather_da…eattle"
    assert cut_end("weather_daily_seattle", 8) == "weather…"
    assert cut_start("weather_daily_seattle", 8) == "…seattle"
    assert fit("42", 5, "right") == "   42"
