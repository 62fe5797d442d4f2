"""`dagdeck` without a verb: the console, on a home whose engine is started if none runs."""

from __future__ import annotations

import sys

from console.cli.errors import CliError, Exit
from console.cli.link import engine_pid
from console.cli.output import complain, warn
from console.cli.session import Session
from console.model.place import Place
from engine.config import load_settings
from engine.home import Home


def open_console(session: Session, *, read_only: bool = False, start: Place | None = None) -> int:
    """Opens the console and returns its exit code. The engine that it starts stays when the console ends.

    When no engine can be started, the console opens all the same: it reads, and says that the engine is down.
    """
    home = session.home
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("the console needs a terminal: for scripts there are verbs, see `dagdeck --help`", Exit.USAGE)
    _ = session.settings
    if engine_pid(home) is None:
        from console.cli.spawning import start_engine

        warn(f"starting an engine for {home.root} …")
        try:
            start_engine(home)
        except CliError as error:
            if not home.database.exists():
                raise
            complain(str(error))
    return show_console(home, read_only=read_only, start=start)


def show_console(home: Home, *, read_only: bool = False, start: Place | None = None) -> int:
    """The console on a home, at a place of it, until its user leaves it."""
    # Imported on first use: no other verb needs a screen.
    from console.presets import KeymapError
    from console.start import run_console
    from console.theming import ThemeError

    try:
        settings = load_settings(home)
        return run_console(home, read_only=read_only, start=start, keys=settings.keys, mouse=settings.mouse) or 0
    except (ThemeError, KeymapError) as error:
        raise CliError(str(error), Exit.USAGE) from error
