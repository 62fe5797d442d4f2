"""Every kind of waiting has one sentence that says what frees it; pools and breakers tell of themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.lifecycle.changes import Changes
from engine.lifecycle.events import Ended
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DagSpec
from engine.model.moments import HOUR, MINUTE, SECOND
from engine.model.rows import Transition
from engine.model.states import Blocker
from engine.store import reads_run
from engine.store.batch import Batch
from engine.store.errors import NotFound
from engine.store.reader import Reader
from engine.store.reads_limits import breaker_story, pool_story
from engine.store.reads_waits import sentence
from engine.store.resolve import resolve_run
from tests.support.console_store import NOW, FilledHome, task

FREES = {
    Blocker.UPSTREAM: "how they end decides",
    Blocker.RETRY_AT: "starts it now",
    Blocker.DEPENDS_ON_PAST: "that frees it when it is success or skipped",
    Blocker.DAG_PAUSED: "`dagdeck dags resume close` frees it",
    Blocker.DAG_BROKEN: "a file that loads frees it",
    Blocker.RUN_PAUSED: "frees it",
    Blocker.RUN_QUEUED: "as soon as the engine comes to it",
    Blocker.RUN_AFTER: "its run may start from",
    Blocker.HOLD: "`dagdeck release` frees it, and it ends at",
    Blocker.DEGRADED: "until it can",
    Blocker.MAX_ACTIVE_RUNS: "begins when one of them ends",
    Blocker.MAX_ACTIVE_TASKS_PER_DAG: "freed when one of them ends",
    Blocker.MAX_ACTIVE_TASKS_PER_RUN: "freed when one of them ends",
    Blocker.MAX_ACTIVE_TIS_PER_TASK: "starts as soon as the engine comes to it",
    Blocker.POOL: "it is freed when one of them ends",
    Blocker.POOL_RESERVED: "others pass when it has started, or at",
    Blocker.ENGINE_SLOTS: "freed when one of them ends",
    Blocker.BACKFILL_SLOTS: "freed when one of its tasks ends",
    Blocker.NOT_DURING: "freed when that is over",
    Blocker.BREAKER: "frees it now",
    Blocker.MEMORY_GUARD: "freed when what runs has ended",
    Blocker.DISK: "freed when there is room again",
    Blocker.DRAINING: "`dagdeck engine start` frees it",
}
DETAILS = {
    Blocker.POOL: ":db",
    Blocker.POOL_RESERVED: f":db:1:{NOW + MINUTE}",
    Blocker.BREAKER: ":api",
    Blocker.DEPENDS_ON_PAST: ":RUN",
}


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[FilledHome]:
    """A run in which `load` holds the pool's slot, `late` waits for its retry and keeps another, and `wait` waits."""
    spec = DagSpec("close", "close.py", [task("load"), task("late", retries=2), task("wait"), task("after", "wait")])
    for each in spec.tasks[:3]:
        each.pool = "db"
    home = FilledHome(tmp_path / "home")
    await home.open()
    await home.put_dag(spec, paused=True)
    batch = Batch(transitions=[Transition("hold", NOW, to_state="held")])
    batch.add(
        "pool.put", name="db", slots=2, description="the warehouse", configured=None, include_deferred=1,
        configured_deferred=0,
    )  # fmt: skip
    batch.add("hold.add", id=1, scope="pool", pattern="db", who="ops1", note="moving", since=NOW, until=NOW + HOUR)
    for name, until in (("api", NOW + 5 * MINUTE), ("dag:close", NOW + 10 * MINUTE)):
        batch.add(
            "breaker.put", name=name, state="open", failures=5, cooldown=300_000_000, until=until, opened_at=NOW,
            last_failure_at=NOW, last_error="503", probe=None, by=None, note=None, victims=json.dumps(["close"]),
        )  # fmt: skip
    await home.commit(batch)
    memory = await home.start("close", NOW)
    await home.claim(memory, "load")
    attempt = await home.claim(memory, "late")
    await home.do(memory, Ended(attempt, AttemptStatus(1, "child", outcome="failed", error="ConnectionError: busy")))
    waits, changes = home.instance(memory, "wait"), Changes()
    changes.touch_task(waits)
    waits.blockers = ("pool:db", "breaker:api")
    await home.commit(Batch(changes=changes))
    yield home
    await home.close()


@pytest.mark.parametrize("code", Blocker)
async def test_every_kind_of_waiting_says_what_frees_it(filled: FilledHome, code: Blocker) -> None:
    """One sentence for each code that the engine stores, with what ends the wait, and when where anybody can know."""
    with Reader(filled.home.database) as reader:
        (run_id,) = filled.runs
        run = reads_run.run(reader, resolve_run(reader, run_id).id)
        name = {Blocker.UPSTREAM: "after", Blocker.RETRY_AT: "late"}.get(code, "wait")
        row = reads_run.instances_of_task(reader, run.id, name)[0]
        text = sentence(reader, run, row, code + DETAILS.get(code, "").replace("RUN", run_id), NOW + SECOND)
    assert FREES[code] in text
    assert "\n" not in text and not text.endswith(".")


async def test_a_code_that_is_none_is_refused(filled: FilledHome) -> None:
    """Nothing is made up."""
    with Reader(filled.home.database) as reader:
        run = reads_run.run(reader, 1)
        row = reads_run.instances_of_task(reader, run.id, "wait")[0]
        with pytest.raises(ValueError, match="is not a blocker code"):
            sentence(reader, run, row, "moon", NOW)


async def test_a_pool_and_a_breaker_tell_of_themselves(filled: FilledHome) -> None:
    """How they stand, who holds and keeps slots, who waits, what holds them, and what is next."""
    with Reader(filled.home.database) as reader:
        pool, breaker = pool_story(reader, "db", NOW + MINUTE), breaker_story(reader, "api", NOW + MINUTE)
        own = breaker_story(reader, "dag:close", NOW + MINUTE)
        for story in (pool_story, breaker_story):
            with pytest.raises(NotFound, match="there is no"):
                story(reader, "moon", NOW)
    assert pool[0].startswith("pool db: the warehouse has 2 slots, of which 2 are taken")
    assert any(
        line.startswith("kept by late of close@") and "1 slot, until it is tried again at" in line for line in pool
    )
    assert any(line.startswith("wanted by wait of close@") for line in pool)
    assert any(line.startswith("on hold by ops1 until ") and line.endswith(": moving") for line in pool)
    assert breaker[0].endswith("after 5 failures in a row")
    assert "one probe goes out at" in breaker[1] and "(in 4 min)" in breaker[1]
    assert breaker[2].endswith(": 503") and breaker[3] == "what failed was of close"
    assert any(line.startswith("wanted by wait of close@") for line in breaker)
    assert "open since" in own[0]
