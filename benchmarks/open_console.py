"""`python -m benchmarks.open_console HOME`: the console on a home as `dagdeck` opens it, without starting an engine."""

from __future__ import annotations

import sys
from pathlib import Path

from console.cli.opening import show_console
from engine.config import Home

if __name__ == "__main__":
    sys.exit(show_console(Home(Path(sys.argv[1]))))
