"""`python -m benchmarks.open_console HOME [ADDRESS]`: the console as `dagdeck` opens it, without starting an engine."""

from __future__ import annotations

import sys
from pathlib import Path

from console.cli.opening import show_console
from engine.home import Home


def main() -> int:
    """Reads the arguments and opens it."""
    if len(sys.argv) < 3:
        return show_console(Home(Path(sys.argv[1])))
    from console.model.place import parse_address

    return show_console(Home(Path(sys.argv[1])), start=parse_address(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
