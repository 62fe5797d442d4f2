"""Circuit breakers: fed by attempts and runs of any DAG, asked before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from engine.control.plans import Refusal
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import AttemptStatus
from engine.model.breaker import Breaker, BreakerSpec
from engine.model.dag import ScheduleSpec, TaskSpec
from engine.model.moments import SECOND
from tests.support.lifecycle import T0, task
from tests.support.scheduler import OK, Rig

DOWN = AttemptStatus(1, "child", outcome="failed", failure_class="transient", error="ConnectionError: db-1 refused")
WRONG = AttemptStatus(1, "child", outcome="failed", failure_class="permanent", error="PermanentError: no such table")


def calls(name: str, *upstream: str, **spec: Any) -> TaskSpec:
    """A task that uses breaker db-1, which opens after two failures for a minute."""
    return task(name, *upstream, breaker=BreakerSpec("db-1", **{"failures": 2, "cooldown": 60.0, **spec}))


def stands(rig: Rig) -> tuple[str, int]:
    """State and failures of db-1."""
    found = rig.scheduler.breakers.by_name["db-1"]
    return found.state, found.failures


async def two_failures(rig: Rig, **spec: Any) -> RunMemory:
    """Two DAGs fail once each; a third run waits."""
    await rig.dag(calls("a", **spec), dag_id="one")
    await rig.dag(calls("b", **spec), dag_id="two")
    await rig.finish(await rig.trigger("one"), "a", DOWN)
    assert stands(rig) == ("closed", 1)
    await rig.finish(await rig.trigger("two"), "b", DOWN)
    return await rig.trigger("one")


async def test_failures_of_two_dags_open_one_breaker(rig: Rig) -> None:
    """It opens after as many failures in a row as it says, whoever's they are; who comes then waits, and says so."""
    waiting = await two_failures(rig)
    assert stands(rig) == ("open", 2)
    assert waiting.instances["a", -1].blockers == ("breaker:db-1",)
    assert rig.scheduler.breakers.by_name["db-1"].victims == ["one", "two"]
    assert rig.stored("breaker.put")[-1]["state"] == "open"


async def test_one_probe_goes_out_after_the_cooldown_and_its_success_lets_all_through(rig: Rig) -> None:
    """While the probe runs the others wait; when it succeeds they start, and nothing is left to its account."""
    first = await two_failures(rig)
    others = [await rig.trigger("two") for _ in range(3)]
    await rig.later(59)
    assert stands(rig)[0] == "open"
    await rig.later(1)
    assert stands(rig)[0] == "half_open"
    started = [memory for memory in (first, *others) if next(iter(memory.by_id.values())).current is not None]
    assert len(started) == 1
    await rig.finish(started[0], next(iter(started[0].by_id.values())).task_id)
    assert stands(rig) == ("closed", 0)
    assert all(
        next(iter(memory.by_id.values())).current is not None for memory in (first, *others) if memory not in started
    )


async def test_a_probe_that_fails_doubles_the_cooldown_up_to_its_limit(rig: Rig) -> None:
    """60 s, 120 s, then the longest that was allowed."""
    waiting = await two_failures(rig, max_cooldown=150.0)
    found = rig.scheduler.breakers.by_name["db-1"]
    for cooldown in (120, 150, 150):
        await rig.later(found.cooldown / SECOND)
        assert found.state == "half_open"
        await rig.finish(waiting, "a", DOWN)
        assert (found.state, found.cooldown) == ("open", cooldown * SECOND)
        assert found.until == rig.clock.now() + found.cooldown
        waiting = await rig.trigger("one")


@pytest.mark.parametrize(("on_open", "state"), [("fail", "failed"), ("skip", "skipped")])
async def test_a_task_may_fail_or_be_skipped_instead_of_waiting(rig: Rig, on_open: str, state: str) -> None:
    """It is not started, uses no attempt, and says why."""
    await rig.dag(calls("a", on_open=on_open), calls("b", on_open=on_open), task("c"), dag_id="one")
    first = await rig.trigger("one")
    await rig.finish(first, "a", DOWN)
    await rig.finish(first, "b", DOWN)
    waiting = await rig.trigger("one")
    for name in "ab":
        ti = waiting.instances[name, -1]
        assert (ti.state.value, ti.reason, ti.attempt) == (state, "breaker_open", 0)


async def test_what_waits_already_is_refused_when_the_breaker_opens(tmp_path: Any) -> None:
    """Tasks that stood in the queue when it opened do not stay there."""
    rig = Rig(tmp_path, slots=2)
    await rig.dag(calls("a", on_open="skip"), calls("b", on_open="skip"), calls("c", on_open="skip"))
    memory = await rig.trigger()
    await rig.finish(memory, "a", DOWN)
    await rig.finish(memory, "b", DOWN)
    assert rig.states(memory)["c"] in ("skipped", "queued")
    assert stands(rig)[0] == "open"


async def test_permanent_failures_do_not_count_and_a_success_forgets_the_others(rig: Rig) -> None:
    """Only failures that say something of the system that was called open it, and only in a row."""
    await rig.dag(calls("a"), dag_id="one")
    for status in (DOWN, WRONG, OK, DOWN, WRONG):
        await rig.finish(await rig.trigger("one"), "a", status)
    assert stands(rig) == ("closed", 1)


async def test_a_probe_that_is_killed_or_fails_for_good_says_nothing(rig: Rig) -> None:
    """Another probe goes out instead."""
    first = await two_failures(rig)
    second = await rig.trigger("two")
    await rig.later(60)
    await rig.finish(first, "a", WRONG)
    assert stands(rig)[0] == "half_open"
    assert second.instances["b", -1].current is not None


async def test_failures_under_way_push_the_cooldown_of_an_open_breaker(rig: Rig) -> None:
    """It is counted from the last failure."""
    await rig.dag(*(calls(name) for name in "abc"))
    memory = await rig.trigger()
    for name in "ab":
        await rig.finish(memory, name, DOWN)
    await rig.later(30)
    await rig.finish(memory, "c", DOWN)
    assert rig.scheduler.breakers.by_name["db-1"].until == rig.clock.now() + 60 * SECOND


async def test_it_is_tripped_held_and_reset_by_hand(rig: Rig) -> None:
    """Held open no cooldown ends it; after a reset what waited starts."""
    await rig.dag(calls("a"), dag_id="one")
    done = await rig.command("trip", args={"breaker": "db-1"}, note="maintenance")
    assert "held open: until somebody resets it" in done.message
    waiting = await rig.trigger("one")
    await rig.later(7200)
    assert waiting.instances["a", -1].blockers == ("breaker:db-1",)
    found = rig.scheduler.breakers.by_name["db-1"]
    assert (found.is_held, found.note) == (True, "maintenance")
    await rig.command("reset", args={"breaker": "db-1"})
    assert rig.states(waiting)["a"] == "queued"
    await rig.command("trip", args={"breaker": "db-1", "for": "30s"})
    await rig.later(30)
    assert found.state == "half_open"
    for args, says in (({"breaker": "no name!"}, "breaker"), ({"breaker": "db-1", "for": "soon"}, "for 'soon'")):
        with pytest.raises(Refusal, match=says):
            await rig.command("trip", args=args)


async def test_a_task_that_found_the_breaker_open_itself_waits_without_using_a_retry(rig: Rig) -> None:
    """Code inside of a task says so with a reason of its own: it is tried again when the breaker may let it pass."""
    await rig.dag(task("a"))
    memory = await rig.trigger()
    said = AttemptStatus(
        1, "child", outcome="failed", failure_class="transient", error="BreakerOpen: breaker db-1 is open",
        reason="breaker_open", retry_after=40.0,
    )  # fmt: skip
    for _ in range(3):
        await rig.finish(memory, "a", said)
        assert rig.states(memory)["a"] == "up_for_retry"
        await rig.later(40)
    await rig.finish(memory, "a")
    assert (rig.states(memory)["a"], memory.instances["a", -1].spared) == ("success", 3)


async def test_a_dag_that_fails_again_and_again_is_paused_and_tries_again_with_one_run(rig: Rig) -> None:
    """After so many failed automated runs in a row; one run goes out after the cooldown, and its success resumes it."""
    hourly = ScheduleSpec("0 * * * *", start_date="2023-11-01T00:00:00+00:00")
    entry = await rig.dag(task("a"), schedule=hourly, max_failed_runs=2, breaker_cooldown=600.0)
    for _ in range(2):
        await rig.later(3600)
        for memory in list(rig.scheduler.state.runs.values()):
            await rig.finish(memory, "a", WRONG)
    assert (entry.paused_by, entry.pause_reason is not None) == ("its breaker", True)
    assert "2 failed runs in a row, the last etl@" in str(entry.pause_reason)
    await rig.later(599)
    assert not rig.scheduler.state.runs
    await rig.later(1)
    (probe,) = rig.scheduler.state.runs.values()
    assert (probe.run.created_by, probe.run.state.value) == ("its breaker", "running")
    await rig.finish(probe, "a", WRONG)
    assert entry.paused_at is not None
    assert rig.scheduler.breakers.by_name["dag:etl"].cooldown == 1200 * SECOND
    await rig.later(1200)
    (probe,) = rig.scheduler.state.runs.values()
    await rig.finish(probe, "a")
    assert entry.paused_at is None
    assert rig.scheduler.breakers.by_name["dag:etl"].state == "closed"


async def test_a_person_who_resumes_the_dag_resets_its_breaker(rig: Rig) -> None:
    """It counts from nothing again, and without a cooldown nobody but a person resumes it."""
    hourly = ScheduleSpec("0 * * * *", start_date="2023-11-01T00:00:00+00:00")
    entry = await rig.dag(task("a"), schedule=hourly, max_failed_runs=1)
    await rig.later(3600)
    (memory,) = rig.scheduler.state.runs.values()
    await rig.finish(memory, "a", WRONG)
    await rig.later(86_400)
    assert entry.paused_by == "its breaker"
    await rig.command("resume", dags=("etl",))
    assert (entry.paused_at, rig.scheduler.breakers.by_name["dag:etl"].failures) == (None, 0)


def test_the_states_and_what_ends_them() -> None:
    """The rules by themselves, in the order in which they usually come."""
    breaker, spec = Breaker("x"), BreakerSpec("x", failures=1, cooldown=10.0, max_cooldown=15.0)
    assert breaker.admits()
    breaker.failed(spec, T0, "no", "etl")
    assert (breaker.state, breaker.until, breaker.admits()) == ("open", T0 + 10 * SECOND, False)
    breaker.succeeded()
    assert breaker.state == "open"
    assert not breaker.cooled(T0 + 10 * SECOND - 1)
    assert breaker.cooled(T0 + 10 * SECOND)
    assert breaker.admits()
    breaker.probe = "p"
    assert not breaker.admits() and breaker.admits("all")
    breaker.succeeded("another")
    assert breaker.state == "half_open"
    breaker.failed(spec, T0, "no", "etl")
    assert breaker.cooldown == 15 * SECOND
