"""A circuit breaker: when what is called fails again and again, it is left alone for a while.

`dagdeck breakers` shows how it stands. After two failures in a row it opens for twenty seconds; then one task tries,
and only when that succeeds do the others start. `dagdeck breakers hold demo_api` holds it open by hand.
"""

from dagdeck import Breaker, TransientError, dag, task

API = Breaker("demo_api", failures=2, cooldown="20s", max_cooldown="5m")


@task(breaker=API)
def call(part, params):
    """Nothing of it starts while the breaker is open; no retry is used for waiting."""
    if params["down"]:
        raise TransientError("the API does not answer")
    print(f"part {part} is there")


@task
def read_cache():
    """The same breaker around a part of a task: only this part is stopped, and `on_open` says how."""
    with Breaker("demo_cache", failures=2, cooldown="20s", on_open="skip"):
        print("reading the cache")


@dag(params={"down": False}, max_consecutive_failed_runs=5, resume_after="10m", tags=["breakers"], owner="samples")
def circuit_breaker():
    """Trigger it with `--param down=true` to see the breaker open. Five failed runs in a row would pause the DAG."""
    for part in range(3):
        call(part)
    read_cache()
