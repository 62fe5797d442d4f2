"""`dagdeck demo`: a throw-away home with the sample DAGs, a real past, a live engine and the console."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from console.cli.errors import CliError, Exit
from console.cli.output import say, warn
from engine.model.typed import dagdeck, quoted


@click.command()
@click.option("--keep", is_flag=True, help="Keep the home, and its engine running, when the console ends.")
def demo(keep: bool) -> int:
    """Look around: sample DAGs on real weather data, with a past and live runs, in a throw-away home.

    The past is real: an engine whose clock is set back runs the sample DAGs first. When you leave the console, the
    engine is stopped and the home is removed.
    """
    # Imported on first use: no other verb needs them.
    from console.cli.demo_home import furnish, keep_watch, nothing, tear_down
    from console.cli.opening import show_console

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not terminal and not keep:
        raise CliError("the demo needs a terminal for its console; --keep makes its home without one", Exit.USAGE)
    root = Path(tempfile.mkdtemp(prefix="dagdeck-demo-"))
    call_off = nothing if keep else keep_watch(root)
    try:
        home = furnish(root, warn)
        code = show_console(home) if terminal else int(Exit.DONE)
    except BaseException:
        tear_down(root)
        call_off()
        raise
    if keep:
        say(f"The home stays in {root}, and its engine runs on:")
        say(f"  {dagdeck(root)}")
        say(f"  {dagdeck(root, 'engine', 'stop', '--kill', '--yes')}; rm -r {quoted(root)}")
    else:
        tear_down(root)
        call_off()
    return code
