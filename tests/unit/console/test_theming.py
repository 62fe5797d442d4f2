"""Themes are data that is checked; tokens become styles, also without colours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from console.glyphs import STATES, token
from console.theming import (
    FOLDER,
    HUES,
    ROLES,
    Palette,
    Theme,
    ThemeError,
    available,
    default_theme,
    detect_look,
    load_theme,
    parse_theme,
)

GOOD = (FOLDER / "night.toml").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURFUL = ["contrast", "day", "night", "safe"]


@pytest.fixture(params=COLOURFUL)
def theme(request: pytest.FixtureRequest) -> Theme:
    """Each shipped theme that has colours of its own."""
    return load_theme(request.param)


def test_the_shipped_themes_are_found() -> None:
    """The folder of themes holds exactly what the console offers, and each has the name of its file."""
    assert available() == ["contrast", "day", "mono", "night", "safe", "sixteen"]
    assert [load_theme(name).name for name in available()] == available()


def test_every_role_is_readable(theme: Theme) -> None:
    """Each role and log hue contrasts with the background by 4.5:1; rules are fainter, as they carry no text."""
    ground = theme.roles["background"]
    for role in set(ROLES) - {"background", "rule"}:
        assert contrast(theme.roles[role], ground) >= 4.5, role
    for hue in HUES:
        assert contrast(theme.log[hue], ground) >= 4.5, hue
    assert contrast(theme.roles["dim"], theme.roles["rule"]) >= 2.5


def test_the_contrast_theme_has_more_of_it() -> None:
    """Text, also dim text and states, contrasts with the ground by 7:1 and more; rules are to be seen."""
    roles = load_theme("contrast").roles
    assert all(contrast(roles[role], roles["background"]) >= 7 for role in set(ROLES) - {"background", "rule"})
    assert contrast(roles["rule"], roles["background"]) >= 3


def test_the_sixteen_colours_are_the_terminals_own() -> None:
    """No colour of that theme is mixed, its ground is the terminal's, and the cursor is what is reversed."""
    palette = Palette(load_theme("sixteen"))
    for each in (*ROLES, "ansi.red", "bad bold"):
        for style in (palette.style(each), palette.on_cursor(each, focused=False)):
            for colour in (style.color, style.bgcolor):
                assert colour is not None and (colour.is_default or (colour.number is not None and colour.number < 16))
    assert palette.on_cursor("bad", focused=True).reverse and palette.style("cursor").reverse


def test_the_monochrome_theme_is_like_no_colour() -> None:
    """Chosen as a theme, it draws as NO_COLOR does."""
    chosen, forced = Palette(load_theme("mono")), Palette(load_theme("night"), monochrome=True)
    for each in (*ROLES, "ansi.red", "bad bold underline"):
        assert chosen.style(each) == forced.style(each)
        assert chosen.on_cursor(each, focused=True) == forced.on_cursor(each, focused=True)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, "night"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "night"),
        ({"TERM": "tmux-256color"}, "night"),
        ({"TERM": "xterm-kitty"}, "night"),
        ({"TERM": "linux"}, "sixteen"),
        ({"TERM": "vt220"}, "sixteen"),
        ({"TERM": "xterm"}, "sixteen"),
        ({"TERM": "xterm", "DAGDECK_THEME": "day"}, "day"),
        ({}, "night"),
    ],
)
def test_the_theme_fits_the_terminal(environ: dict[str, str], expected: str) -> None:
    """What is asked for wins; else few colours get the theme of few colours."""
    assert default_theme(environ) == expected


def test_a_users_own_theme_stands_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file below the folder of configuration is a theme like any other; a shipped name stays the shipped theme."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "dagdeck" / "themes"
    folder.mkdir(parents=True)
    (folder / "dusk.toml").write_text(GOOD.replace('"night"', '"dusk"'), encoding="utf-8")
    (folder / "night.toml").write_text("broken", encoding="utf-8")
    assert "dusk" in available() and load_theme("dusk").name == "dusk"
    assert load_theme("night").name == "night"


def test_the_safe_theme_needs_no_red_or_green() -> None:
    """In the safe theme `ok` is blue and `bad` is orange, and they differ in brightness too."""
    roles = load_theme("safe").roles
    red, green, blue = (int(roles["ok"][at : at + 2], 16) for at in (1, 3, 5))
    assert blue > green > red
    red, green, blue = (int(roles["bad"][at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > blue
    assert contrast(roles["ok"], roles["bad"]) >= 1.2


def test_every_state_has_a_style(theme: Theme) -> None:
    """The token of each state is known to every theme, with and without colours."""
    for monochrome in (False, True):
        palette = Palette(theme, monochrome=monochrome)
        for state in STATES:
            style = palette.style(token(state))
            assert style.color is not None or style.bold or style.dim or monochrome, f"{state} looks like nothing"


def test_tokens_combine_a_role_with_attributes() -> None:
    """`bad bold` is the colour of `bad` on the background, in bold."""
    palette = Palette(load_theme("night"))
    style = palette.style("bad bold")
    assert style.bold
    assert style.color is not None and style.color.name == palette.theme.roles["bad"]
    assert style.bgcolor is not None and style.bgcolor.name == palette.theme.roles["background"]
    assert palette.style("bad bold") is style


def test_the_cursor_is_an_even_bar_where_the_focus_is() -> None:
    """On the focused cursor row every token has the same colours; elsewhere the row keeps its own."""
    palette = Palette(load_theme("night"))
    focused = {palette.on_cursor(each, focused=True).color for each in ("bad", "ok", "dim")}
    assert len(focused) == 1
    assert palette.on_cursor("bad", focused=False).color == palette.style("bad").color


def test_without_colours_only_attributes_are_left() -> None:
    """A monochrome palette has no colour in any style, marks what needs a person in bold, and reverses the cursor."""
    palette = Palette(load_theme("night"), monochrome=True)
    for each in (*ROLES, "ansi.red", "bad bold underline"):
        for style in (palette.style(each), palette.on_cursor(each, focused=True)):
            assert style.color is None and style.bgcolor is None
    assert palette.style("warn").bold and palette.style("dim").dim
    assert palette.on_cursor("text", focused=True).reverse


def test_an_unknown_token_is_an_error() -> None:
    """A view that asks for a role which does not exist hears of it."""
    with pytest.raises(ValueError, match="'crimson' is neither"):
        Palette(load_theme("night")).style("crimson bold")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("#7fae7f", "leaf"), r"my.toml: roles.ok = 'leaf': write a colour as \"#rrggbb\", or"),
        (('ok = "#7fae7f"\n', ""), r"my.toml: roles.ok is missing: add ok = "),
        (("[roles]\n", "[roles]\nokay = 1\n"), r"my.toml: roles.okay: no such key; .* use one of text, background"),
        (("[log]", "[logs]"), r"my.toml: logs: no such key"),
        (("dark = true", "dark = 1"), r"my.toml: dark: write true or false"),
        (('"night"', '""'), r"my.toml: name: write the theme's name"),
        (("[roles]", "[roles"), r"my.toml: not valid TOML: .*line"),
    ],
)
def test_a_faulty_theme_says_what_to_do(edit: tuple[str, str], message: str) -> None:
    """Each fault of a theme file names the file, the key and the remedy."""
    with pytest.raises(ThemeError, match=message):
        parse_theme(GOOD.replace(*edit, 1), "my.toml")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, "~nobody-of-this-name/a.toml", "\ud800", "a\0.toml"])
def test_a_name_that_no_file_can_have_is_a_clear_error(name: str) -> None:
    """Whatever is given as a theme, the answer is an error of themes, not one of the file system."""
    with pytest.raises(ThemeError, match=r"no such theme|cannot be read"):
        load_theme(name)


def test_a_theme_that_does_not_exist_lists_those_that_do() -> None:
    """An unknown name answers with the names to choose from."""
    with pytest.raises(ThemeError, match="no such theme; choose one of contrast, day, mono, night, safe, sixteen"):
        load_theme("dusk")


@pytest.mark.parametrize(
    ("environ", "encoding", "monochrome", "ascii_only"),
    [
        ({}, "utf-8", False, False),
        ({"NO_COLOR": "1"}, "UTF8", True, False),
        ({"NO_COLOR": ""}, "utf-8", False, False),
        ({"TERM": "dumb"}, "utf-8", True, False),
        ({}, "ANSI_X3.4-1968", False, True),
        ({}, "no-such-encoding", False, True),
        ({"LC_ALL": "C"}, "utf-8", False, True),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, "utf-8", False, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", False, False),
        ({"LC_ALL": "", "LC_CTYPE": "C", "LANG": "en_US.UTF-8"}, "utf-8", False, True),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C"}, "utf-8", False, True),
        ({"LANG": "de_DE.utf8@euro"}, "utf-8", False, False),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", False, True),
        ({"LANG": "de_DE"}, "utf-8", False, False),
        ({"LANG": "C.UTF-8"}, "ascii", False, True),
    ],
)
def test_the_look_follows_the_terminal(
    environ: dict[str, str], encoding: str, monochrome: bool, ascii_only: bool
) -> None:
    """NO_COLOR and dumb terminals are drawn without colours, other encodings and locales than UTF-8 in ASCII."""
    look = detect_look(environ, encoding)
    assert (look.monochrome, look.ascii_only) == (monochrome, ascii_only)


@pytest.mark.parametrize(
    ("environ", "ascii_only"),
    [
        ({}, False),
        ({"LANG": "C"}, True),
        ({"LC_CTYPE": "POSIX"}, True),
        ({"LC_ALL": "C"}, True),
        ({"LANG": "C.UTF-8"}, False),
    ],
)
def test_the_locale_is_the_one_that_was_given(environ: dict[str, str], ascii_only: bool) -> None:
    """A program of the locale C draws in ASCII, though Python puts a UTF-8 locale into its environment."""
    code = (
        "import os, sys; from console.theming import as_started, detect_look;"
        "print(detect_look(as_started(os.environ), sys.stdout.encoding).ascii_only)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environ, cwd=FOLDER.parent, capture_output=True, text=True)
    assert done.stdout.strip() == str(ascii_only), done.stderr


def test_what_is_asked_for_wins() -> None:
    """An explicit choice overrides what the environment says, in both directions."""
    look = detect_look({"NO_COLOR": "1"}, "ascii", monochrome=False, ascii_only=False)
    assert not look.monochrome and not look.ascii_only
