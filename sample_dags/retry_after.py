"""RetryAfter: a task that was told when to come back says so, and its own delay does not count."""

from dagdeck import RetryAfter, dag, task


@task(retries=3, retry_delay="10m")
def ask_a_busy_service(try_number):
    """The service answers twice that it is busy, with the seconds after which to ask again."""
    waits = {1: 2, 2: "3s"}
    if try_number in waits:
        raise RetryAfter(waits[try_number], "429 Too Many Requests")
    return {"rows": 42}


@dag(tags=["retries"], owner="samples")
def retry_after():
    """Two seconds after the first try, three after the second."""
    ask_a_busy_service()
