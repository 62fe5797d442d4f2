"""Commands about everything that an expression fits, on a real engine and its store."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes


async def test_a_selection_of_thousands_is_one_command(site: Site) -> None:
    """Previewed with exact counts, applied row by row, undone as one; what moved meanwhile is left alone and named."""
    await site.command("hold", p.Selector())
    for _ in range(5):
        await site.command("trigger", p.Selector(dag_ids=["wide"]))
    every = p.Selector(expression="dag:wide task:leaf* state:none")
    async with site.client() as client:
        shown = await client.preview("mark", every, {"state": "success"})
        assert (shown.total, shown.counts) == (2250, {"none": 2250})
        run = site.value("SELECT run_id FROM run ORDER BY id LIMIT 1")
        one = p.Selector(run_ids=[run], task_ids=["leaf007"])
        await client.command("mark", one, {"state": "skipped"})
        done = await client.command("mark", every, {"state": "success"}, seen_seq=shown.seq)
        assert done.changed == 2249
        assert site.value("SELECT count(*) FROM task_instance WHERE state = 'success'") == 2249
        assert site.value("SELECT state FROM task_instance WHERE task_id = 'leaf007' ORDER BY id LIMIT 1") == "skipped"
        await client.command("undo", p.Selector())
    assert site.value("SELECT count(*) FROM task_instance WHERE state = 'success'") == 0


async def test_an_expression_over_rows_moved_since_they_were_seen_names_them(site: Site) -> None:
    """Compare-and-swap, row by row: the others are changed all the same."""
    first = (await site.command("trigger", p.Selector(dag_ids=["held"]))).result["run_id"]
    await site.command("trigger", p.Selector(dag_ids=["held"]))
    every = p.Selector(expression="dag:held state:running")
    async with site.client() as client:
        shown = await client.preview("pause", every, {})
        assert shown.total == 2
        await client.command("pause", p.Selector(run_ids=[first]))
        await client.command("resume", p.Selector(run_ids=[first]))
        done = await client.command("pause", every, {}, seen_seq=shown.seq)
    assert done.changed == 1
    await site.command("cancel", p.Selector(expression="dag:held"))
    assert len(done.skipped) == 1 and first in done.skipped[0] and "resume by" in done.skipped[0]


async def test_expressions_that_mean_nothing_are_refused(site: Site) -> None:
    """With the reason, and nothing is changed."""
    for verb, text, code in (
        ("clear", "state:red", "invalid"),
        ("clear", "state:failed", "state"),
        ("hold", "state:failed", "invalid"),
    ):
        with pytest.raises(CommandRefused) as refused:
            await site.command(verb, p.Selector(expression=text))
        assert refused.value.code == code
    with pytest.raises(CommandRefused, match=r"dag:nosuch fits no DAG$"):
        await site.command("pause", p.Selector(expression="dag:nosuch", kind="dags"))


async def test_dags_are_paused_by_expression(site: Site) -> None:
    """The same grammar; the selector says that DAGs are meant."""
    await site.command("pause", p.Selector(expression="dag:t*", kind="dags"))
    paused = "SELECT count(*) FROM schedule_state WHERE paused_at IS NOT NULL"
    await until(lambda: site.value(paused) == 2, "tokyo and texts are paused")


async def test_an_undo_reaches_over_a_killed_engine(site: Site) -> None:
    """What undoing needs is stored with the command; its number in the audit names it."""
    await site.command("hold", p.Selector())
    run = (await site.command("trigger", p.Selector(dag_ids=["quick"]))).result["run_id"]
    await site.command("mark", p.Selector(run_ids=[run], task_ids=["one"]), {"state": "failed"})
    number = site.value("SELECT max(number) FROM command")
    await site.crash()
    await site.start()
    done = await site.command("undo", p.Selector(), {"command": number})
    assert done.message.startswith("took back mark")
    states = site.rows("SELECT task_id, state FROM task_instance ORDER BY task_id")
    assert states == [("one", "none"), ("two", "none")]
