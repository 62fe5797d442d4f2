"""Nobody waits for ever, with real processes: the ways in which other schedulers starve tasks, one by one."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

DAGS = {
    "starving.py": """
        GATE = "until test -e $DAGDECK_HOME/open; do sleep 0.02; done"

        @dag(max_active_runs=50)
        def small():
            shell("s", "sleep 0.05", pool="narrow", priority_weight=50)

        @dag()
        def large():
            shell("big", "true", pool="narrow", pool_slots=3)

        @dag()
        def gate():
            for number in range(3):
                shell(f"g{number}", GATE, pool="narrow", priority_weight=99)

        @dag()
        def heavy():
            for number in range(60):
                shell(f"h{number}", "true", pool="narrow", priority_weight=99)

        @dag()
        def wide():
            for number in range(24):
                shell(f"w{number}", "true", pool="narrow", priority_weight=5)

        @dag()
        def lone():
            shell("only", "true", pool="narrow", priority_weight=5)

        @dag()
        def free():
            shell("only", "true")

        @dag(max_active_tasks=1)
        def limited():
            shell("first", GATE, priority_weight=99)
            for number in range(30):
                shell(f"l{number}", "true", priority_weight=98)

        @dag()
        def humble():
            shell("low", "true", pool="narrow", priority_weight=-1000)

        @dag(schedule="0 0 * * *", start_date="2026-01-01", catchup=False)
        def daily():
            shell("d", "true", pool="narrow")
    """
}
CONFIG = "slots = 4\n[pools]\nnarrow = 3"


@pytest.fixture
async def site(make_site: MakeSite) -> Site:
    """An engine with four slots, three of them of a pool."""
    made = await make_site(DAGS, CONFIG)
    await made.start()
    return made


def granted(site: Site) -> list[str]:
    """`dag.task` in the order in which slots were granted."""
    rows = site.rows(
        "SELECT t.dag_id || '.' || t.task_id FROM event AS e JOIN task_instance AS t ON t.id = e.task_instance "
        "WHERE e.kind = 'task' AND e.to_state = 'queued' ORDER BY e.seq"
    )
    return [row[0] for row in rows]


async def shut(site: Site) -> str:
    """All three slots of the pool are held until `release`."""
    run_id = await site.trigger("gate")
    await until(lambda: list(site.tasks(run_id).values()) == ["running"] * 3, "the pool is full")
    return run_id


def release(site: Site) -> None:
    """What holds slots at a gate ends."""
    (site.root / "open").touch()


async def test_a_big_task_among_small_ones(site: Site) -> None:
    """A task that needs the whole pool gets it although small ones of higher priority wait and more of them come: free
    slots are kept together for it."""
    await shut(site)
    for _ in range(12):
        await site.trigger("small")
    big = await site.trigger("large")
    await until(lambda: site.tasks(big)["big"] == "scheduled", "the big one waits")
    release(site)
    for _ in range(12):
        await site.trigger("small")
    assert await site.over(big) == "success"
    await until(lambda: granted(site).count("small.s") == 24, "the small ones have had their turns")


async def test_one_full_pool_with_many_at_its_head(site: Site) -> None:
    """Sixty better tasks that wait for a full pool hide no task of another pool."""
    await shut(site)
    heavy = await site.trigger("heavy")
    await until(lambda: list(site.tasks(heavy).values()).count("scheduled") == 60, "sixty wait")
    assert await site.over(await site.trigger("free")) == "success"
    assert "heavy.h0" not in granted(site)
    release(site)


async def test_one_dags_queue_hides_no_other_dag(site: Site) -> None:
    """At equal priority DAGs take turns: the only task of the second DAG is among the first that get slots."""
    await shut(site)
    wide = await site.trigger("wide")
    lone = await site.trigger("lone")
    await until(lambda: list(site.tasks(wide).values()).count("scheduled") == 24, "the wide one waits")
    await until(lambda: site.tasks(lone)["only"] == "scheduled", "the lone one waits")
    release(site)
    assert await site.over(lone) == "success"
    assert granted(site).index("lone.only") <= 3 + 2


async def test_a_limited_dag_at_the_head_hides_no_other_dag(site: Site) -> None:
    """Thirty tasks of the highest priority that their own DAG's limit holds back lie aside, and others go on."""
    limited = await site.trigger("limited")
    await site.state(limited, "first", "running")
    assert await site.over(await site.trigger("humble")) == "success"
    assert granted(site) == ["limited.first", "humble.low"]
    release(site)


async def test_a_backfill_and_a_low_priority_under_a_stream_of_better_runs(site: Site) -> None:
    """Of eight grants one goes to a backfill that waits, and one to whoever has waited longest."""
    await shut(site)
    humble = await site.trigger("humble")
    await until(lambda: site.tasks(humble)["low"] == "scheduled", "the humble one waits")
    dates = {"start": "2026-02-01", "end": "2026-02-02", "max_active": 2}
    await site.command("backfill_create", p.Selector(dag_ids=["daily"]), dates)
    waits = "SELECT count(*) FROM task_instance WHERE dag_id = 'daily' AND state = 'scheduled'"
    await until(lambda: site.value(waits) == 2, "the backfill waits")
    for _ in range(30):
        await site.trigger("small")
    await until(lambda: site.value("SELECT count(*) FROM run WHERE dag_id = 'small' AND state = 'running'") == 30, "30")
    release(site)
    await until(lambda: {"daily.d", "humble.low"} <= set(granted(site)), "both have had their turn")
    await until(lambda: granted(site).count("small.s") == 30, "all have")
    order = granted(site)
    assert order.index("humble.low") <= 3 + 8 and order.index("daily.d") <= 3 + 8
