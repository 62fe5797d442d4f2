"""Time zones: a day in Berlin is 23, 24 or 25 hours long, and the schedule knows."""

from datetime import UTC

from dagdeck import dag, task


@task
def show(logical_date, data_interval_start, data_interval_end, ds):
    """Datetimes are aware and in the DAG's zone. Their difference is right only in UTC: ask for it there."""
    length = data_interval_end.astimezone(UTC) - data_interval_start.astimezone(UTC)
    hours = length.total_seconds() / 3600
    print(f"the run is about {ds}, which begins {logical_date:%H:%M %Z} or {logical_date.astimezone(UTC):%H:%M} UTC")
    print(f"its interval is {hours:g} hours long")
    return {"day": ds, "hours": hours}


@dag(
    schedule="0 0 * * *",
    timezone="Europe/Berlin",
    start_date="2024-01-01",
    catchup=False,
    tags=["time"],
    owner="samples",
)
def timezone_demo():
    """Try `--logical-date 2025-03-30` and `--logical-date 2025-10-26`."""
    show()
