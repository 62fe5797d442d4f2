"""Limits with real processes: pools that are resized under load, and what `dagdeck why` says of those that wait."""

from __future__ import annotations

import asyncio

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

DAGS = {
    "busy.py": """
        @dag(max_active_tasks_per_run=6)
        def busy():
            for number in range(24):
                shell(f"t{number}", "sleep 0.05", pool="narrow")

        @dag()
        def held():
            shell("holds", "until test -e $DAGDECK_HOME/release; do sleep 0.02; done", pool="narrow")

        @dag()
        def keeps():
            shell("flaky", "test -e $DAGDECK_HOME/well", pool="narrow", retries=9, retry_delay="30s")
            shell("next", "true", pool="narrow", priority_weight=-5)

        @dag(max_active_tasks=1)
        def waits():
            shell("big", "true")
            shell("small", "true", pool="narrow")
    """
}


async def pool(site: Site, slots: int, name: str = "narrow") -> p.Done:
    """Resizes a pool."""
    return await site.command("resize", p.Selector(), {"pool": name, "slots": slots})


def most_at_once(site: Site) -> list[tuple[int, int]]:
    """From the feed, turn by turn: (slots, most that could be held while the pool had them), for each size. What was
    held when the pool shrank may stay; it only becomes less."""
    sizes, held, allowed, seen = 1, 0, 1, []
    for kind, before, after, detail in site.rows(
        "SELECT kind, from_state, to_state, detail FROM event ORDER BY at, kind <> 'pool', seq"
    ):
        if kind == "pool" and detail == "narrow" and after and after.lstrip("-").isdigit():
            seen.append((sizes, allowed))
            sizes = int(after) if after != "-1" else 1000
            allowed = max(sizes, held)
        alive = ("queued", "running", "killing")
        if kind == "task" and (before in alive) != (after in alive):
            held += 1 if after in alive else -1
            assert held <= allowed, f"{held} hold slots of {sizes}"
            allowed = max(sizes, held) if after not in alive else allowed
    return seen


async def test_a_pool_is_resized_under_load(make_site: MakeSite) -> None:
    """However its size changes while it is full, no more start than it then has; at zero nothing starts; and the size
    that an operator gave outlives the engine, until dagdeck.toml says something new."""
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    run_id = await site.trigger("busy")
    await until(lambda: "success" in site.tasks(run_id).values(), "one has ended")
    for slots in (4, 2, 0):
        await pool(site, slots)
        ended = list(site.tasks(run_id).values()).count("success")
        if slots:
            await until(lambda n=ended: list(site.tasks(run_id).values()).count("success") > n + 2, "some more end")
    await until(lambda: not {"queued", "running"} & set(site.tasks(run_id).values()), "nothing runs")
    left = list(site.tasks(run_id).values()).count("scheduled")
    assert left > 0
    await site.stop()
    await site.start()
    assert site.value("SELECT slots FROM pool WHERE name = 'narrow'") == 0
    assert list(site.tasks(run_id).values()).count("scheduled") == left
    await pool(site, -1)
    assert await site.over(run_id) == "success"
    assert len(most_at_once(site)) == 4
    await site.stop()
    site.configure("[pools]\nnarrow = 5")
    await site.start()
    assert site.value("SELECT slots FROM pool WHERE name = 'narrow'") == 5


async def test_why_names_the_limit_who_holds_it_and_what_frees_it(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence for each limit, made from what the deciding code stored."""
    dagdeck = Cli(capsys)
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    holder = await site.trigger("held")
    await site.state(holder, "holds", "running")
    waiter = await site.trigger("waits")
    await site.state(waiter, "big", "success")
    await site.state(waiter, "small", "scheduled")
    said = dagdeck("why", waiter, "small", "--home", site.root, "--json").json["reasons"]
    assert [reason["code"] for reason in said] == ["pool:narrow"]
    text = said[0]["text"]
    assert text.startswith("it needs 1 of the 1 slots of pool narrow, of which 0 are free: holds of held@")
    assert "it is freed when one of them ends" in text
    await pool(site, 0)
    said = dagdeck("why", waiter, "small", "--home", site.root).out
    assert "pool narrow has 0 slots, so nothing of it starts: `dagdeck pools resize narrow SLOTS` frees it" in said
    listed = dagdeck("pools", "--home", site.root, "--json").json
    (narrow,) = [row for row in listed if row["pool"] == "narrow"]
    assert (narrow["slots"], narrow["taken"], narrow["wanted"]) == (0, 1, 1)
    assert [row["task_id"] for row in narrow["holders"]] == ["holds"]
    answer = await asyncio.to_thread(dagdeck, "pools", "remove", "narrow", "--yes", "--home", site.root)
    assert (answer.code, "is used by busy, held, keeps, waits" in answer.err) == (5, True)
    unlimited = ("pools", "resize", "narrow", "unlimited", "--yes", "--json")
    answer = await asyncio.to_thread(dagdeck, *unlimited, "--home", site.root)
    assert answer.json["slots"] == -1
    assert await site.over(waiter) == "success"
    (site.root / "release").touch()
    assert await site.over(holder) == "success"


async def test_a_pool_that_is_made_lets_a_refused_dag_load(make_site: MakeSite) -> None:
    """A DAG that names a pool which does not exist is an import error until somebody makes the pool."""
    site = await make_site(None)
    site.write("needs.py", '@dag()\ndef needs():\n    shell("only", "true", pool="fresh", pool_slots=2)\n')
    await site.start()
    await until(lambda: site.rows("SELECT 1 FROM import_error"), "the file is refused")
    with pytest.raises(CommandRefused, match="slots are 0 or more"):
        await pool(site, -2, "fresh")
    await pool(site, 2, "fresh")
    await until(lambda: site.knows("needs"), "the DAG is loaded")
    assert await site.over(await site.trigger("needs")) == "success"


async def test_a_task_that_waits_for_its_retry_keeps_its_slot_and_is_named_as_its_holder(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pool that includes deferred tasks nobody else starts, over a crash too; when it may run it goes first."""
    dagdeck = Cli(capsys)
    config = "[pools]\nnarrow = { slots = 1, include_deferred = true }"
    site = await make_site(DAGS, config)
    await site.start()
    run_id = await site.trigger("keeps")
    await site.state(run_id, "flaky", "up_for_retry")
    await site.crash()
    await site.start()
    said = dagdeck("why", run_id, "next", "--home", site.root, "--json").json["reasons"]
    assert [reason["code"] for reason in said] == ["pool:narrow"]
    assert f"of which 0 are free: flaky of {run_id}, to be tried again at " in said[0]["text"]
    (kept,) = [row for row in dagdeck("pools", "--home", site.root, "--json").json if row["pool"] == "narrow"]
    assert (kept["taken"], kept["include_deferred"], kept["holders"][0]["state"]) == (1, True, "up_for_retry")
    story = dagdeck("why", "pool:narrow", "--home", site.root).out
    assert f"kept by flaky of {run_id}: 1 slot, until it is tried again at " in story
    (site.root / "well").touch()
    await site.command("retry", p.Selector(run_ids=[run_id], task_ids=["flaky"]))
    assert await site.over(run_id) == "success"


async def test_the_memory_guard_starts_nothing_and_why_says_so(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a host with less memory than the home asks for nothing starts; with another figure everything goes on."""
    dagdeck = Cli(capsys)
    site = await make_site(DAGS, "min_free_memory_mb = 1_000_000_000\n[pools]\nnarrow = 1")
    await site.start()
    run_id = await site.trigger("waits")
    await until(lambda: "memory_guard" in str(site.rows("SELECT blockers FROM task_instance")), "the guard is named")
    said = dagdeck("why", run_id, "big", "--home", site.root).out
    assert "the host has less memory left than min_free_memory_mb" in said
    status = await asyncio.to_thread(dagdeck, "engine", "status", "--check", "--home", site.root)
    assert (status.code, "nothing starts below" in status.err) == (1, True)
    await site.stop()
    site.configure("min_free_memory_mb = 0\n[pools]\nnarrow = 1")
    await site.start()
    assert await site.over(run_id) == "success"
