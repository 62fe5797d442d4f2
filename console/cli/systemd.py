"""What systemd knows of a home's unit, and what is asked of it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from console.cli.errors import CliError
from console.cli.units import unit_name
from engine.home import Home

SYSTEMD = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
SYSTEM_UNITS = Path("/etc/systemd/system")
RUNTIME = Path("/run/user")

_ASKED = "--property=ActiveState,Result,StatusText,MainPID"
_NO_BUS = "Failed to connect to bus"


@dataclass(frozen=True, slots=True)
class Condition:
    """How systemd says that a unit does."""

    active: str
    """`active`, `activating`, `failed`, `inactive` …; empty where systemd does not say."""
    result: str
    """Why it is not active: `exit-code`, `signal`, `start-limit-hit` …"""
    said: str
    """The last that the engine told systemd of itself: why it refused to start."""
    pid: int
    """The engine that systemd started; 0 for none."""

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.active} ({self.result})" if self.active == "failed" and self.result else self.active


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

    def line(self, verb: str) -> str:
        """What people type to do something with it."""
        return f"systemctl {'' if self.of_machine else '--user '}{verb} {self.name}"

    @property
    def again(self) -> str:
        """What people type to start it after failures, which systemd counts and may have had enough of."""
        return f"{self.line('reset-failed')} && {self.line('start')}"

    @property
    def journal(self) -> str:
        """What people type to read what it said."""
        return f"journalctl {'' if self.of_machine else '--user '}-u {self.name}"

    def ask(self, *words: str) -> tuple[int, str]:
        """Runs systemctl; its exit code, and what it said. It returns when what was asked for is done."""
        tool = shutil.which("systemctl")
        if tool is None:
            return 127, "there is no systemctl"
        command = [tool, *([] if self.of_machine else ["--user"]), *words]
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, errors="replace", check=False
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def order(self, *words: str) -> None:
        """The same; raises CliError with what it said when it fails."""
        code, said = self.ask(*words)
        if code == 0:
            return
        remedy = ""
        if _NO_BUS in said and not self.of_machine:
            user = pwd.getpwuid(os.geteuid()).pw_name
            remedy = f"\nNo systemd runs for {user} now: `sudo loginctl enable-linger {user}` starts it, and keeps it"
        raise CliError(f"systemctl {' '.join(words)} failed: {said or f'exit code {code}'}{remedy}")

    def condition(self) -> Condition:
        """How it does now. Raises CliError where systemd cannot be asked."""
        code, said = self.ask("show", _ASKED, self.name)
        if code != 0:
            raise CliError(f"systemd does not say how {self.name} does: {said or f'exit code {code}'}")
        known = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        pid = known.get("MainPID", "0")
        return Condition(
            known.get("ActiveState", ""),
            known.get("Result", ""),
            known.get("StatusText", ""),
            int(pid) if pid.isdigit() else 0,
        )


def unit_of(home: Home, *, of_machine: bool = False) -> Unit:
    """The unit that a home has: the machine's if there is one, or if that is wanted; otherwise one's own."""
    return Unit(home, of_machine or (SYSTEM_UNITS / unit_name(home.root)).exists())


def lingers(user: str) -> bool:
    """Whether an account's processes outlive its sessions."""
    return (LINGER / user).exists()


def _environment() -> dict[str, str]:
    """This process's own, and where systemd of this account is: `sudo -u` and `su` do not say it."""
    found = dict(os.environ)
    runtime = RUNTIME / str(os.geteuid())
    if "XDG_RUNTIME_DIR" not in found and runtime.is_dir():
        found["XDG_RUNTIME_DIR"] = str(runtime)
    return found
