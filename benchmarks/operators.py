"""Many operators at once for as long as is wanted: histories of commands with other seeds than the tests have."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from tests.support.operators import Operators

_COMMANDS = 2_000


async def history(seed: int) -> Operators:
    """One history; raises AssertionError at the first anomaly."""
    with tempfile.TemporaryDirectory() as folder:
        world = Operators(Path(folder), seed)
        await world.prepare()
        while world.done.total() + world.refused.total() < _COMMANDS:
            await world.step()
        return world


def main() -> None:
    """Runs histories until the time is over, and prints what was asked as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    wanted = parser.parse_args()
    seed, done, refused, begun = 1_000, 0, 0, time.monotonic()
    while time.monotonic() - begun < wanted.seconds:
        world = asyncio.run(history(seed))
        seed, done, refused = seed + 1, done + world.done.total(), refused + world.refused.total()
    print(json.dumps({"histories": seed - 1_000, "done": done, "refused": refused, "anomalies": 0}))


if __name__ == "__main__":
    main()
