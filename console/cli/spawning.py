"""Starting an engine: a process of its own that outlives the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import engine.version
from console.cli.errors import CliError, Exit
from engine.home import Home

START_SECONDS = 60.0


def engine_command(home: Home, *, detach: bool) -> list[str]:
    """The command line of an engine for a home."""
    return [sys.executable, "-m", "engine", "--home", str(home.root), *(["--detach"] if detach else [])]


def package_root() -> Path:
    """The folder that holds this installation's packages: what `-m engine` is looked up from."""
    return Path(engine.version.__file__).parents[1]


def start_engine(home: Home, environment: Mapping[str, str] | None = None) -> str:
    """Starts a detached engine; returns its line on readiness. Raises CliError with the reason of a refusal.

    `environment` is added to this process's own.
    """
    try:
        done = subprocess.run(
            engine_command(home, detach=True),
            cwd=package_root(),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CliError(f"the engine was not ready within {START_SECONDS:.0f} s: see {home.log}") from error
    if done.returncode == 0:
        return done.stdout.strip()
    reason = (done.stderr.strip() or done.stdout.strip() or f"the engine ended at once: see {home.log}").splitlines()
    raise CliError(reason[-1], Exit.REFUSED if done.returncode == int(Exit.REFUSED) else Exit.FAILED)


def become_engine(home: Home) -> None:
    """Turns this process into an engine in the foreground, so that a supervisor's signals reach it."""
    os.chdir(package_root())
    command = engine_command(home, detach=False)
    os.execv(command[0], command)
