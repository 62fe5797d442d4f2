"""What a recovery sets going beside the runs: breakers, paused DAGs, and backfills that failures have stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.control import protocol as p
from tests.support.engine import Site, Sites, closing, until

pytestmark = pytest.mark.processes
DAGS = {
    "daily.py": """
        with DAG("daily", schedule="@daily", start_date="2024-01-01", end_date="2024-01-06"):
            shell("load", "test -e $DAGDECK_HOME/up || exit 7")
    """,
    "guarded.py": """
        from dagdeck import Breaker

        @task(breaker=Breaker("db", failures=1, cooldown="1h"))
        def load():
            if not os.path.exists(os.path.join(os.environ["DAGDECK_HOME"], "up")):
                raise ConnectionError("db refused")

        @dag()
        def guarded():
            load()
    """,
    "often.py": """
        with DAG(
            "often", schedule="@daily", start_date="2024-01-01", end_date="2024-01-04", catchup=True,
            max_active_runs=1, max_consecutive_failed_runs=1,
        ):
            shell("load", "test -e $DAGDECK_HOME/up || exit 9")
    """,
}
NOBODY = p.Selector()


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    """A home whose DAGs fail until there is a file `up`."""
    with closing(await sites.make(DAGS)) as made:
        await made.start()
        yield made


async def recover(site: Site, error: str) -> int:
    """Starts a recovery of what failed so; returns its number."""
    (site.root / "up").touch()
    done = await site.command("recover", NOBODY, {"since": "1h", "error": error})
    number: int = done.result["recovery"]
    return number


async def is_done(site: Site, number: int) -> None:
    """Returns once a recovery has ended well."""
    await until(lambda: site.value("SELECT state FROM recovery WHERE id = ?", number) == "done", "the recovery is done")


async def stopped_backfill(site: Site) -> int:
    """A backfill of six dates that two failures have stopped."""
    args = {"start": "2024-01-01..2024-01-06", "max_active": 1, "stop_after": 2}
    done = await site.command("backfill_create", p.Selector(dag_ids=["daily"]), args)
    number: int = done.result["backfill"]
    await until(lambda: backfill(site, number) == "stopped_by_failures", "two failures stop it")
    return number


def backfill(site: Site, number: int) -> str:
    """The state of a backfill."""
    state: str = site.value("SELECT state FROM backfill WHERE id = ?", number)
    return state


async def test_a_recovery_resumes_the_backfill_that_its_cause_had_stopped(site: Site) -> None:
    """Previewed by name; its failed dates run again, then those that were left, and it ends as completed."""
    number = await stopped_backfill(site)
    async with site.client() as client:
        shown = await client.preview("recover", NOBODY, {"since": "1h", "error": "code 7"})
    assert shown.warnings == [
        f"backfill {number} of daily was stopped by failures: it goes on, with 4 dates left, when the first run has "
        "succeeded"
    ]
    await is_done(site, await recover(site, "code 7"))
    await until(lambda: backfill(site, number) == "completed", "the backfill goes on to its end")
    assert site.rows("SELECT DISTINCT state FROM backfill_item") == [("success",)]
    assert site.value("SELECT count(*) FROM run WHERE dag_id = 'daily' AND state = 'success'") == 6
    assert site.value("SELECT max(episode) FROM run WHERE dag_id = 'daily'") == 2


async def test_a_backfill_stays_stopped_while_the_first_run_fails_again(site: Site) -> None:
    """A recovery whose cause is still there lets nothing go on."""
    number = await stopped_backfill(site)
    done = await site.command("recover", NOBODY, {"since": "1h", "error": "code 7"})
    made = done.result["recovery"]
    await until(lambda: site.value("SELECT state FROM recovery WHERE id = ?", made) == "failed", "it fails again")
    assert backfill(site, number) == "stopped_by_failures"
    assert site.value("SELECT count(*) FROM backfill_item WHERE state = 'pending'") == 4


async def test_a_killed_engine_resumes_the_backfill_all_the_same(site: Site) -> None:
    """What a recovery is still to set going is stored with it."""
    number = await stopped_backfill(site)
    made = await recover(site, "code 7")
    await site.crash()
    await site.start()
    await is_done(site, made)
    await until(lambda: backfill(site, number) == "completed", "the backfill goes on to its end")


async def test_a_recovery_probes_an_open_breaker_and_closes_it(site: Site) -> None:
    """It does not wait for the cooldown: the first run is the probe."""
    run = await site.trigger("guarded")
    assert await site.over(run) == "failed"
    assert site.value("SELECT state FROM breaker WHERE name = 'db'") == "open"
    await is_done(site, await recover(site, "db refused"))
    assert site.value("SELECT state FROM breaker WHERE name = 'db'") == "closed"
    assert site.value("SELECT state FROM run WHERE run_id = ?", run) == "success"


async def test_a_recovery_resumes_the_dag_that_its_breaker_had_paused(site: Site) -> None:
    """The first run may start although the DAG is paused; its success resumes the DAG, and what was due comes."""
    await until(
        lambda: site.value("SELECT paused_by FROM schedule_state WHERE dag_id = 'often'") == "its breaker",
        "it is paused",
    )
    await is_done(site, await recover(site, "code 9"))
    assert site.value("SELECT paused_at FROM schedule_state WHERE dag_id = 'often'") is None
    await until(
        lambda: site.value("SELECT count(*) FROM run WHERE dag_id = 'often' AND state = 'success'") == 4, "four"
    )


async def test_a_recovery_leaves_a_breaker_closed_to_all_that_somebody_holds_open(site: Site) -> None:
    """It says so, and its first run waits until the breaker is reset."""
    run = await site.trigger("guarded")
    assert await site.over(run) == "failed"
    await site.command("trip", NOBODY, {"breaker": "db"})
    async with site.client() as client:
        shown = await client.preview("recover", NOBODY, {"since": "1h", "error": "db refused"})
    assert shown.warnings == ["breaker db is held open: what uses it waits until it is reset"]
    made = await recover(site, "db refused")
    await until(lambda: site.tasks(run).get("load") == "scheduled", "its first run waits")
    await site.command("reset", NOBODY, {"breaker": "db"})
    await is_done(site, made)
