"""Backfills a year of the real weather data, oldest and newest first, with kills of the engine in the middle.

`python -m benchmarks.backfills [--days 2012-01-01..2012-12-31] [--kills 5]`: one JSON line for each order; ends with 1
if a date failed, a task was started twice, or the warehouse differs from that of an undisturbed backfill.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

from tests.support.engine import Site, Sites
from tests.support.weather import backfill, faults, start_weather, warehouse


async def disturbed(site: Site, days: str, order: str, kills: int) -> tuple[list[str], object]:
    """One backfill in a home of its own: what went wrong, and the warehouse at its end."""
    began = time.monotonic()
    await start_weather(site)
    found = faults(site, await backfill(site, days, order, kills))
    await site.stop()
    line = {"days": days, "order": order, "kills": kills, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps({**line, "faults": len(found)}), flush=True)
    return found, warehouse(site)


async def year(days: str, kills: int) -> int:
    """An undisturbed backfill, then one for each order with kills; the exit code."""
    sites, problems = Sites(), []
    try:
        expected = None
        for order, disturbances in (("oldest", 0), ("oldest", kills), ("newest", kills)):
            site = sites.bare()
            try:
                found, made = await disturbed(site, days, order, disturbances)
            finally:
                site.clear()
            expected = made if expected is None else expected
            problems += found + ([f"the warehouse of {order} first differs"] if made != expected else [])
    finally:
        sites.close()
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfills", description=__doc__)
    parser.add_argument("--days", default="2012-01-01..2012-12-31")
    parser.add_argument("--kills", type=int, default=5)
    chosen = parser.parse_args()
    return asyncio.run(year(chosen.days, chosen.kills))


if __name__ == "__main__":
    sys.exit(main())
