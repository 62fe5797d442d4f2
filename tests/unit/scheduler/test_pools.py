"""Pools that include deferred tasks, and what becomes of pools between `dagdeck.toml` and operators."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.plans import Refusal
from engine.lifecycle.events import CancelRun
from engine.model.rows import UNMAPPED
from engine.scheduler.ledger import Ledger
from engine.scheduler.pools import Pools
from engine.store.stored import StoredPool
from tests.support.lifecycle import ERROR, task
from tests.support.scheduler import Rig


async def make(tmp_path: Path, *, include: bool) -> Rig:
    """A pool of one slot, wanted by two tasks; the first may be tried three times."""
    rig = Rig(tmp_path, api=1)
    await rig.command("resize", args={"pool": "api", "slots": 1, "include_deferred": include}) if include else None
    await rig.dag(task("first", pool="api", retries=2), task("second", pool="api"))
    return rig


async def test_a_task_that_waits_for_its_retry_keeps_its_slot_if_the_pool_says_so(tmp_path: Path) -> None:
    """Nobody else has the slot meanwhile, and the pool is the reason; when the retry is due the slot is its own, also
    against a task that has waited longer."""
    rig = await make(tmp_path, include=True)
    memory = await rig.trigger()
    await rig.finish(memory, "first", ERROR)
    assert rig.states(memory) == {"first": "up_for_retry", "second": "scheduled"}
    assert memory.instances["second", UNMAPPED].blockers == ("pool:api",)
    assert (rig.scheduler.ledger.pool_free["api"], rig.scheduler.ledger.used) == (0, 0)
    await rig.later(61)
    assert rig.executor.tasks == ["first", "first"]
    await rig.finish(memory, "first")
    assert rig.executor.tasks == ["first", "first", "second"]


async def test_without_it_the_slot_is_free_at_once(tmp_path: Path) -> None:
    """An ordinary pool counts what runs alone."""
    rig = await make(tmp_path, include=False)
    memory = await rig.trigger()
    await rig.finish(memory, "first", ERROR)
    assert rig.executor.tasks == ["first", "second"]


async def test_it_is_switched_while_tasks_wait(tmp_path: Path) -> None:
    """Switched on, those that wait hold their slots from now on; switched off, these are free for others at once."""
    rig = await make(tmp_path, include=False)
    memory = await rig.trigger()
    await rig.finish(memory, "first", ERROR)
    await rig.finish(memory, "second")
    await rig.command("resize", args={"pool": "api", "slots": 1, "include_deferred": True})
    assert rig.scheduler.ledger.pool_free["api"] == 0
    again = await rig.trigger()
    assert rig.states(again) == {"first": "scheduled", "second": "scheduled"}
    await rig.command("resize", args={"pool": "api", "slots": 1, "include_deferred": False})
    assert rig.executor.tasks == ["first", "second", "first"]


async def test_a_cancelled_run_gives_back_what_its_waiting_tasks_kept(tmp_path: Path) -> None:
    """However the wait ends, the slot comes back."""
    rig = await make(tmp_path, include=True)
    memory = await rig.trigger()
    await rig.finish(memory, "first", ERROR)
    rig.scheduler.post(lambda turn: rig.scheduler.apply(turn, memory, CancelRun()))
    await rig.turn()
    assert rig.scheduler.ledger.pool_free["api"] == 1


async def test_memory_from_the_store_books_the_same(tmp_path: Path) -> None:
    """An engine that starts anew counts what waits, too."""
    rig = await make(tmp_path, include=True)
    memory = await rig.trigger()
    await rig.finish(memory, "first", ERROR)
    ledger = Ledger(16, {"default": -1, "api": 1}, ["api"])
    ledger.restore(memory)
    assert (ledger.pool_free["api"], ledger.used) == (0, 0)


@pytest.mark.parametrize(
    ("stored", "slots", "included"),
    [
        (StoredPool("api", 7, None, 2, 1, 1), 7, True),
        (StoredPool("api", 7, None, 2, 0, 1), 7, False),
        (StoredPool("api", 7, None, 3, 0, 1), 2, True),
        (StoredPool("api", 7, None, 2, 0, 0), 2, True),
        (StoredPool("api", 7, None, None, 0, 0), 7, False),
    ],
)
def test_what_an_operator_set_stays_until_the_file_says_something_new(
    stored: StoredPool, slots: int, included: bool
) -> None:
    """The file says two slots, with deferred tasks; a row holds as long as it was made under the same words."""
    found = Pools.of({"api": 2}, {"api"}).with_stored([stored])
    assert found.sizes == {"default": -1, "api": slots}
    assert found.including == ({"api"} if included else set())


async def test_a_resize_that_changes_nothing_is_refused_and_one_that_changes_the_kind_is_kept(rig: Rig) -> None:
    """The row in the store says what operators made of the pool, and undo knows what it was."""
    with pytest.raises(Refusal, match="has 1 slot already"):
        await rig.command("resize", args={"pool": "narrow", "slots": 1, "include_deferred": False})
    with pytest.raises(Refusal, match="include_deferred is true or false"):
        await rig.command("resize", args={"pool": "narrow", "slots": 1, "include_deferred": "yes"})
    await rig.command("resize", args={"pool": "narrow", "slots": 1, "include_deferred": True})
    (row,) = rig.stored("pool.put")
    assert (row["slots"], row["include_deferred"], row["configured_deferred"]) == (1, 1, 0)
    await rig.command("undo")
    assert rig.stored("pool.put")[-1]["include_deferred"] == 0
