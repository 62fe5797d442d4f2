"""`dagdeck service …`: the engine of a home as a service of systemd, started with the machine and after a failure."""

from __future__ import annotations

import os
import pwd
import sys

import click

from console.cli import systemd
from console.cli.errors import CliError, Refused
from console.cli.link import engine_pid
from console.cli.options import reading
from console.cli.output import clean, emit_json, facts, say, warn
from console.cli.session import Session, pass_session
from console.cli.systemd import Condition, Unit, lingers, unit_of
from console.cli.units import unit_text
from engine.home import Home
from engine.model.typed import dagdeck, quoted

system_option = click.option("--system", is_flag=True, help="A unit of the machine (as root), not of one's own.")


@click.group()
def service() -> None:
    """The engine as a service: started with the machine, and again when it fails. Tasks survive its restarts."""


@service.command()
@system_option
@click.option("--print", "only_print", is_flag=True, help="Show the unit; change nothing.")
@reading
@pass_session
def install(session: Session, system: bool, only_print: bool, as_json: bool) -> None:
    """Write a systemd unit for this home's engine, enable it and start it.

    Without --system it is a unit of your own account: it runs without you being logged in only if your account may
    linger. With --system it is one of the machine, for which you have to be root; it runs as the home's owner.
    """
    home = session.home
    _ = session.settings
    unit = Unit(home, system)
    if unit_of(home).of_machine and not system:
        raise Refused(f"the machine has a unit of this home: {unit_of(home).path}")
    owner = pwd.getpwuid(home.root.stat().st_uid).pw_name
    try:
        text = unit_text(home.root, sys.executable, owner if system else None)
    except ValueError as error:
        raise Refused(str(error)) from error
    if only_print:
        sys.stdout.write(text)
        return
    _require_systemd(home)
    if system and os.geteuid() != 0:
        raise Refused("a unit of the machine is written by root: sudo dagdeck … service install --system")
    if not system and owner != pwd.getpwuid(os.geteuid()).pw_name:
        raise Refused(f"the home belongs to {owner}: install its service as {owner}, or with --system")
    # Before anything is written: without a systemd of this account there is nobody to read it.
    unit.order("daemon-reload")
    changed = not unit.path.exists() or unit.path.read_text() != text
    if changed:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(text)
        unit.path.chmod(0o644)
        unit.order("daemon-reload")
    before = engine_pid(home)
    unit.order("enable", unit.name)
    if before is None:
        _begin(unit)
    if as_json:
        emit_json({"unit": unit.name, "path": str(unit.path), "changed": changed, "started": before is None})
    else:
        started = "enabled" if before else "enabled; the engine runs"
        say(f"{clean(unit.path)} {'is written' if changed else 'stood already'} and {started}")
        _say_of_engine(unit, before, changed)
    if not system and not lingers(owner):
        warn(f"its account does not linger: at logout the engine and its tasks end. loginctl enable-linger {owner}")


def _begin(unit: Unit) -> None:
    """Starts the unit; returns once its engine is ready. Raises CliError with the engine's own reason if it is not."""
    if unit.condition().active == "failed":
        unit.order("reset-failed", unit.name)
    code, said = unit.ask("start", unit.name)
    if code != 0:
        reason = unit.condition().said or said
        raise CliError(f"the unit is written and enabled, but its engine does not run: {reason}\nSee {unit.journal}")


def _say_of_engine(unit: Unit, pid: int | None, changed: bool) -> None:
    """What is still to be done about an engine that ran before. It holds the home: the unit's own comes after it."""
    if pid is None:
        return
    if unit.condition().pid != pid:
        say(f"An engine runs that was started by hand (pid {pid}): `dagdeck engine stop`, then `{unit.line('start')}`")
    elif changed:
        say(f"The engine (pid {pid}) was started by the unit as it was: `{unit.line('restart')}`; tasks run on")


@service.command()
@system_option
@reading
@pass_session
def status(session: Session, system: bool, as_json: bool) -> int:
    """Whether the unit is there, enabled and running, and whether the account lingers. Exit code 1 if it is not."""
    home = session.home
    unit = unit_of(home, of_machine=system)
    installed = unit.path.exists()
    enabled = installed and unit.ask("is-enabled", unit.name)[0] == 0
    condition = unit.condition() if installed else Condition("", "", "", 0)
    active = condition.active == "active"
    owner = pwd.getpwuid(home.root.stat().st_uid).pw_name
    known = {
        "unit": unit.name if installed else None,
        "path": str(unit.path) if installed else None,
        "enabled": enabled,
        "active": active,
        "state": condition.words or None,
        "said": None if active else condition.said or None,
        "engine": engine_pid(home),
        "lingers": unit.of_machine or lingers(owner),
    }
    if as_json:
        emit_json(known)
    else:
        facts((name, _word(value)) for name, value in known.items() if name != "said" or value)
        _say_remedy(unit, condition, engine_pid(home))
    return 0 if enabled and active and known["lingers"] else 1


def _say_remedy(unit: Unit, condition: Condition, pid: int | None) -> None:
    if condition.active == "failed":
        say(f"When its reason is gone: `{unit.again}`; `{unit.journal}` has all that it said")
    elif pid and condition.pid != pid and condition.active:
        say(f"The engine was started by hand: `dagdeck engine stop`, then `{unit.line('start')}`")


@service.command()
@system_option
@reading
@pass_session
def uninstall(session: Session, system: bool, as_json: bool) -> None:
    """Stop the service and remove its unit. Running tasks run on; `dagdeck engine start` picks them up."""
    unit = unit_of(session.home, of_machine=system)
    if not unit.path.exists():
        raise Refused(f"{unit.path}: there is no such unit")
    if unit.of_machine and os.geteuid() != 0:
        raise Refused("a unit of the machine is removed by root: sudo dagdeck … service uninstall --system")
    unit.order("disable", "--now", unit.name)
    unit.path.unlink()
    unit.order("daemon-reload")
    if as_json:
        emit_json({"unit": unit.name, "removed": str(unit.path)})
    else:
        say(f"{clean(unit.path)} is removed; tasks that were running run on")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _require_systemd(home: Home) -> None:
    if systemd.SYSTEMD.is_dir():
        return
    command = f"{quoted(sys.executable)} -m {dagdeck(home.root, 'engine')}"
    of_cron = command.replace("%", r"\%")  # which ends a command there, in quotes too
    raise Refused(
        "systemd does not run this machine. Two other ways:\n"
        f"  a supervisor (runit, s6, supervisord, a container) that runs `{command} run` in the foreground, restarts\n"
        "  it unless it ends with 0, 2, 3 or 5, and signals that process alone, as tasks are to outlive it\n"
        f"  cron, with `@reboot {of_cron} start --if-down`, and\n"
        f"  `* * * * * {of_cron} start --if-down` where it is to be started again after a failure"
    )
