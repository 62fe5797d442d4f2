"""Themes: which colour each role has. A theme is a TOML file of data; views speak in roles and never in colours.

Shipped themes stand in `themes/`; a user's own beside them in `dagdeck/themes` below the folder of configuration.

A style token is a role with attributes after it, such as `bad bold`. Without colours (`NO_COLOR`) the tokens become
attributes only, so everything that matters is also said by a glyph or a word.
"""

from __future__ import annotations

import codecs
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.color import Color
from rich.style import Style

FOLDER = Path(__file__).resolve().parent.parent / "themes"
DEFAULT = "night"
FEW = "sixteen"
"""The theme of terminals that say they have few colours."""
VARIABLE = "DAGDECK_THEME"

ROLES = ("text", "background", "cursor", "rule", "ok", "live", "wait", "warn", "bad", "dim", "accent", "intent")
HUES = ("red", "green", "yellow", "blue", "magenta", "cyan")
PLAIN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
NAMES = frozenset({"default", *PLAIN, *(f"bright_{name}" for name in PLAIN)})
"""The terminal's own colours, which a theme may name in place of `#rrggbb`."""
_FEW_COLOURS = ("linux", "ansi", "cons25", "xterm-16color", "xterm-color", "screen", "tmux", "xterm", "rxvt")
STILL = " still"
"""Ends a token of what looks the same under the cursor, as a chart does that would turn into its negative."""
_ATTRIBUTES = frozenset({"bold", "italic", "underline", "reverse"})
_WITHOUT_COLOUR = {
    "dim": Style(dim=True),
    "rule": Style(dim=True),
    "warn": Style(bold=True),
    "bad": Style(bold=True),
    "live": Style(bold=True),
    "intent": Style(bold=True),
    "accent": Style(bold=True),
    "cursor": Style(reverse=True),
}


class ThemeError(ValueError):
    """A theme that cannot be used. The text names the file, the key and what to write there."""


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, as `#rrggbb` or by name: by role, and for the hues of a task's own log."""

    name: str
    dark: bool
    roles: Mapping[str, str]
    log: Mapping[str, str]
    colour: bool = True
    """Whether it has colours at all."""


@dataclass(frozen=True)
class Look:
    """What the terminal at hand can show."""

    monochrome: bool = False
    ascii_only: bool = False


def detect_look(
    environ: Mapping[str, str], encoding: str, *, monochrome: bool | None = None, ascii_only: bool | None = None
) -> Look:
    """The look for an environment and the terminal's encoding; an argument that is given wins over what is found.

    Signs are ASCII where the encoding or the locale is not UTF-8: Python writes UTF-8 in the locale `C`, too.
    """
    if monochrome is None:
        monochrome = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    if ascii_only is None:
        ascii_only = not (_is_utf8(encoding) and _is_utf8(_locale_encoding(environ) or encoding))
    return Look(monochrome, ascii_only)


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _locale_encoding(environ: Mapping[str, str]) -> str | None:
    """The encoding that the locale's variables ask for; None where they say nothing of it."""
    name = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if name in ("C", "POSIX"):
        return "ascii"
    return name.partition("@")[0].partition(".")[2] or None


def as_started(environ: Mapping[str, str]) -> Mapping[str, str]:
    """This process's environment with `LC_CTYPE` as it was given: in the locale `C` Python itself sets it to UTF-8."""
    try:
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return environ
    said = [entry.removeprefix(b"LC_CTYPE=") for entry in given if entry.startswith(b"LC_CTYPE=")]
    return {**environ, "LC_CTYPE": os.fsdecode(said[0]) if said else ""}


def own_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's own themes stand."""
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "dagdeck" / "themes"


def default_theme(environ: Mapping[str, str]) -> str:
    """The theme that is asked for, else the one that fits what the terminal says of its colours."""
    if environ.get(VARIABLE):
        return environ[VARIABLE]
    term = environ.get("TERM", "")
    many = environ.get("COLORTERM") or "256" in term or "direct" in term
    few = term in _FEW_COLOURS or term.startswith("vt")
    return FEW if few and not many else DEFAULT


def available() -> list[str]:
    """The names of the themes that are there, sorted: those that are shipped, and the user's own."""
    return sorted({path.stem for folder in (FOLDER, own_folder(os.environ)) for path in folder.glob("*.toml")})


def load_theme(name: str = DEFAULT) -> Theme:
    """A shipped theme or a user's own by name, or any theme by the path of its file. Raises ThemeError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    own = own_folder(os.environ) / f"{name}.toml"
    try:
        if name.endswith(".toml"):
            path = path.expanduser()
        elif not path.exists() and own.exists():
            path = own
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ThemeError(
            f"{path}: no such theme; choose one of {', '.join(available())}, or give a file's path"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:  # also no such user, and a name that no file can have
        raise ThemeError(f"{path}: cannot be read ({error}); a theme is a UTF-8 text file") from error
    return parse_theme(text, str(path))


def parse_theme(text: str, file: str) -> Theme:
    """The theme that TOML text describes. Raises ThemeError, which names `file`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{file}: not valid TOML: {error}") from error
    _refuse_unknown(file, "", data, ("name", "dark", "colour", "roles", "log"))
    name = data.get("name")
    if not isinstance(name, str) or not name.isascii() or not name.isprintable() or not name:
        raise ThemeError(f'{file}: name: write the theme\'s name in ASCII, such as name = "night"')
    dark = data.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError(f"{file}: dark: write true or false")
    colour = data.get("colour", True)
    if not isinstance(colour, bool):
        raise ThemeError(f"{file}: colour: write true or false")
    return Theme(name, dark, _colours(file, "roles", data, ROLES), _colours(file, "log", data, HUES), colour)


def _colours(file: str, table: str, data: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    found = data.get(table)
    if not isinstance(found, dict):
        raise ThemeError(f"{file}: {table}: add a table [{table}] with {', '.join(keys)}")
    _refuse_unknown(file, f"{table}.", found, keys)
    for key in keys:
        if key not in found:
            raise ThemeError(f'{file}: {table}.{key} is missing: add {key} = "#rrggbb"')
        value = found[key]
        if not isinstance(value, str) or not _is_colour(value):
            words = 'write a colour as "#rrggbb", or one of the terminal\'s own, such as "bright_red"'
            raise ThemeError(f"{file}: {table}.{key} = {value!r}: {words}")
    return {key: found[key].lower() for key in keys}


def _refuse_unknown(file: str, prefix: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            raise ThemeError(f"{file}: {prefix}{key}: no such key; remove it or use one of {', '.join(known)}")


def _is_colour(value: str) -> bool:
    if value in NAMES:
        return True
    return len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


@dataclass(frozen=True)
class Palette:
    """The styles of a theme on a terminal: what a style token looks like, on a plain row and on the cursor's row."""

    theme: Theme
    monochrome: bool = False
    """No colours, whatever the theme says; true of itself for a theme without any."""
    _styles: dict[str, Style] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.theme.colour:
            object.__setattr__(self, "monochrome", True)

    def style(self, token: str) -> Style:
        """The style of a token: roles, `ansi.<hue>` and attributes, in any order; a later colour wins.

        Raises ValueError on a word that is none of these.
        """
        style = self._styles.get(token)
        if style is None:
            style = self._styles[token] = self._build(token)
        return style

    def on_cursor(self, token: str, *, focused: bool) -> Style:
        """The style of a token on the cursor's row: one even bar where the focus is, a quiet ground elsewhere."""
        key = f"{token}\n{focused}"
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._build_on_cursor(token, focused)
        return style

    def _build(self, token: str) -> Style:
        roles, attributes = _words(token)
        if self.monochrome:
            style = Style()
            for role in roles:
                style += _WITHOUT_COLOUR.get(role, Style())
        elif roles and roles[-1] == "cursor":
            style = self._bar()
        else:
            style = self._colours(roles[-1] if roles else "text", "background")
        return style + attributes

    def _build_on_cursor(self, token: str, focused: bool) -> Style:
        if token.endswith(STILL):
            return self.style(token)
        roles, attributes = _words(token)
        if self.monochrome:
            return self.style(token) + Style(reverse=True) if focused else self.style(token)
        if focused:
            return self._bar() + attributes
        return self._colours(roles[-1] if roles else "text", "rule") + attributes

    def _bar(self) -> Style:
        """The cursor: its colour as the ground, or, where that is the terminal's own, everything reversed."""
        if self.theme.roles["cursor"] == "default":
            return self._colours("text", "background") + Style(reverse=True)
        return self._colours("background", "cursor")

    def _colours(self, front: str, back: str) -> Style:
        roles, log = self.theme.roles, self.theme.log
        hex_front = log[front.removeprefix("ansi.")] if front.startswith("ansi.") else roles[front]
        return Style(color=Color.parse(hex_front), bgcolor=Color.parse(roles[back]))


def _words(token: str) -> tuple[list[str], Style]:
    roles: list[str] = []
    attributes = Style()
    for word in token.removesuffix(STILL).split():
        if word in _ATTRIBUTES:
            attributes += Style.parse(word)
        elif word in ROLES or word.removeprefix("ansi.") in HUES:
            roles.append(word)
        else:
            raise ValueError(f"style token {token!r}: {word!r} is neither a role, a hue nor an attribute")
    return roles, attributes
