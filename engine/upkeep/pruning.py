"""`python -m engine.upkeep.pruning --home DIR [--dry-run]`: prunes files, apart from the engine.

It looks at every directory of the home, which takes its time on a large one, so it is a process of its own, polite to
all others. It prints one JSON object: what there was, what went, and who has written most.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from engine.clock import clock_from_environment
from engine.config import load_settings
from engine.home import Home, find_home
from engine.model.moments import Micros
from engine.store.reader import Reader
from engine.upkeep.bundles import Unused, remove_unused, unused
from engine.upkeep.history import prunable_events, prunable_runs
from engine.upkeep.retention import Survey, remove, survey

NICE = 19
_LARGEST = 3


@dataclass(frozen=True, slots=True)
class Findings:
    """What there is, and what of it would go."""

    survey: Survey
    bundles: list[Unused]
    runs: int
    events: int
    """Rows of history that would go."""


def look(home: Home, now: Micros) -> Findings:
    """Looks at attempt directories, bundles and rows. Raises HomeError, StoreError."""
    retention = load_settings(home).retention
    with Reader(home.database) as store:
        return Findings(
            survey(home, store, retention, now),
            unused(home, store),
            prunable_runs(store, retention, now),
            prunable_events(store, retention, now),
        )


def carry_out(found: Findings) -> dict[str, int]:
    """Removes what goes; how many of each, and bytes freed in all."""
    directories, freed = remove(found.survey.doomed)
    bundles, more = remove_unused(found.bundles)
    return {"removed": directories, "removed_bundles": bundles, "freed": freed + more}


def summary(findings: Findings) -> dict[str, Any]:
    """What was found in figures."""
    found = findings.survey
    table = found.by_dag()
    bundle_bytes = sum(each.bytes for each in findings.bundles)
    return {
        "directories": len(found.kept),
        "bytes": found.bytes,
        "prunable": len(found.doomed),
        "prunable_bytes": sum(each.bytes for each in found.doomed) + bundle_bytes,
        "prunable_bundles": len(findings.bundles),
        "prunable_bundle_bytes": bundle_bytes,
        "prunable_runs": findings.runs,
        "prunable_events": findings.events,
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
    told.update({"removed": 0, "removed_bundles": 0, "freed": 0} if chosen.dry_run else carry_out(found))
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
