"""Backfills over the real weather data, killed in the middle, and what the warehouse has to hold at their end."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.control import protocol as p
from tests.support.engine import Site, until
from tests.support.source import PROJECT

SAMPLES = PROJECT / "sample_dags"
FILES = ("weather_daily.py", "weather_warehouse.py")
DAG = "weather_daily"


async def start_weather(site: Site) -> None:
    """Puts the pipeline and its data into a home, and starts its engine."""
    for name in FILES:
        shutil.copy(SAMPLES / name, site.home.dags / name)
    shutil.copytree(SAMPLES / "data", site.home.dags / "data")
    await site.start()
    await until(lambda: site.knows(DAG), "the pipeline is loaded")


async def backfill(site: Site, days: str, order: str, kills: int) -> int:
    """Creates a backfill and waits for its end; in between the engine is killed so many times. Gives its number."""
    args: dict[str, Any] = {"start": days, "order": order, "max_active": 8}
    done = await site.command("backfill_create", p.Selector(dag_ids=[DAG]), args)
    number = int(done.result["backfill"])
    total = int(site.value("SELECT total FROM backfill WHERE id = ?", number))
    for kill in range(1, kills + 1):
        await until(lambda share=kill / (kills + 1): over(site, number) >= total * share, f"part {kill} is done", 240)
        await site.crash()
        await site.start()
    await until(lambda: state(site, number) == "completed", f"the backfill of {days} is complete", 600)
    return number


def over(site: Site, number: int) -> int:
    """How many dates of a backfill have ended."""
    sql = "SELECT count(*) FROM backfill_item WHERE backfill = ? AND state NOT IN ('pending', 'running')"
    return int(site.value(sql, number))


def state(site: Site, number: int) -> str:
    """The state of a backfill."""
    return str(site.value("SELECT state FROM backfill WHERE id = ?", number))


def faults(site: Site, number: int) -> list[str]:
    """Dates that did not succeed, and task instances that were started more often than something was lost."""
    left = site.rows("SELECT logical_date, state FROM backfill_item WHERE backfill = ? AND state <> 'success'", number)
    found = [f"{date} is {how}" for date, how in left]
    twice = site.rows(
        "SELECT r.run_id, t.task_id, t.attempt FROM run r JOIN task_instance t ON t.run = r.id "
        "WHERE r.backfill = ? AND t.attempt <> 1 AND NOT EXISTS "
        "(SELECT 1 FROM attempt a WHERE a.task_instance = t.id AND a.outcome <> 'success')",
        number,
    )
    return found + [f"{run_id} {task_id} was started {count} times" for run_id, task_id, count in twice]


def warehouse(site: Site) -> dict[str, Any]:
    """What the pipeline has left behind in a home."""
    return contents(site.root / "warehouse")


def contents(folder: Path) -> dict[str, Any]:
    """The tables of a warehouse, and its reports by name."""
    with closing(sqlite3.connect(folder / "weather.db")) as db:
        tables = {
            name: db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()  # the names stand in the next line
            for name in ("day", "month")
        }
    reports: dict[str, Any] = {path.name: path.read_text() for path in sorted(Path(folder / "reports").iterdir())}
    return tables | reports


UNDISTURBED = """
import datetime, weather_warehouse as weather
day, last = map(datetime.date.fromisoformat, ("{first}", "{last}"))
while day <= last:
    weather.store_day(weather.check(weather.read_partition(day.isoformat())))
    day += datetime.timedelta(days=1)
    if day.day == 1 or day > last:
        weather.write_report(weather.store_month((day - datetime.timedelta(days=1)).isoformat())["month"])
"""


def undisturbed(folder: Path, first: str, last: str) -> dict[str, Any]:
    """What the pipeline's functions leave behind in a warehouse of their own, called one day after the other."""
    subprocess.run(
        [sys.executable, "-c", UNDISTURBED.format(first=first, last=last)],
        cwd=SAMPLES,
        env={"WEATHER_WAREHOUSE": str(folder), "PYTHONPATH": f"{PROJECT}{os.pathsep}{SAMPLES}", "PATH": os.defpath},
        check=True,
        timeout=300,
    )
    return contents(folder)
