"""`python -m benchmarks.run [NAME ...]`: measures, and prints one JSON document with every figure beside its limit.

Names are those of MEASUREMENTS; without any, all are taken, which lasts a few minutes and wants an otherwise idle
machine. Exit code 1 if a limit is not kept.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    backfill_figures,
    console_figures,
    engine_figures,
    log_figures,
    scale_figures,
    store_figures,
    view_figures,
)
from benchmarks.figures import Figure

MEASUREMENTS: dict[str, Callable[[], list[Figure]]] = {
    "tasks": engine_figures.chain_and_fans,
    "idle": engine_figures.start_and_idle,
    "making": engine_figures.making,
    "ten-thousand": engine_figures.ten_thousand,
    "mapped-ten-thousand": engine_figures.mapped_ten_thousand,
    "adoption": engine_figures.adoption,
    "backfills": backfill_figures.backfills,
    "store-writer": store_figures.writer_cost,
    "store-reads": store_figures.reading,
    "big-store": console_figures.on_a_big_store,
    "scale": scale_figures.in_large_homes,
    "wire": console_figures.on_the_wire,
    "views": view_figures.on_each_view,
    "bad-link": view_figures.over_a_bad_link,
    "big-log": log_figures.big_log,
}


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": round(os.getloadavg()[0], 2),
    }


def main() -> int:
    """Takes the measurements that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(MEASUREMENTS)}")
    chosen = parser.parse_args().names or list(MEASUREMENTS)
    unknown = set(chosen) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}")
    # An installed program has its bytecode beside it; where this is set, every start would compile it anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for package in ("engine", "console", "benchmarks"):
        compileall.compile_dir(package, quiet=1)
    report: dict[str, object] = {"machine": machine()}
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for name in chosen:
        began = time.monotonic()
        try:
            figures += MEASUREMENTS[name]()
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {error}"
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    report["figures"] = [figure.as_json() for figure in figures]
    report["not_measured"] = failures
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 1 if failures or any(figure.kept is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
