"""Timeouts: a task that takes too long is stopped, all its processes with it, and tried again."""

import time

from dagdeck import dag, shell, task


@task(execution_timeout="3s", grace="1s", retries=1, retry_delay="2s")
def sometimes_hangs(try_number):
    """Hangs on the first try."""
    if try_number == 1:
        print("waiting for an answer that never comes", flush=True)
        time.sleep(60)
    print("this time it was quick")


@task
def takes_its_time(params):
    """Longer than its run may take."""
    time.sleep(params["seconds"])


@dag(tags=["timeouts"], owner="samples", dagrun_timeout="2s", params={"seconds": 20})
def run_timeout_demo():
    """The run fails after two seconds: what runs is stopped, and what has not begun never will."""
    takes_its_time() >> shell("never", "echo never")


@dag(tags=["retries", "timeouts"], owner="samples", dagrun_timeout="2m")
def timeout_demo():
    """The first attempt is stopped after three seconds."""
    sometimes_hangs()
