"""`dagdeck connections`: what `dagdeck.toml` knows of other systems, and whether they can be reached."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from console.cli.errors import CliError, Exit, NotFound
from console.cli.link import engine_pid
from console.cli.options import reading
from console.cli.output import Column, emit_json, no_rows, say, table, warn
from console.cli.reading import near
from console.cli.session import Session, pass_session
from console.text import sanitise
from engine.connections import ConnectionUnusable, resolve, source_words
from engine.home import Home

_REACH_SECONDS = 5.0
_SHORTEST = 4

environment_option = click.option("--env", "environment", metavar="NAME", help="Those of this environment.")


@click.group()
def connections() -> None:
    """Connections of dagdeck.toml: list, check. No secret is ever shown."""


@connections.command("list")
@environment_option
@reading
@pass_session
def list_connections(session: Session, environment: str | None, as_json: bool) -> None:
    """List the connections, and where each of their secrets comes from."""
    known = _known(session, environment)
    rows = [(name, key, *_shown(value)) for name, fields in sorted(known.items()) for key, value in fields.items()]
    if as_json:
        names = ("connection", "field", "value", "source")
        emit_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    columns = [Column("connection"), Column("field"), Column("value"), Column("from")]
    table(columns, [(name, key, "***" if value is None else value, source) for name, key, value, source in rows])
    if not rows:
        no_rows("no connection in dagdeck.toml")


@connections.command()
@click.argument("name")
@environment_option
@reading
@pass_session
def check(session: Session, name: str, environment: str | None, as_json: bool) -> int:
    """Look up all that NAME needs, as the engine would, and see whether its host answers. Exit code 1 if not."""
    known = _known(session, environment)
    if name not in known:
        raise NotFound(f"there is no connection {name!r}{near(name, list(known))}")
    trouble: str | None = None
    found: dict[str, Any] = {}
    short = 0
    try:
        resolved = resolve(session.home.root, {name: known[name]}, _environment(session.home))
        found, short = resolved.values[name], sum(len(secret) < _SHORTEST for secret in resolved.secrets)
    except ConnectionUnusable as error:
        trouble = str(error)
    place = _place(found)
    reached = None
    if trouble is None and place is not None:
        reached, trouble = _reach(*place)
    if as_json:
        emit_json(
            {
                "connection": name,
                "fields": sorted(found),
                "host": place[0] if place else None,
                "port": place[1] if place else None,
                "reached_in": reached,
                "error": trouble,
            }
        )
    elif trouble is not None:
        raise CliError(sanitise(trouble))
    else:
        where = f"; {place[0]}:{place[1]} answers in {reached * 1000:.0f} ms" if place and reached is not None else ""
        say(sanitise(f"{name}: {', '.join(found)} found{where}"))
        if short:
            warn(
                f"{short} of its secrets is shorter than {_SHORTEST} characters: so short a text is not masked in logs"
            )
    return int(Exit.DONE if trouble is None else Exit.FAILED)


def _known(session: Session, environment: str | None) -> dict[str, Mapping[str, Any]]:
    try:
        return session.settings.environments.known_connections(environment)
    except ValueError as error:
        raise CliError(str(error), Exit.USAGE) from error


def _shown(value: Any) -> tuple[object, str]:
    """A value and where it comes from; None for a secret."""
    return (None, source_words(value)) if isinstance(value, Mapping) else (value, "dagdeck.toml")


def _environment(home: Home) -> Mapping[str, str]:
    """The environment in which the engine looks up variables; without one, what an engine started here would get."""
    pid = engine_pid(home)
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes() if pid else b""
    except OSError:
        data = b""
    if not data:
        return os.environ
    pairs = (part.partition(b"=") for part in data.split(b"\0") if part)
    return {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}


def _place(fields: Mapping[str, Any]) -> tuple[str, int] | None:
    """Host and port, as far as the connection has them."""
    if "host" in fields and "port" in fields:
        return str(fields["host"]), int(fields["port"])
    try:
        parts = urlsplit(str(fields.get("uri", "")))
        port = parts.port or {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}.get(parts.scheme)
        return (parts.hostname, port) if parts.hostname and port else None
    except ValueError:
        return None


def _reach(host: str, port: int) -> tuple[float | None, str | None]:
    begun = time.monotonic()
    try:
        socket.create_connection((host, port), _REACH_SECONDS).close()
    except OSError as error:
        return None, f"{host}:{port} cannot be reached: {error.strerror or error}"
    return time.monotonic() - begun, None
