"""`dagdeck doctor` and `dagdeck verify`: whether installation, home and store are as they should be."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from console.cli.errors import CliError, Exit
from console.cli.link import EngineLink, engine_pid
from console.cli.options import reading
from console.cli.output import clean, emit_json, paint, say
from console.cli.reading import open_store
from console.cli.session import Session, pass_session
from console.figures import bytes_
from engine.config import Home, Settings
from engine.version import SCHEMA, VERSION

_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, a `note` that an operator should know, or `wrong`."""

    verdict: str
    what: str
    text: str


@click.command()
@reading
@pass_session
def doctor(session: Session, as_json: bool) -> int:
    """Check this installation and this home: interpreter, SQLite, zones, permissions, disk, engine, store.

    Exit code 1 if something is wrong.
    """
    findings = [finding for check in CHECKS for finding in check(session)]
    if as_json:
        emit_json([{"verdict": each.verdict, "what": each.what, "text": each.text} for each in findings])
    else:
        width = max(len(each.what) for each in findings)
        for each in findings:
            word = paint(each.verdict.ljust(5), _COLOURS[each.verdict])
            say(f"{word}  {each.what.ljust(width)}  {clean(each.text)}")
    return int(Exit.FAILED if any(each.verdict == "wrong" for each in findings) else Exit.DONE)


def _installation(session: Session) -> Iterator[Finding]:
    yield Finding("ok", "dagdeck", f"{VERSION}, schema {SCHEMA}, Python {sys.version.split()[0]} ({sys.executable})")
    old = sqlite3.sqlite_version_info < (3, 37, 0)
    yield Finding("wrong" if old else "ok", "SQLite", sqlite3.sqlite_version + (": 3.37 is needed" if old else ""))


def _zones(session: Session) -> Iterator[Finding]:
    import zoneinfo
    from importlib.metadata import PackageNotFoundError, version

    try:
        source = f"package tzdata {version('tzdata')}"
    except PackageNotFoundError:
        source = "no tzdata package"
    system = [path for path in zoneinfo.TZPATH if Path(path).is_dir()]
    where = f"the system's {system[0]} is used first; {source}" if system else source
    zones = len(zoneinfo.available_timezones())
    yield Finding("ok" if zones > 300 else "wrong", "zones", f"{zones} time zones known: {where}")


def _private(session: Session) -> Iterator[Finding]:
    home = session.home
    open_paths = []
    for path in (home.root, home.dags, home.config, home.database, home.versions, home.attempts, home.log):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if found.st_mode & 0o077:
            open_paths.append(f"{path} ({stat.S_IMODE(found.st_mode):o})")
        if found.st_uid != os.getuid():
            yield Finding("wrong", "owner", f"{path} belongs to uid {found.st_uid}, not to {os.getuid()}")
    if open_paths:
        yield Finding("wrong", "private", f"open to other users: {', '.join(open_paths)}; use chmod go= on them")
    else:
        yield Finding("ok", "private", f"{home.root}: nobody else can read it")


def _configuration(session: Session) -> Iterator[Finding]:
    try:
        settings: Settings = session.settings
    except CliError as error:
        yield Finding("wrong", "settings", str(error))
        return
    python = settings.python or sys.executable
    yield Finding("ok", "settings", f"{session.home.config}: {settings.slots} slots, {settings.timezone}, {python}")
    free = shutil.disk_usage(session.home.root).free
    enough = free >= settings.min_free
    tail = "" if enough else f": tasks start only above {bytes_(settings.min_free)} (min_free_mb)"
    yield Finding("ok" if enough else "wrong", "disk", f"{bytes_(free)} free{tail}")


def _engine(session: Session) -> Iterator[Finding]:
    from engine.control.client import CommandRefused, NoEngine, WrongPeer

    home = session.home
    pid = engine_pid(home)
    if pid is None:
        yield Finding("note", "engine", "none runs: `dagdeck engine start` starts one")
        return
    try:
        with EngineLink(home) as link:
            gauges = link.gauges()
            text = f"pid {link.welcome.pid}, version {link.welcome.version}, you are {link.welcome.actor}"
    except (NoEngine, CommandRefused, WrongPeer) as error:
        yield Finding("wrong", "engine", f"pid {pid} holds the home but does not answer: {error}")
        return
    yield Finding("ok", "engine", text)
    if gauges.degraded:
        yield Finding("wrong", "engine", f"degraded: {gauges.degraded}")


def _store(session: Session) -> Iterator[Finding]:
    home = session.home
    if not home.database.exists():
        yield Finding("note", "store", "none yet: the engine makes it at its first start")
        return
    with open_store(home) as store, store.snapshot() as seq:
        size = sum(path.stat().st_size for path in _files(home))
        yield Finding("ok", "store", f"{bytes_(size)}, {seq} events")


def _files(home: Home) -> Iterator[Path]:
    for suffix in ("", "-wal"):
        path = home.root / (home.database.name + suffix)
        if path.exists():
            yield path


def _roles(session: Session) -> Iterator[Finding]:
    yield Finding(
        "note",
        "people",
        "everybody who can act as this user can change this home: the audit names who did, "
        "and previews guard against mistakes, not against malice",
    )


Check = Callable[[Session], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (_installation, _zones, _configuration, _private, _engine, _store, _roles)


@click.command()
@reading
@pass_session
def verify(session: Session, as_json: bool) -> int:
    """Check the store against the rules that must always hold, and successes against the evidence on disk.

    It reads everything, so it takes its time on a large store. Exit code 1 if something does not hold.
    """
    from console.cli.verifying import contradictions

    found = contradictions(session.home)
    if as_json:
        emit_json({"ok": not found, "problems": found})
    elif found:
        for text in found:
            say(f"{paint('wrong', 'red')}  {clean(text)}")
    else:
        say("the store holds: rows, history, audit and evidence agree")
    return int(Exit.FAILED if found else Exit.DONE)
