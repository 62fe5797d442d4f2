"""Schedules: every way to say when a DAG runs. `dagdeck schedule` says what each of them means.

Holidays are a list in Python, or a file of dates beside the DAG file: `exclude="holidays.txt"`. A change of it makes a
new version of each DAG that reads it.
"""

from datetime import datetime, timedelta

from dagdeck import DAG, shell

HOLIDAYS = ["01-01", "12-25", "12-26", "2026-04-03..2026-04-06"]
REPORT = 'echo "$DAGDECK_DATA_INTERVAL_START_LOCAL to $DAGDECK_DATA_INTERVAL_END_LOCAL"'
COMMON = {"tags": ["time"], "owner": "samples"}

with DAG(
    "trading_days",
    schedule=["0 18 * * mon-fri", "0 12 * * sat"],
    timezone="Europe/Berlin",
    start_date="2026-01-01",
    exclude=HOLIDAYS,
    doc="After a holiday the interval is longer: it reaches back to the last day that was none.",
    **COMMON,
):
    shell("report", REPORT)

with DAG(
    "every_quarter_hour",
    schedule=timedelta(minutes=15),
    start_date="2026-01-01T00:05",
    doc="Elapsed time, counted from the start date: no change of clocks touches it.",
    **COMMON,
):
    shell("report", REPORT)

with DAG(
    "month_end",
    schedule="every month",
    start_date="2026-01-31",
    doc="The calendar, counted from the start date: 28 February, and then again 31 March.",
    **COMMON,
):
    shell("report", REPORT)

with DAG(
    "friday_13th",
    schedule="0 0 13 * fri",
    day_and=True,
    kind="trigger",
    doc="Both day fields have to fit; cron by itself takes either. A trigger run covers no interval.",
    **COMMON,
):
    shell("report", REPORT)

with DAG("once_in_2027", schedule=datetime(2027, 1, 1, 6), doc="A single time, or a list of them.", **COMMON):
    shell("report", REPORT)
