"""Live work on real data: every minute, the next day that nobody has processed yet.

"The next day" depends on what happened before, which is no good name for work: a second try would take another day. So
the first step writes down which day belongs to the run's slot, and every later try finds it there.
"""

import weather_warehouse as weather

from dagdeck import SkipTask, dag, task


@task
def choose_day(logical_date):
    """The day for this slot. When all days are done there is nothing to do, which is no failure."""
    date = weather.claim_next_day(logical_date.isoformat())
    if date is None:
        raise SkipTask("every day of the data is processed")
    return date


@task(retries=2, retry_delay="2s")
def process(date):
    """Reads, checks and stores the day."""
    row = weather.check(weather.read_partition(date))
    weather.store_day(row)
    print(f"stored {date}: {row['weather']}")
    return date


@task(retries=2, retry_delay="2s")
def summarize(date):
    """Brings the day's month up to date."""
    month = weather.store_month(date)
    print(f"{month['month']} has {month['days']} days, {month['wet_days']} of them wet")
    return month


@task(retries=2, retry_delay="2s")
def report(month):
    """Writes the month's report."""
    print(f"wrote {weather.write_report(month['month'])}")


@dag(
    schedule="* * * * *",
    start_date="2024-01-01",
    catchup=False,
    on_missed="latest",  # a missed minute is not worth catching up: the next one takes the next day anyway
    max_active_runs=1,
    tags=["weather", "real data"],
    owner="samples",
)
def weather_replay():
    """Processes one day of 2012 to 2015 per minute, as if it arrived just now."""
    report(summarize(process(choose_day())))
