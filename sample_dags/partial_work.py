"""Partial: a task that did a part of its work is tried again with what is left, not with everything."""

from dagdeck import Partial, dag, task

STATIONS = ["seattle", "portland", "boise", "spokane", "eugene"]


@task(retries=3, retry_delay="1s")
def fetch_stations(failed_keys, try_number):
    """Each try gets some of the stations; the next one is given the others alone."""
    todo = failed_keys or STATIONS
    print(f"try {try_number} fetches {', '.join(todo)}")
    answering = {1: 2, 2: 2}.get(try_number, len(todo))
    return Partial(ok=todo[:answering], failed=todo[answering:])


@dag(tags=["retries"], owner="samples")
def partial_work():
    """Five stations in three tries: two, two, one."""
    fetch_stations()
