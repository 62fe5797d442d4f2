"""Themes: which colour each role has. A theme is a TOML file of data; views speak in roles and never in colours.

A style token is a role with attributes after it, such as `bad bold`. Without colours (`NO_COLOR`) the tokens become
attributes only, so everything that matters is also said by a glyph or a word.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.color import Color
from rich.style import Style

FOLDER = Path(__file__).resolve().parent.parent / "themes"
DEFAULT = "night"

ROLES = ("text", "background", "cursor", "rule", "ok", "live", "wait", "warn", "bad", "dim", "accent", "intent")
HUES = ("red", "green", "yellow", "blue", "magenta", "cyan")
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
    """The colours of one theme, as `#rrggbb`: by role, and for the hues of a task's own log."""

    name: str
    dark: bool
    roles: Mapping[str, str]
    log: Mapping[str, str]


@dataclass(frozen=True)
class Look:
    """What the terminal at hand can show."""

    monochrome: bool = False
    ascii_only: bool = False


def detect_look(
    environ: Mapping[str, str], encoding: str, *, monochrome: bool | None = None, ascii_only: bool | None = None
) -> Look:
    """The look for an environment and the terminal's encoding; an argument that is given wins over what is found."""
    if monochrome is None:
        monochrome = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    if ascii_only is None:
        try:
            ascii_only = codecs.lookup(encoding).name != "utf-8"
        except LookupError:
            ascii_only = True
    return Look(monochrome, ascii_only)


def available() -> list[str]:
    """The names of the themes that are shipped, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_theme(name: str = DEFAULT) -> Theme:
    """A shipped theme by name, or any theme by the path of its file. Raises ThemeError."""
    path = Path(name).expanduser() if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ThemeError(
            f"{path}: no such theme; choose one of {', '.join(available())}, or give a file's path"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ThemeError(f"{path}: cannot be read ({error}); a theme is a UTF-8 text file") from error
    return parse_theme(text, str(path))


def parse_theme(text: str, file: str) -> Theme:
    """The theme that TOML text describes. Raises ThemeError, which names `file`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{file}: not valid TOML: {error}") from error
    _refuse_unknown(file, "", data, ("name", "dark", "roles", "log"))
    name = data.get("name")
    if not isinstance(name, str) or not name.isascii() or not name.isprintable() or not name:
        raise ThemeError(f'{file}: name: write the theme\'s name in ASCII, such as name = "night"')
    dark = data.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError(f"{file}: dark: write true or false")
    return Theme(name, dark, _colours(file, "roles", data, ROLES), _colours(file, "log", data, HUES))


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
            raise ThemeError(f'{file}: {table}.{key} = {value!r}: write a colour as "#rrggbb"')
    return {key: found[key].lower() for key in keys}


def _refuse_unknown(file: str, prefix: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            raise ThemeError(f"{file}: {prefix}{key}: no such key; remove it or use one of {', '.join(known)}")


def _is_colour(value: str) -> bool:
    return len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


@dataclass(frozen=True)
class Palette:
    """The styles of a theme on a terminal: what a style token looks like, on a plain row and on the cursor's row."""

    theme: Theme
    monochrome: bool = False
    _styles: dict[str, Style] = field(default_factory=dict, repr=False, compare=False)

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
            style = self._colours("background", "cursor")
        else:
            style = self._colours(roles[-1] if roles else "text", "background")
        return style + attributes

    def _build_on_cursor(self, token: str, focused: bool) -> Style:
        roles, attributes = _words(token)
        if self.monochrome:
            return self.style(token) + Style(reverse=True) if focused else self.style(token)
        if focused:
            return self._colours("background", "cursor") + attributes
        return self._colours(roles[-1] if roles else "text", "rule") + attributes

    def _colours(self, front: str, back: str) -> Style:
        roles, log = self.theme.roles, self.theme.log
        hex_front = log[front.removeprefix("ansi.")] if front.startswith("ansi.") else roles[front]
        return Style(color=Color.parse(hex_front), bgcolor=Color.parse(roles[back]))


def _words(token: str) -> tuple[list[str], Style]:
    roles: list[str] = []
    attributes = Style()
    for word in token.split():
        if word in _ATTRIBUTES:
            attributes += Style.parse(word)
        elif word in ROLES or word.removeprefix("ansi.") in HUES:
            roles.append(word)
        else:
            raise ValueError(f"style token {token!r}: {word!r} is neither a role, a hue nor an attribute")
    return roles, attributes
