"""Connections: what `[connections.NAME]` in `dagdeck.toml` says; the secrets it names are looked up when needed.

A value is text, a number, or says where it is: `{ env = "NAME" }` (a variable of the engine's own environment),
`{ file = "secrets.toml", key = "a.b" }` (a file that only its owner can read; without a key all of it), or
`{ keyring = "SERVICE", user = "NAME" }` (the system's keyring).
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.model.typed import quoted

Definition = Mapping[str, Any]
SECRET_FIELDS = frozenset({"password", "token", "secret", "api_key", "private_key", "passphrase"})
_SOURCES = ("env", "file", "keyring")
_EXTRA: dict[str, set[str]] = {"env": set(), "file": {"key"}, "keyring": {"user"}}


class ConnectionUnusable(Exception):
    """A connection cannot be had; the text names it, the field and where it was looked for, and no secret."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Connections by name with their values, and the values among them that must not be seen."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)


def check(name: str, definition: object) -> None:
    """Raises ValueError naming what of a definition is not allowed."""
    where = f"connections.{name}"
    if not isinstance(definition, dict) or not definition:
        raise ValueError(f"[{where}] should be a table with something in it")
    for key, value in definition.items():
        if isinstance(value, dict):
            sources = [source for source in _SOURCES if source in value]
            if len(sources) != 1 or value.keys() - {sources[0]} - _EXTRA[sources[0]]:
                raise ValueError(
                    f"{where}.{key} should be {{ env = … }}, {{ file = …, key = … }} or {{ keyring = …, user = … }}"
                )
            if not all(isinstance(part, str) and part for part in value.values()):
                raise ValueError(f"{where}.{key}: names of sources should be text")
            if sources[0] == "keyring" and "user" not in value:
                raise ValueError(f"{where}.{key}: say whose: {{ keyring = …, user = … }}")
        elif not isinstance(value, str | int | float):
            raise ValueError(f"{where}.{key} = {value!r} should be text, a number or a source")
        elif key in SECRET_FIELDS:
            raise ValueError(
                f"{where}.{key} must not stand in dagdeck.toml: say {{ env = … }}, {{ file = … }} or a keyring"
            )


def resolve(home: Path, wanted: Mapping[str, Definition], environ: Mapping[str, str]) -> Resolved:
    """Looks up everything that connections need. May wait for the system's keyring: call it off the loop.

    Raises ConnectionUnusable.
    """
    found = Resolved()
    for name, definition in wanted.items():
        values = found.values[name] = {}
        for key, value in definition.items():
            if isinstance(value, Mapping):
                secret = _look_up(home, f"connection {name}: {key}", value, environ)
                values[key] = secret
                found.secrets.append(secret)
            else:
                values[key] = value
    return found


def source_words(value: Mapping[str, str]) -> str:
    """Where a value comes from."""
    if "env" in value:
        return f"the engine's variable {value['env']}"
    if "file" in value:
        return f"the file {value['file']}" + (f" at {value['key']}" if "key" in value else "")
    return f"the keyring, {value['user']} of {value['keyring']}"


def _look_up(home: Path, what: str, source: Mapping[str, str], environ: Mapping[str, str]) -> str:
    if "env" in source:
        found = environ.get(source["env"])
        if not found:
            raise ConnectionUnusable(f"{what}: the variable {source['env']} is not set where the engine was started")
        return found
    return _from_file(home, what, source) if "file" in source else _from_keyring(what, source)


def _from_file(home: Path, what: str, source: Mapping[str, str]) -> str:
    path = home / source["file"]
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise ConnectionUnusable(
                f"{what}: {path} must be a file that only its owner can read: chmod 600 {quoted(path)}"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConnectionUnusable(f"{what}: {path} cannot be read: {reason}") from None
    if "key" not in source:
        return text.strip()
    try:
        value: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise ConnectionUnusable(f"{what}: {path} is not TOML") from None  # the error's text may quote the secret
    for part in source["key"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise ConnectionUnusable(f"{what}: {path} has no text at {source['key']}")
    return value


def _from_keyring(what: str, source: Mapping[str, str]) -> str:
    try:
        import keyring  # only where it is used: it looks for the desktop's services when it is imported
        from keyring.errors import KeyringError
    except ImportError:
        raise ConnectionUnusable(f"{what}: the package keyring is not installed") from None
    try:
        found = keyring.get_password(source["keyring"], source["user"])
    except KeyringError as error:
        raise ConnectionUnusable(f"{what}: the keyring does not answer: {type(error).__name__}") from None
    if not found:
        raise ConnectionUnusable(f"{what}: the keyring has nothing for {source['user']} of {source['keyring']}")
    return found
