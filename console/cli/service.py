"""`dagdeck service …`: the engine of a home as a service of systemd, started with the machine and after a failure."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from console.cli.errors import CliError, Refused
from console.cli.link import engine_pid
from console.cli.options import reading
from console.cli.output import clean, emit_json, facts, say, warn
from console.cli.session import Session, pass_session
from console.cli.units import unit_name, unit_text
from engine.config import Home

SYSTEMD = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
SYSTEM_UNITS = Path("/etc/systemd/system")

system_option = click.option("--system", is_flag=True, help="A unit of the machine (as root), not of one's own.")


@dataclass(frozen=True, slots=True)
class Unit:
    """Where the unit of a home is, and who is asked about it."""

    home: Home
    of_machine: bool

    @property
    def name(self) -> str:
        """The unit's name."""
        return unit_name(self.home.root)

    @property
    def path(self) -> Path:
        """The unit's file."""
        if self.of_machine:
            return SYSTEM_UNITS / self.name
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "systemd" / "user" / self.name

    def ask(self, *words: str) -> tuple[int, str]:
        """Runs systemctl; its exit code, and what it said."""
        tool = shutil.which("systemctl")
        if tool is None:
            return 127, "there is no systemctl"
        command = [tool, *([] if self.of_machine else ["--user"]), *words]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=90, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def order(self, *words: str) -> None:
        """The same; raises CliError with what it said when it fails."""
        code, said = self.ask(*words)
        if code != 0:
            raise CliError(f"systemctl {' '.join(words)} failed: {said or f'exit code {code}'}")


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
    changed = not unit.path.exists() or unit.path.read_text() != text
    if changed:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(text)
        unit.path.chmod(0o644)
    unit.order("daemon-reload")
    running = engine_pid(home)
    # An engine that was started by hand holds the home: the unit's own takes over when that one stops.
    unit.order("enable", *([] if running else ["--now"]), unit.name)
    if as_json:
        emit_json({"unit": unit.name, "path": str(unit.path), "changed": changed, "started": not running})
    else:
        say(f"{clean(unit.path)} {'is written' if changed else 'stood already'} and enabled")
        if running:
            say(f"An engine runs already (pid {running}): `dagdeck engine stop`, then `systemctl start {unit.name}`")
    if not system and not lingers(owner):
        warn(f"its account does not linger: at logout the engine and its tasks end. loginctl enable-linger {owner}")


@service.command()
@system_option
@reading
@pass_session
def status(session: Session, system: bool, as_json: bool) -> int:
    """Whether the unit is there, enabled and running, and whether the account lingers. Exit code 1 if it is not."""
    home = session.home
    unit = Unit(home, system or (SYSTEM_UNITS / unit_name(home.root)).exists())
    installed = unit.path.exists()
    enabled = installed and unit.ask("is-enabled", unit.name)[0] == 0
    active = installed and unit.ask("is-active", unit.name)[0] == 0
    owner = pwd.getpwuid(home.root.stat().st_uid).pw_name
    known = {
        "unit": unit.name if installed else None,
        "path": str(unit.path) if installed else None,
        "enabled": enabled,
        "active": active,
        "engine": engine_pid(home),
        "lingers": unit.of_machine or lingers(owner),
    }
    if as_json:
        emit_json(known)
    else:
        facts((name, _word(value)) for name, value in known.items())
    return 0 if enabled and active and known["lingers"] else 1


@service.command()
@system_option
@reading
@pass_session
def uninstall(session: Session, system: bool, as_json: bool) -> None:
    """Stop the service and remove its unit. Running tasks run on; `dagdeck engine start` picks them up."""
    unit = Unit(session.home, system or (SYSTEM_UNITS / unit_name(session.home.root)).exists())
    if not unit.path.exists():
        raise Refused(f"{unit.path}: there is no such unit")
    unit.order("disable", "--now", unit.name)
    unit.path.unlink()
    unit.order("daemon-reload")
    if as_json:
        emit_json({"unit": unit.name, "removed": str(unit.path)})
    else:
        say(f"{clean(unit.path)} is removed; tasks that were running run on")


def lingers(user: str) -> bool:
    """Whether an account's processes outlive its sessions."""
    return (LINGER / user).exists()


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _require_systemd(home: Home) -> None:
    if SYSTEMD.is_dir():
        return
    command = f"{sys.executable} -m dagdeck --home {home.root} engine"
    raise Refused(
        "systemd does not run this machine. Two other ways:\n"
        f"  a supervisor (runit, s6, supervisord, a container) that runs `{command} run` in the foreground, restarts\n"
        "  it unless it ends with 0, 2, 3 or 5, and signals that process alone, as tasks are to outlive it\n"
        f"  cron, with `@reboot {command} start --if-down`, and\n"
        f"  `* * * * * {command} start --if-down` where it is to be started again after a failure"
    )
