"""The weather warehouse: what `weather_daily` and `weather_replay` share. It defines no DAG.

A module beside the DAG files is part of every DAG that imports it: change it, and those DAGs get a new version.
"""

import csv
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path

from dagdeck import PermanentError

# A task's working folder is that of its DAG file, so data beside the file is named from there.
OBSERVATIONS = Path("data/seattle-weather.csv")
KINDS = {"drizzle", "fog", "rain", "snow", "sun"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS day (
    date TEXT PRIMARY KEY, precipitation REAL, temp_max REAL, temp_min REAL, wind REAL, weather TEXT
);
CREATE TABLE IF NOT EXISTS month (
    month TEXT PRIMARY KEY, days INTEGER, wet_days INTEGER, precipitation REAL, temp_mean REAL, wind_max REAL
);
CREATE TABLE IF NOT EXISTS replay (slot TEXT PRIMARY KEY, date TEXT UNIQUE);
"""


def folder() -> Path:
    """Where the warehouse lives: $WEATHER_WAREHOUSE, else below this home."""
    given = os.environ.get("WEATHER_WAREHOUSE")
    return Path(given) if given else Path(os.environ["DAGDECK_HOME"]) / "warehouse"


@contextmanager
def warehouse():
    """A connection: what happens in the block is one transaction, kept if the block ends well."""
    folder().mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder() / "weather.db", timeout=30)
    try:
        connection.executescript(SCHEMA)
        with connection:
            yield connection
    finally:
        connection.close()


def read_partition(date: str) -> dict:
    """The observation of one day (`2012-01-31`)."""
    with OBSERVATIONS.open(newline="") as source:
        for row in csv.DictReader(source):
            if row["date"].replace("/", "-") == date:
                numbers = {name: float(row[name]) for name in ("precipitation", "temp_max", "temp_min", "wind")}
                return {"date": date, **numbers, "weather": row["weather"]}
    raise PermanentError(f"there is no observation of {date}: the data is of 2012 to 2015")


def check(row: dict) -> dict:
    """The same row, if it can be true. Trying again would not change it, so a wrong one fails for good."""
    problems = []
    if row["temp_min"] > row["temp_max"]:
        problems.append(f"lowest temperature {row['temp_min']} is above the highest, {row['temp_max']}")
    if row["precipitation"] < 0 or row["wind"] < 0:
        problems.append("precipitation and wind cannot be negative")
    if row["weather"] not in KINDS:
        problems.append(f"weather {row['weather']!r} is none of {sorted(KINDS)}")
    if problems:
        raise PermanentError(f"{row['date']}: {'; '.join(problems)}")
    return row


def store_day(row: dict) -> None:
    """Writes the day over whatever stood there before: twice is the same as once."""
    with warehouse() as db:
        db.execute(
            "INSERT INTO day VALUES (:date, :precipitation, :temp_max, :temp_min, :wind, :weather) "
            "ON CONFLICT (date) DO UPDATE SET precipitation = excluded.precipitation, temp_max = excluded.temp_max, "
            "temp_min = excluded.temp_min, wind = excluded.wind, weather = excluded.weather",
            row,
        )


def store_month(date: str) -> dict:
    """Computes the month of a day anew from its days, so that it does not matter how often or in which order."""
    month = date[:7]
    with warehouse() as db:
        db.execute("DELETE FROM month WHERE month = ?", (month,))
        db.execute(
            "INSERT INTO month SELECT substr(date, 1, 7), count(*), sum(precipitation > 0), "
            "round(sum(precipitation), 1), round(avg((temp_max + temp_min) / 2), 1), max(wind) "
            "FROM day WHERE substr(date, 1, 7) = ? GROUP BY 1",
            (month,),
        )
        return read_month(db, month)


def read_month(db: sqlite3.Connection, month: str) -> dict:
    """The month as it stands."""
    names = ("month", "days", "wet_days", "precipitation", "temp_mean", "wind_max")
    return dict(zip(names, db.execute("SELECT * FROM month WHERE month = ?", (month,)).fetchone(), strict=True))


def write_report(date: str) -> str:
    """Writes the report of a month, or of the month of a day, as it stands. Its readers see the old one or the new one,
    never half of it. Nobody else writes meanwhile: of two runs of one month none writes older figures over newer ones.
    """
    with warehouse() as db:
        db.execute("BEGIN IMMEDIATE")
        return _write(read_month(db, date[:7]))


def _write(month: dict) -> str:
    report = folder() / "reports" / f"{month['month']}.md"
    report.parent.mkdir(parents=True, exist_ok=True)
    draft = report.with_suffix(f".{os.getpid()}.new")
    draft.write_text(
        f"# Seattle, {month['month']}\n\n"
        f"| observed days | wet days | precipitation | mean temperature | strongest wind |\n"
        f"|---:|---:|---:|---:|---:|\n"
        f"| {month['days']} | {month['wet_days']} | {month['precipitation']} mm | {month['temp_mean']} °C "
        f"| {month['wind_max']} m/s |\n"
    )
    draft.replace(report)
    return str(report)


def claim_next_day(slot: str) -> str | None:
    """The first day that no other slot has taken, kept for this one: the same slot gets the same day again."""
    with warehouse() as db:
        db.execute("BEGIN IMMEDIATE")  # two runs that look at the same time must not find the same day
        kept = db.execute("SELECT date FROM replay WHERE slot = ?", (slot,)).fetchone()
        if kept is not None:
            return kept[0]
        taken = {date for (date,) in db.execute("SELECT date FROM replay")}
        with OBSERVATIONS.open(newline="") as source:
            days = (row["date"].replace("/", "-") for row in csv.DictReader(source))
            free = next((day for day in days if day not in taken), None)
        if free is not None:
            db.execute("INSERT INTO replay VALUES (?, ?)", (slot, free))
        return free
