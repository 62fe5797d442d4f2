"""Which homes of this user have a running engine, as the process list tells it."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from engine.home import CONFIG, Home


def home_of_command(arguments: list[str]) -> Path | None:
    """The home of an engine's command line (`python -m engine --home DIR …`), or None when it is not an engine."""
    for index, argument in enumerate(arguments[:-1]):
        if argument == "-m" and arguments[index + 1] == "engine":
            rest = arguments[index + 2 :]
            for name, value in pairwise(rest):
                if name == "--home":
                    return Path(value)
    return None


def running_homes() -> list[Home]:
    """This user's homes with an engine. Empty where the system has no /proc to ask."""
    found: dict[Path, Home] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.stat().st_uid != os.getuid():
                continue
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # the process has ended since the listing
        root = home_of_command(arguments)
        if root is not None and (root / CONFIG).is_file():
            found[root] = Home(root)
    return [found[root] for root in sorted(found)]
