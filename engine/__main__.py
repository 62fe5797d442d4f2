"""`python -m engine --home DIR [--detach]`: starts the engine of a home. People use `dagdeck engine start`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from engine.config import load_settings
from engine.daemon import detach, supervisor
from engine.home import Home, HomeError, check_owner, find_home
from engine.lock import AlreadyRunning


def main() -> int:
    """Exit codes: 0 it ran and stopped in order, 1 it failed, 5 it refused to start."""
    os.umask(0o077)
    tell = supervisor()
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("--home", required=True)
    parser.add_argument("--detach", action="store_true")
    chosen = parser.parse_args()
    try:
        home = find_home(chosen.home)
        check_owner(home.root)  # before a log is made there
    except HomeError as error:
        print(error, file=sys.stderr)
        tell(str(error))
        return 5
    os.chdir(home.root)
    if chosen.detach:
        return detach(home.log, lambda ready: _serve(home, ready, foreground=False))

    def say(line: str) -> None:
        print(line, flush=True)
        tell(line)

    return _serve(home, say, foreground=True)


def _serve(home: Home, ready: Callable[[str], None], *, foreground: bool) -> int:
    try:
        settings = load_settings(home)
        from engine.app import serve  # after the fork: importing it before would cost the starter a second
        from engine.store.errors import StoreError
    except HomeError as error:
        ready(str(error))
        return 5
    try:
        return serve(home, settings, ready, foreground=foreground)
    except (AlreadyRunning, HomeError, StoreError) as error:
        ready(str(error))
        return 5


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path.cwd() / "dags"]
    sys.exit(main())
