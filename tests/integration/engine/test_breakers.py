"""Circuit breakers with real processes: shared by DAGs, kept over a crash, and around code inside of tasks."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

FILE = """
from dagdeck import Breaker

@task(breaker=Breaker("db-1", failures=2, cooldown="2s"))
def call():
    note("begin")
    if not os.path.exists(os.path.join(os.environ["DAGDECK_HOME"], "repaired")):
        raise ConnectionError("db-1:5432 refused")

@dag()
def first():
    call()

@dag()
def second():
    call()

@task(retries=0)
def inside():
    with Breaker("api", failures=2, cooldown="1500ms"):
        note("begin")
        if not os.path.exists(os.path.join(os.environ["DAGDECK_HOME"], "repaired")):
            raise TimeoutError("api does not answer")

@dag()
def third():
    inside()
"""


def stands(site: Site, name: str) -> str | None:
    """The stored state of a breaker."""
    state: str | None = site.value("SELECT state FROM breaker WHERE name = ?", name)
    return state


async def test_a_breaker_across_two_dags_and_a_crash(make_site: MakeSite, capsys: pytest.CaptureFixture[str]) -> None:
    """Failures of one DAG keep tasks of another from starting; a killed engine knows it still; the cooldown goes on,
    one probe goes out, and its success lets the other through."""
    dagdeck = Cli(capsys)
    site = await make_site({"calls.py": FILE})
    await site.start()
    for _ in range(2):
        assert await site.over(await site.trigger("first")) == "failed"
    assert stands(site, "db-1") == "open"
    waiting = [await site.trigger("second"), await site.trigger("first")]
    await until(lambda: site.tasks(waiting[0]).get("call") == "scheduled", "it waits")
    said = dagdeck("why", waiting[0], "call", "--json", "--home", site.root).json["reasons"]
    assert [reason["code"] for reason in said] == ["breaker:db-1"]
    assert "after 2 failures in a row in first, the last: ConnectionError: db-1:5432 refused" in said[0]["text"]
    assert "one probe goes out at " in said[0]["text"]
    await site.crash()
    (site.root / "repaired").touch()
    await site.start()
    assert stands(site, "db-1") in ("open", "half_open")
    for run_id in waiting:
        assert await site.over(run_id) == "success"
    assert stands(site, "db-1") == "closed"
    moves = [row[0] for row in site.rows("SELECT to_state FROM event WHERE kind = 'breaker' ORDER BY seq")]
    assert moves[:2] == ["closed", "open"] and "half_open" in moves and moves[-1] == "closed"
    assert len(site.bodies()) == 4


async def test_a_breaker_inside_of_a_task(make_site: MakeSite) -> None:
    """What the code of tasks reports opens it; a task that meets it open waits without using a retry, and goes on."""
    site = await make_site({"calls.py": FILE})
    await site.start()
    for _ in range(2):
        assert await site.over(await site.trigger("third")) == "failed"
    await until(lambda: stands(site, "api") == "open", "the breaker is open")
    (site.root / "repaired").touch()
    run_id = await site.trigger("third")
    assert await site.over(run_id) == "success"
    outcomes = [attempt["reason"] for attempt in site.attempts(run_id, "inside")]
    assert outcomes[0] == "breaker_open" and len(outcomes) >= 2
    assert len(site.bodies()) == 3
    await until(lambda: stands(site, "api") == "closed", "its success has closed it")


async def test_a_breaker_is_held_and_reset_by_hand(make_site: MakeSite, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows who holds it, and the audit keeps both commands."""
    dagdeck = Cli(capsys)
    site = await make_site({"calls.py": FILE})
    (site.root / "repaired").touch()
    await site.start()
    await site.command("trip", p.Selector(), {"breaker": "db-1"}, note="maintenance")
    run_id = await site.trigger("first")
    await until(lambda: site.tasks(run_id).get("call") == "scheduled", "it waits")
    (row,) = dagdeck("breakers", "--json", "--home", site.root).json
    assert (row["breaker"], row["state"], row["held"], row["note"]) == ("db-1", "open", True, "maintenance")
    assert "held until `dagdeck breakers reset db-1`" in dagdeck("why", run_id, "call", "--home", site.root).out
    await site.command("reset", p.Selector(), {"breaker": "db-1"})
    assert await site.over(run_id) == "success"
    verbs = {row["verb"] for row in dagdeck("audit", "--json", "--home", site.root).json}
    assert {"trip", "reset"} <= verbs


async def test_a_dag_that_keeps_failing_is_paused_and_goes_on_by_a_probe(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """After two failed runs no third comes, and everybody is told; a probe run after the cooldown lets it go on, also
    when the engine was down meanwhile."""
    dagdeck = Cli(capsys)
    site = await make_site(
        {
            "often.py": """
            @dag(schedule="every 1s", start_date="2026-01-01", catchup=False, max_consecutive_failed_runs=2,
                 resume_after="1h")
            def often():
                shell("needs", "test -e $DAGDECK_HOME/well")
            """
        }
    )
    await site.start()
    state = "SELECT state FROM breaker WHERE name = 'dag:often'"
    await until(lambda: site.value(state) == "open", "its breaker opens")
    assert site.value("SELECT count(*) FROM run WHERE state = 'failed'") == 2
    (site.root / "well").touch()
    said = dagdeck("why", "often", "--home", site.root).out
    assert "it is paused by its breaker" in said and "a probe run goes out at " in said
    await site.stop()
    await site.start(DAGDECK_CLOCK_OFFSET="3700")
    await until(lambda: site.value(state) == "closed", "the probe has succeeded")
    assert site.value("SELECT note FROM run WHERE created_by = 'its breaker'") == "probe"
    await until(lambda: site.value("SELECT paused_at FROM schedule_state WHERE dag_id = 'often'") is None, "it goes on")
    scheduled = "SELECT count(*) FROM run WHERE run_type = 'scheduled' AND state = 'success'"
    await until(lambda: site.value(scheduled), "and runs by its schedule")


async def test_a_file_in_the_place_of_the_breakers_folder_ends_no_engine(make_site: MakeSite) -> None:
    """What tasks say of breakers cannot be taken in then, which the log tells; all other work goes on."""
    site = await make_site({"calls.py": FILE})
    await site.start()
    (site.root / "breakers").write_text("")
    await until(lambda: "part_failed" in site.log(), "the log tells it")
    assert await site.over(await site.trigger("first")) == "failed"
    (site.root / "breakers").unlink()
