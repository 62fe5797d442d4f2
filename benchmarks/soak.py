"""Kills engines, runners, hosts, shims and tasks at random for as long as it is told, and has every round judged.

`python -m benchmarks.soak --seconds 300 [--seed N] [--kills 50]`: rounds of so many kills, each on a home of its own
with its own seed, until the time is up. One JSON line per round. Ends with 1 at the first round with a finding, prints
it with its seed, and keeps the home for a look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.engine import Sites
from tests.support.engine_soak import CONFIG, Result, soak
from tests.support.workload import MIX


async def rounds(seconds: float, seed: int, kills: int) -> int:
    """Runs rounds until the time is up; the exit code."""
    sites, ends, total = Sites(), time.monotonic() + seconds, Counter[str]()
    try:
        while time.monotonic() < ends:
            began = time.monotonic()
            site = await sites.make(MIX, CONFIG)
            try:
                await site.start()
                result = await soak(site, seed, kills)
            except BaseException:
                print(f"seed {seed} ended early; its home: {_keep(site.root)}\n{site.log()}", file=sys.stderr)
                raise
            finally:
                site.clear()
            print(json.dumps(_line(result, time.monotonic() - began)), flush=True)
            if result.problems:
                print("\n".join(result.problems), f"its home: {_keep(site.root)}", sep="\n", file=sys.stderr)
                return 1
            shutil.rmtree(site.root)
            total.update(result.kills)
            seed += 1
    finally:
        sites.close()
    print(json.dumps({"kills": total.total(), "by_kind": dict(total), "problems": 0}))
    return 0


def _line(result: Result, seconds: float) -> dict[str, object]:
    return {
        "seed": result.seed,
        "seconds": round(seconds, 1),
        "kills": result.kills,
        "runs": result.runs,
        "commands": result.commands,
        "attempts": result.attempts,
        "problems": len(result.problems),
    }


def _keep(root: Path) -> Path:
    """A copy of a home that is not removed at the end."""
    kept = Path(tempfile.mkdtemp(prefix="dagdeck-soak-")) / "home"
    shutil.copytree(root, kept, ignore=shutil.ignore_patterns("*.sock"))
    return kept


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1_000_000))
    parser.add_argument("--kills", type=int, default=50, help="in each round")
    chosen = parser.parse_args()
    return asyncio.run(rounds(chosen.seconds, chosen.seed, chosen.kills))


if __name__ == "__main__":
    sys.exit(main())
