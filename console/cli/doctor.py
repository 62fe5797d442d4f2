"""`dagdeck doctor`: whether installation, machine, home and store are as they should be."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from console.cli.doctor_host import HOST_CHECKS
from console.cli.errors import CliError, Exit, NotFound
from console.cli.finding import Finding
from console.cli.link import EngineLink, engine_pid, way_out
from console.cli.options import reading
from console.cli.output import clean, emit_json, paint, say
from console.cli.reading import StoreError, no_store
from console.cli.session import Session, pass_session
from console.figures import bytes_
from engine.config import Settings
from engine.home import Home
from engine.model.typed import dagdeck, quoted
from engine.version import SCHEMA, VERSION

_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


@click.command()
@reading
@pass_session
def doctor(session: Session, as_json: bool) -> int:
    """Check this installation and this home: interpreter, SQLite, zones, permissions, disk, engine, store.

    Exit code 1 if something is wrong.
    """
    findings: list[Finding] = []
    for check in (*CHECKS, *HOST_CHECKS):
        told = {each.text for each in findings}
        findings += (each for each in _looked(check, session) if each.verdict != "wrong" or each.text not in told)
    if as_json:
        emit_json(
            [
                {"verdict": each.verdict, "what": each.what, "text": each.text, "remedy": each.remedy or None}
                for each in findings
            ]
        )
    else:
        width = max(len(each.what) for each in findings)
        for each in findings:
            word = paint(each.verdict.ljust(5), _COLOURS[each.verdict])
            say(f"{word}  {each.what.ljust(width)}  {clean(each.text)}")
            if each.remedy:
                say(f"{' ' * (width + 9)}{clean(each.remedy)}")
    return int(Exit.FAILED if any(each.verdict == "wrong" for each in findings) else Exit.DONE)


def _looked(check: Check, session: Session) -> Iterator[Finding]:
    """One check; what keeps it from looking is a finding too, so that the others are still made."""
    try:
        yield from check(session)
    except (OSError, StoreError, NotFound) as error:
        yield Finding("wrong", check.__name__.strip("_").replace("_", " "), str(error), "see to that first")


def _installation(session: Session) -> Iterator[Finding]:
    yield Finding("ok", "dagdeck", f"{VERSION}, schema {SCHEMA}, Python {sys.version.split()[0]} ({sys.executable})")
    old = sqlite3.sqlite_version_info < (3, 37, 0)
    text = sqlite3.sqlite_version + (": 3.37 is needed" if old else "")
    yield Finding("wrong" if old else "ok", "SQLite", text, "use a Python with a newer SQLite" if old else "")


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
    known = zones > 300
    remedy = "" if known else "install the package tzdata, or the system's"
    yield Finding("ok" if known else "wrong", "zones", f"{zones} time zones known: {where}", remedy)


def _private(session: Session) -> Iterator[Finding]:
    home = session.home
    open_paths = []
    owner = home.root.lstat().st_uid
    if owner != os.getuid() == 0:
        name = pwd.getpwuid(owner).pw_name
        text = f"{home.root} is {name}'s, and you are root: some of this is about root, and not about {name}"
        yield Finding("note", "owner", text, f"sudo -u {name} {dagdeck(home.root, 'doctor')}")
    for path in (home.root, home.dags, home.config, home.database, home.versions, home.attempts, home.log):
        try:
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode):  # open to everybody by itself: what it leads to counts
                found = path.stat()
        except FileNotFoundError:
            continue
        if found.st_mode & 0o077:
            open_paths.append(f"{path} ({stat.S_IMODE(found.st_mode):o})")
        wanted = os.getuid() or owner
        if found.st_uid != wanted:
            text = f"{path} belongs to uid {found.st_uid}, not to {wanted}"
            yield Finding("wrong", "owner", text, f"run as its owner, or chown -R {wanted} {quoted(home.root)}")
    if open_paths:
        yield Finding(
            "wrong", "private", f"open to other users: {', '.join(open_paths)}", f"chmod -R go= {quoted(home.root)}"
        )
    else:
        yield Finding("ok", "private", f"{home.root}: nobody else can read it")


def _configuration(session: Session) -> Iterator[Finding]:
    try:
        settings: Settings = session.settings
    except CliError as error:
        yield Finding(
            "wrong", "settings", str(error), "mend the file; `dagdeck init` in a new folder shows all settings"
        )
        return
    python = settings.python or sys.executable
    yield Finding("ok", "settings", f"{session.home.config}: {settings.slots} slots, {settings.timezone}, {python}")
    free = shutil.disk_usage(session.home.root).free
    enough = free >= settings.min_free
    tail = "" if enough else f": tasks start only above {bytes_(settings.min_free)} (min_free_mb)"
    remedy = "" if enough else "`dagdeck prune --dry-run` shows who takes it"
    yield Finding("ok" if enough else "wrong", "disk", f"{bytes_(free)} free{tail}", remedy)


def _engine(session: Session) -> Iterator[Finding]:
    from engine.control.client import CommandRefused, NoEngine, SilentEngine, WrongPeer

    home = session.home
    pid = engine_pid(home)
    if pid is None:
        yield Finding("note", "engine", "none runs", "`dagdeck engine start`")
        return
    try:
        with EngineLink(home) as link:
            gauges = link.gauges()
            text = f"pid {link.welcome.pid}, version {link.welcome.version}, you are {link.welcome.actor}"
    except (NoEngine, CommandRefused, WrongPeer) as error:
        silent = isinstance(error, SilentEngine)
        help_ = way_out(pid) if silent else f"`kill {pid}` ends the engine, its tasks run on"
        remedy = f"look at {home.log}; {help_}"
        words = "" if silent else f": {error}"
        yield Finding("wrong", "engine", f"pid {pid} holds the home but does not answer{words}", remedy)
        return
    yield Finding("ok", "engine", text)
    if link.welcome.version != VERSION:
        text = f"it is version {link.welcome.version}, this is {VERSION}"
        yield Finding("note", "engine", text, "`dagdeck engine stop` and start: tasks run on meanwhile")
    if gauges.degraded:
        remedy = "it mends itself when the reason is gone; nothing starts until then"
        yield Finding("wrong", "engine", f"degraded: {gauges.degraded}", remedy)
    if gauges.warning:
        yield Finding("note", "engine", gauges.warning)
    if gauges.attached:
        yield Finding("ok", "consoles", f"{', '.join(gauges.attached)}; version {', '.join(gauges.console_versions)}")
    if old := [version for version in gauges.console_versions if version != link.welcome.version]:
        text = f"one is of version {old[0]}, the engine of {link.welcome.version}"
        yield Finding("note", "consoles", text, "whoever sits at it should restart it")


def _store(session: Session) -> Iterator[Finding]:
    home = session.home
    if home.store_is_lost:
        yield Finding("wrong", "store", no_store(home), "`dagdeck restore BACKUP --replace` puts a backup in its place")
        return
    if not home.database.exists():
        yield Finding("note", "store", "none yet: the engine makes it at its first start")
        return
    from engine.upkeep.inspection import diagnose

    # An engine that runs has read every page at its start, and a large store takes long to read.
    idle = engine_pid(home) is None
    found = diagnose(home.database, thorough=idle)
    size = sum(path.stat().st_size for path in _files(home))
    if found.kind == "sound":
        pages = "every page is sound; " if idle else ""
        yield Finding("ok", "store", f"{bytes_(size)}, {found.seq} events; {pages}`dagdeck verify` reads all of it")
    elif found.kind == "older":
        yield Finding("note", "store", found.text, "the next engine upgrades it, and saves it before")
    else:
        remedy = "`dagdeck restore BACKUP --replace` puts a backup in its place"
        if found.kind == "newer":
            remedy = "install the version that wrote it; the copy from before the upgrade is for this one"
        elif found.kind in ("damaged", "foreign"):
            remedy = ""  # it stands in the text
        elif found.kind == "busy":
            remedy = "try again in a moment; what a running engine says of it stands above"
        yield Finding("wrong", "store", found.text, remedy)


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
