"""What operators do to runs that are under way: kill, clear, mark, cancel, retry now, rerun, pause."""

from __future__ import annotations

import json

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes


def alive(site: Site, run_id: str, task_id: str) -> list[int]:
    """The live processes that carry the id of a task's newest attempt."""
    attempt = site.attempts(run_id, task_id)[-1]["id"]
    return [pid for pid, text in site.processes().items() if attempt in text]


async def bodies_run(site: Site, count: int) -> None:
    """Waits until so many bodies have begun."""
    await until(lambda: len(site.bodies()) >= count, f"{count} bodies have begun")


async def test_a_forced_kill_ends_what_ignores_sigterm(site: Site) -> None:
    """A polite kill waits out the grace in `killing`; a forced one then ends it at once, and the task has failed."""
    run_id = await site.trigger("stubborn")
    await bodies_run(site, 2)
    await site.act("kill", run_id, "python", "script")
    assert set(site.tasks(run_id).values()) == {"killing"}
    with pytest.raises(CommandRefused, match="nothing to kill"):
        await site.act("kill", run_id, "python")
    assert alive(site, run_id, "python") and alive(site, run_id, "script")
    await site.act("kill", run_id, "python", "script", force=True)
    assert await site.over(run_id) == "failed"
    for name in ("python", "script"):
        assert (site.attempts(run_id, name)[0]["outcome"], site.attempts(run_id, name)[0]["signal"]) == ("killed", 9)
        assert alive(site, run_id, name) == []


async def test_clearing_a_running_task_never_runs_it_twice_at_once(site: Site) -> None:
    """The cleared task's process is dead before the next attempt's body begins; the old attempt stays in the store."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    done = await site.act("clear", run_id)
    assert done.changed == 3
    await bodies_run(site, 4)
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    for name in ("python", "script"):
        first, second = site.attempts(run_id, name)
        assert (first["outcome"], first["reason"], second["outcome"]) == ("killed", "cleared", "success")
        assert first["ended_at"] <= second["started_at"]
        assert first["id"] not in site.bodies("end")
    assert site.value("SELECT count(*) FROM run_episode") == 1


async def test_clearing_a_task_twice_quickly_clears_it_once(site: Site) -> None:
    """A second clear while the process of the first is being killed changes nothing more."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    async with site.client() as client:
        select = p.Selector(run_ids=[run_id], task_ids=["script"])
        for _ in range(3):
            await client.command("clear", select)
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert [attempt["outcome"] for attempt in site.attempts(run_id, "script")][-1] == "success"
    assert len(site.attempts(run_id, "script")) <= 4
    assert len(set(site.bodies())) == len(site.bodies())


@pytest.mark.parametrize(
    ("state", "after", "outcome"), [("success", "success", "success"), ("failed", "upstream_failed", "failed")]
)
async def test_a_mark_on_a_running_task_ends_its_process_first(
    site: Site, state: str, after: str, outcome: str
) -> None:
    """The task is `killing` until its process is gone, then what the operator said; what comes after it follows."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.act("mark", run_id, "python", state=state)
    await site.state(run_id, "python", state)
    assert alive(site, run_id, "python") == []
    (site.root / "release").touch()
    assert await site.over(run_id) == outcome
    assert site.tasks(run_id) == {"python": state, "script": "success", "after": after}
    assert site.value("SELECT reason FROM task_instance WHERE task_id = 'python'") == "manual"


async def test_cancelling_a_run_ends_all_of_it(site: Site) -> None:
    """Running tasks are killed, the others never start; the run is cancelled when its last process is gone."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    preview_of = p.Selector(run_ids=[run_id])
    async with site.client() as client:
        preview = await client.preview("cancel", preview_of)
        assert (preview.total, preview.kills) == (4, 2)
        await client.command("cancel", preview_of)
        with pytest.raises(CommandRefused, match="is over or being cancelled"):
            await client.command("cancel", preview_of)
    assert await site.over(run_id) == "cancelled"
    assert set(site.tasks(run_id).values()) == {"cancelled"}
    assert alive(site, run_id, "python") == alive(site, run_id, "script") == []


async def test_cancelling_a_queued_run_never_starts_it(site: Site) -> None:
    """A run that waits for a run slot is cancelled where it stands; the next one takes the slot."""
    first = await site.trigger("hold")
    second = await site.trigger("hold", logical_date="2020-01-01")
    third = await site.trigger("hold", logical_date="2020-01-02")
    assert [site.run_state(run_id) for run_id in (first, second, third)] == ["running", "queued", "queued"]
    await site.act("cancel", second)
    assert site.run_state(second) == "cancelled"
    (site.root / "release").touch()
    assert await site.over(first) == await site.over(third) == "success"
    assert site.attempts(second, "python") == []


async def test_retry_now_does_not_wait_for_the_timer(site: Site) -> None:
    """A task whose retry is an hour away runs at once, as its next try; its timer then means nothing."""
    run_id = await site.trigger("later")
    await site.state(run_id, "much_later", "up_for_retry")
    await site.act("retry", run_id, "much_later")
    assert await site.over(run_id) == "success"
    assert [attempt["number"] for attempt in site.attempts(run_id, "much_later")] == [1, 2]
    with pytest.raises(CommandRefused, match="nothing to retry"):
        await site.act("retry", run_id, "much_later")


async def test_rerunning_what_failed_leaves_successes_alone(site: Site) -> None:
    """A rerun of what failed runs the failed task and what was waiting for it, in a new episode of the same run."""
    run_id = await site.trigger("steps")
    assert await site.over(run_id) == "failed"
    assert site.tasks(run_id) == {"first": "success", "fails": "failed", "last": "upstream_failed"}
    (site.root / "repaired").touch()
    done = await site.act("rerun", run_id, failed=True)
    assert done.changed == 2
    assert await site.over(run_id) == "success"
    assert [len(site.attempts(run_id, name)) for name in ("first", "fails", "last")] == [1, 2, 1]
    assert site.rows("SELECT number, outcome FROM run_episode ORDER BY number") == [(1, "failed"), (2, "success")]


async def test_a_paused_dag_keeps_its_runs_waiting(site: Site) -> None:
    """Runs of a paused DAG stay queued and say why, also across a restart; resuming starts them."""
    await site.command("pause", p.Selector(dag_ids=["results"]), note="database moves")
    run_id = await site.trigger("results")
    blockers = json.loads(site.value("SELECT blockers FROM task_instance WHERE task_id = 'make'"))
    assert blockers == ["run_queued", "dag_paused"]
    await site.crash()
    await site.start()
    assert site.run_state(run_id) == "queued"
    paused_by, reason = site.rows("SELECT paused_by, pause_reason FROM schedule_state WHERE dag_id = 'results'")[0]
    assert (paused_by is not None, reason) == (True, "database moves")
    await site.command("resume", p.Selector(dag_ids=["results"]))
    assert await site.over(run_id) == "success"
