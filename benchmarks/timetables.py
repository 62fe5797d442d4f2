"""Holds the points of all expressions against the table of minutes around every change of clocks from 1990 to 2037.

`python -m benchmarks.timetables [--share 1] [--seed N]`: one JSON line; ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.support.minute_table import CASES, MinuteTable, some_changes


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timetables", description=__doc__)
    parser.add_argument("--share", type=int, default=1, help="one in so many changes")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    faults: list[str] = []
    changes = some_changes(chosen.share, chosen.seed)
    for change in changes:
        table = MinuteTable(change)
        for asked in CASES:
            faults += table.faults(asked)
    took = time.monotonic() - began
    print(json.dumps({"changes": len(changes), "cases": len(CASES), "seconds": round(took, 1), "faults": len(faults)}))
    print("\n".join(faults[:50]), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
