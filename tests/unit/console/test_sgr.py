"""Colours of a log line become style tokens; nothing else of its escape sequences is obeyed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.sgr import parse_sgr


def test_colours_and_weight_become_tokens() -> None:
    """The eight hues, bold, italic and underline are kept as words that a theme explains."""
    line = "\x1b[31mred \x1b[1;4mheavy\x1b[0m plain \x1b[92mbright\x1b[39m off"
    assert parse_sgr(line) == (
        ("red ", "ansi.red"),
        ("heavy", "ansi.red bold underline"),
        (" plain ", "text"),
        ("bright", "ansi.green"),
        (" off", "text"),
    )


def test_other_colour_spaces_fall_on_the_nearest_hue() -> None:
    """256 colours and RGB, with either separator, are mapped to a hue of the theme."""
    assert parse_sgr("\x1b[38;5;196ma\x1b[38;2;10;200;10mb\x1b[38:5:244mc") == (
        ("a", "ansi.red"),
        ("b", "ansi.green"),
        ("c", "text"),
    )


def test_a_log_cannot_hide_its_text() -> None:
    """Concealed, black, reversed and background-coloured text stays as readable as any other."""
    assert parse_sgr("\x1b[8;30;7;41mpassword") == (("password", "dim"),)


def test_other_sequences_stay_visible() -> None:
    """Cursor movements, titles, clipboards and carriage returns are shown and not obeyed."""
    assert parse_sgr("10%\r20%\x1b[2K\x1b]0;x\x07\r\n") == (("10%^M20%^[[2K^[]0;x^G", "text"),)


def test_tabs_count_cells_across_colours() -> None:
    """A tab after a colour change reaches the stop that it would reach without colours."""
    assert "".join(text for text, _ in parse_sgr("\x1b[31mab\x1b[0m\tc")) == "ab      c"


@given(st.text(alphabet="\x1b[0123456789;:mab\r\t\x9b", max_size=80))
def test_any_line_is_safe(line: str) -> None:
    """No sequence of codes, however malformed, gets an escape through or raises."""
    assert all(text.isprintable() for text, _ in parse_sgr(line))


def test_absurd_parameters_are_bounded() -> None:
    """A sequence with thousands of digits neither raises nor colours."""
    assert parse_sgr("\x1b[" + "9" * 9000 + "mx") == (("x", "text"),)
