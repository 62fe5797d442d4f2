"""`dagdeck engine …`: the engine's own life."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import click

from console.cli.changing import change, report
from console.cli.errors import CliError, Exit, NoHome, NotFound
from console.cli.faults import explain
from console.cli.link import ANSWER_SECONDS, EngineLink, engine_pid, is_degraded, select
from console.cli.options import Asking, changing, reading
from console.cli.output import complain, emit_json, facts, say, warn
from console.cli.reading import SessionLine, StoreError, last_session, open_store
from console.cli.session import Session, home_option, pass_session
from console.cli.shapes import session_json
from console.figures import ago, bytes_
from engine.config import choose_environment
from engine.home import Home, HomeError
from engine.model.moments import to_iso

if TYPE_CHECKING:
    from engine.control.protocol import Gauges, Welcome

STOP_SECONDS = 20.0
_CHECK_SECONDS = 5.0
"""Monitoring gives up on its checks after ten seconds, as a rule."""

_MEMORY = ("left", "total", "min_free")
"""Names of the figures in bytes of what is left for new processes."""


@click.group()
def engine() -> None:
    """The engine of a home: start, run, stop, status, drain. Tasks go on while no engine runs."""


_environment = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="The environment of dagdeck.toml to use from now on; '' goes back to the file's own.",
)


@engine.command()
@_environment
@click.option("--if-down", is_flag=True, help="Where an engine runs, say nothing and end with 0: for cron.")
@reading
@pass_session
def start(session: Session, environment: str | None, if_down: bool, as_json: bool) -> None:
    """Start the engine in the background; it stays when you log out."""
    there = if_down and engine_pid(session.home) is not None
    if not there:
        there = _start(session, environment, if_down)
    pid = engine_pid(session.home)
    if as_json:
        emit_json({"running": True, "home": str(session.home.root), "pid": pid})
    elif not there:
        say(f"the engine of {session.home.root} runs (pid {pid})")
        _warn_of_service(session.home)


def _warn_of_service(home: Home) -> None:
    """Who starts by hand what a service looks after has it no longer looked after."""
    from console.cli import systemd

    unit = systemd.unit_of(home)
    if systemd.SYSTEMD.is_dir() and unit.path.exists():
        start = unit.line("start")
        warn(f"its service did not start it, nor does it after a failure: `dagdeck engine stop`, then `{start}`")


def _start(session: Session, environment: str | None, if_down: bool) -> bool:
    """Starts an engine; true where, with `if_down`, another start came first."""
    from console.cli.spawning import start_engine

    _choose(session, environment)
    try:
        start_engine(session.home)
    except CliError:
        if if_down and engine_pid(session.home) is not None:
            return True
        raise
    return False


@engine.command()
@_environment
@home_option
@pass_session
def run(session: Session, environment: str | None) -> None:
    """Run the engine in the foreground, for systemd and other supervisors."""
    from console.cli.spawning import become_engine
    from engine.daemon import supervisor

    try:
        _choose(session, environment)
    except (CliError, HomeError) as refusal:
        supervisor()(str(refusal))
        raise
    become_engine(session.home)


def _choose(session: Session, environment: str | None) -> None:
    """Settings are checked before anything starts; an engine that runs keeps the environment that it was started in."""
    if environment is not None and engine_pid(session.home) is None:
        try:
            choose_environment(session.home, environment)
        except HomeError as error:
            raise CliError(str(error), Exit.USAGE) from error
    settings = session.settings
    if environment and settings.environments.active != environment:
        raise CliError(
            f"an engine runs in {settings.environments.active or 'no environment'}: stop it first", Exit.REFUSED
        )


@engine.command()
@click.option("--kill", is_flag=True, help="Kill the running tasks first; otherwise they go on.")
@changing
@pass_session
def stop(session: Session, kill: bool, asking: Asking) -> None:
    """Stop the engine. Running tasks go on, and the next engine picks them up, unless you say --kill."""
    _require(session.home)
    quiet = asking if kill else Asking(asking.dry_run, True, asking.note, asking.as_json)
    try:
        done = change(session, "stop", select(), {"kill": kill}, quiet)
    except Exception as refusal:
        if kill or asking.dry_run or not is_degraded(refusal):
            raise
        _stop_by_signal(session.home, str(refusal), asking)
        return
    if done is not None:
        _wait_for_end(session.home, STOP_SECONDS)
        report(done, asking)


@engine.command()
@click.option("--wait", is_flag=True, help="Return when the last task has ended and the engine has stopped.")
@changing
@pass_session
def drain(session: Session, wait: bool, asking: Asking) -> None:
    """Start nothing new, and stop when nothing runs any more."""
    _require(session.home)
    quiet = Asking(asking.dry_run, True, asking.note, asking.as_json)
    done = change(session, "drain", select(), {}, quiet)
    if done is not None:
        if wait:
            _wait_for_end(session.home, None)
        report(done, asking)


@engine.command()
@changing
@pass_session
def acknowledge(session: Session, asking: Asking) -> None:
    """Put away the report of the last unclean start."""
    _require(session.home)
    report(change(session, "acknowledge", select(), {}, asking), asking)


@engine.command()
@click.option("--check", is_flag=True, help="Tell it by the exit code: 0 well, 1 degraded, 3 no engine that answers.")
@reading
@pass_session
def status(session: Session, check: bool, as_json: bool) -> int:
    """Whether an engine runs, since when, and how it does. With --json that is one document in any case."""
    try:
        return _status(session, check, as_json)
    except Exception as error:
        known = explain(error)
        if known is None or not as_json:
            raise
        emit_json(_unknown_json(session, str(known)))
        complain(str(known))
        return int(known.code)


def _status(session: Session, check: bool, as_json: bool) -> int:
    home = session.home
    if engine_pid(home) is None:
        last, problem = _last_session(home)
        if as_json:
            before = session_json(last) if last else None
            emit_json({"running": False, "home": str(home.root), "last_session": before, "problem": problem})
        else:
            say(_down_sentence(home, last) if problem is None else f"no engine runs on {home.root}")
        if problem is not None:
            complain(problem)
        return int(Exit.NO_ENGINE) if check else int(Exit.DONE)
    with EngineLink(home, _CHECK_SECONDS if check else ANSWER_SECONDS) as link:
        welcome, gauges = link.welcome, link.gauges()
    if as_json:
        emit_json(_status_json(home, welcome, gauges))
    else:
        _status_text(home, welcome, gauges)
    return int(Exit.FAILED) if check and gauges.degraded else int(Exit.DONE)


def _require(home: Home) -> None:
    if engine_pid(home) is None:
        raise NoHome(f"no engine runs on {home.root}")


def _stop_by_signal(home: Home, reason: str, asking: Asking) -> None:
    """An engine that can write nothing down can be stopped all the same; the audit does not know of it."""
    pid = engine_pid(home)
    if pid:
        os.kill(pid, signal.SIGTERM)
    _wait_for_end(home, STOP_SECONDS)
    message = "the engine was stopped by a signal, which no audit tells of: it could write nothing down any more"
    if asking.as_json:
        emit_json({"message": message, "changed": 0, "skipped": [], "seq": None, "reason": reason})
    else:
        say(message)


def _wait_for_end(home: Home, seconds: float | None) -> None:
    """Returns once the home's lock is free. Raises CliError when that takes longer than `seconds`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while (pid := engine_pid(home)) is not None:
        if deadline is not None and time.monotonic() > deadline:
            raise CliError(f"the engine (pid {pid}) has not ended after {seconds:.0f} s: see {home.log}")
        time.sleep(0.02)


def _last_session(home: Home) -> tuple[SessionLine | None, str | None]:
    """The last engine's life, and why it cannot be known."""
    try:
        with open_store(home) as store:
            return last_session(store), None
    except NotFound as error:
        stands = home.database.is_symlink() or home.database.exists()
        return None, str(error) if stands or home.store_is_lost else None  # else no engine has made a store yet
    except StoreError as error:
        return None, str(error)


def _down_sentence(home: Home, last: SessionLine | None) -> str:
    if last is None:
        return f"no engine runs on {home.root}: none ever did"
    if last.ended_at is None:
        return f"no engine runs on {home.root}: last seen {to_iso(last.last_seen_at)}"
    return f"no engine runs on {home.root}: stopped {to_iso(last.ended_at)} ({last.reason or 'no reason kept'})"


def _status_json(home: Home, welcome: Welcome, gauges: Gauges) -> dict[str, Any]:
    return {
        "running": True,
        "answers": True,
        "home": str(home.root),
        "pid": welcome.pid,
        "version": welcome.version,
        "started_at": to_iso(welcome.started_at),
        "seq": welcome.seq,
        "degraded": gauges.degraded,
        "warning": gauges.warning,
        "draining": gauges.draining,
        "slots": gauges.slots,
        "slots_used": gauges.slots_used,
        "queued": gauges.queued,
        "running_tasks": gauges.running,
        "retrying": gauges.retrying,
        "waiting": gauges.waiting,
        "attached": gauges.attached,
        "loop_lag_ms": gauges.loop_lag_ms,
        "cpu_percent": gauges.cpu_percent,
        "rss_bytes": gauges.rss_bytes,
        "host_memory": None if gauges.memory is None else dict(zip(_MEMORY, gauges.memory, strict=True)),
    }


def _unknown_json(session: Session, problem: str) -> dict[str, Any]:
    """What is known where no engine answers: whether a process holds the home at all."""
    try:
        home = session.home
        pid = engine_pid(home)
    except (CliError, OSError):
        return {"running": False, "home": None, "problem": problem}
    return {"running": pid is not None, "answers": False, "home": str(home.root), "pid": pid, "problem": problem}


def _host_memory(gauges: Gauges) -> str | None:
    if gauges.memory is None:
        return None
    left, total, least = map(bytes_, gauges.memory)
    guard = f"nothing starts below {least}" if gauges.memory[2] else "no guard"
    return f"{left} of {total} left, {guard}"


def _status_text(home: Home, welcome: Welcome, gauges: Gauges) -> None:
    facts(
        [
            ("home", home.root),
            ("engine", f"pid {welcome.pid}, version {welcome.version}, up {ago(welcome.started_at, gauges.at)}"),
            ("slots", f"{gauges.slots_used} of {gauges.slots}"),
            ("tasks", f"{gauges.running} running, {gauges.queued} queued, {gauges.retrying} retrying"),
            ("attached", ", ".join(gauges.attached) or None),
            ("loop lag", f"{gauges.loop_lag_ms:.1f} ms"),
            ("processor", f"{gauges.cpu_percent:.1f} %"),
            ("memory", bytes_(gauges.rss_bytes)),
            ("host memory", _host_memory(gauges)),
            ("draining", "yes" if gauges.draining else None),
        ]
    )
    if gauges.degraded:
        complain(f"degraded: {gauges.degraded}")
    if gauges.warning:
        warn(gauges.warning)
