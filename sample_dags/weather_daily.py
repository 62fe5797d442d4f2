"""A daily pipeline on real data: read one day, check it, store it, aggregate its month, write a report.

Everything is named after the logical date, never after the time it runs at, and every step writes over what it wrote
before. So any day can be run again, in any order, with the same result.
"""

from datetime import timedelta

import weather_warehouse as weather

from dagdeck import dag, task


@task
def extract(ds):
    """Reads the partition of the run's day. `ds` is the day the run is about, as text."""
    row = weather.read_partition(ds)
    print(f"{ds}: {row['weather']}, {row['temp_min']} to {row['temp_max']} °C, {row['precipitation']} mm")
    return row


@task
def validate(row):
    """Refuses a day that cannot be true."""
    return weather.check(row)


# Another run may be writing to the warehouse: that passes, so it is worth trying again.
@task(retries=3, retry_delay=timedelta(seconds=2), retry_exponential_backoff=True)
def load(row):
    """Stores the day, over an earlier version of it."""
    weather.store_day(row)
    return row["date"]


@task(retries=3, retry_delay=timedelta(seconds=2), retry_exponential_backoff=True)
def aggregate(date):
    """Computes the month from all its days that are there so far."""
    month = weather.store_month(date)
    print(f"{month['month']}: {month['days']} days, {month['precipitation']} mm")
    return month


@task(retries=3, retry_delay=timedelta(seconds=2), retry_exponential_backoff=True)
def report(month):
    """Writes the month's report."""
    print(f"wrote {weather.write_report(month['month'])}")


@dag(
    schedule="@daily",
    timezone="America/Los_Angeles",
    start_date="2012-01-01",
    end_date="2015-12-31",  # where the data ends: these days are reached by trigger or backfill
    catchup=False,
    max_active_runs=4,
    tags=["weather", "real data"],
    owner="samples",
    runbook="https://www.weather.gov/disclaimer",
)
def weather_daily():
    """One day of Seattle's weather, from the CSV file to the monthly report.

    Try: `dagdeck trigger weather_daily --logical-date 2012-01-14`
    """
    report(aggregate(load(validate(extract()))))
