"""Retries: a call that fails a few times and then works, tried again after 2, 4, 8 seconds."""

from datetime import timedelta

from dagdeck import TransientError, dag, task


@task(
    retries=4,
    retry_delay=timedelta(seconds=2),
    retry_exponential_backoff=True,
    max_retry_delay=timedelta(seconds=30),
    execution_timeout="30s",
)
def call_api(logical_date, try_number):
    """Fails as often as the minute says (0 to 3 times), so that the same run always takes the same course."""
    failures = logical_date.minute // 2 % 4
    if try_number <= failures:
        raise TransientError(f"503 Service Unavailable (call {try_number} of {failures} that fail)")
    print(f"call {try_number} got an answer")
    return {"status": 200, "calls_that_failed": failures}


@task
def use_answer(answer):
    """Runs once, however often the call had to be tried."""
    print(f"status {answer['status']}")


@dag(schedule="*/2 * * * *", start_date="2024-01-01", catchup=False, tags=["retries"], owner="samples")
def flaky_api():
    """A task that fails sometimes and gets over it by itself."""
    use_answer(call_api())
