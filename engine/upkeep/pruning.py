"""`python -m engine.upkeep.pruning --home DIR [--dry-run]`: prunes attempt directories, apart from the engine.

It looks at every directory of the home, which takes its time on a large one, so it is a process of its own, polite to
all others. It prints one JSON object: what there was, what went, and who has written most.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from engine.clock import clock_from_environment
from engine.config import Home, find_home, load_settings
from engine.model.moments import Micros
from engine.store.reader import Reader
from engine.upkeep.retention import Survey, remove, survey

NICE = 19
_LARGEST = 3


def look(home: Home, now: Micros) -> Survey:
    """What there is, and what of it would go. Raises HomeError, StoreError."""
    with Reader(home.database) as store:
        return survey(home, store, load_settings(home).retention, now)


def summary(found: Survey) -> dict[str, Any]:
    """A survey in figures."""
    table = found.by_dag()
    return {
        "directories": len(found.kept),
        "bytes": found.bytes,
        "prunable": len(found.doomed),
        "prunable_bytes": sum(each.bytes for each in found.doomed),
        "largest": [[dag_id, sum(row[:-1])] for dag_id, row in list(table.items())[:_LARGEST]],
    }


def main() -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m engine.upkeep.pruning", description=__doc__)
    parser.add_argument("--home", required=True)
    parser.add_argument("--dry-run", action="store_true")
    chosen = parser.parse_args()
    os.umask(0o077)
    os.nice(NICE)
    home = find_home(chosen.home)
    found = look(home, clock_from_environment().now())
    told = summary(found)
    told["removed"], told["freed"] = (0, 0) if chosen.dry_run else remove(found.doomed)
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
