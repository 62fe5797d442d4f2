"""Depending on the past: each run adds to what the run before has left, so they must not overtake each other."""

from datetime import timedelta

from dagdeck import dag, task


@task(depends_on_past=True, retries=1, retry_delay=timedelta(seconds=5))
def add_to_balance(ds, logical_date):
    """If it fails in one run, it waits in the next one until that is mended, or marked as skipped."""
    print(f"{ds}: adding minute {logical_date.minute} to the balance of the run before")


@task
def print_report(ds):
    """Waits for nothing but the task above it."""
    print(f"{ds}: done")


@dag(schedule="*/10 * * * *", start_date="2024-01-01", tags=["dependencies", "schedules"], owner="samples")
def depends_on_past():
    """Mark `add_to_balance` as failed, and the next run says for what it waits."""
    add_to_balance() >> print_report()
