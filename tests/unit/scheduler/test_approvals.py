"""Approvals: a person is asked, nothing is held meanwhile, and one answer counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.control.plans import Refusal
from engine.lifecycle.memory import RunMemory
from engine.model.dag import ApprovalSpec, ParamSpec, TaskSpec
from tests.support.lifecycle import task
from tests.support.scheduler import Rig


def asks(name: str, *upstream: str, **more: Any) -> TaskSpec:
    """An approval below `upstream`."""
    return TaskSpec(name, "approval", upstream=list(upstream), approval=ApprovalSpec(rejects=["reject"], **more))


async def answer(rig: Rig, memory: RunMemory, option: str, **args: Any) -> Any:
    """One answer to `ok`."""
    return await rig.command("answer", runs=(memory.run.run_id,), tasks=("ok",), args={"option": option, **args})


async def test_it_waits_without_a_slot_and_its_answer_lets_the_rest_go_on(tmp_path: Path) -> None:
    """Neither a slot of the engine nor an attempt is taken; the answer is the task's result."""
    rig = Rig(tmp_path, slots=1)
    await rig.dag(task("a"), asks("ok", "a"), task("b", "ok", inputs=["ok"]))
    memory = await rig.trigger()
    await rig.finish(memory, "a")
    assert rig.states(memory) == {"a": "success", "ok": "awaiting_input", "b": "none"}
    assert rig.scheduler.ledger.used == 0
    done = await answer(rig, memory, "approve")
    assert done.result == {"option": "approve", "params": {}}
    assert rig.states(memory)["ok"] == "success"
    (given,) = rig.executor.launched[-1].spec.inputs.values()
    assert (given.value["option"], given.value["by"]) == ("approve", done_by(rig))
    (row,) = rig.stored("answer.add")
    assert (row["option"], row["by"], row["origin"], row["command"] is not None) == (
        "approve",
        done_by(rig),
        "cli",
        True,
    )


def done_by(rig: Rig) -> str:
    """The name of the operator of tests."""
    from tests.support.scheduler import OPERATOR

    return OPERATOR.name


@pytest.mark.parametrize(
    ("skips", "state", "below"), [(False, "failed", "upstream_failed"), (True, "skipped", "skipped")]
)
async def test_a_rejection_fails_or_skips(rig: Rig, skips: bool, state: str, below: str) -> None:
    """What is below follows by its trigger rule, and the reason says that somebody answered."""
    await rig.dag(asks("ok", skips=skips), task("b", "ok"))
    memory = await rig.trigger()
    await answer(rig, memory, "reject")
    assert rig.states(memory) == {"ok": state, "b": below}
    assert memory.instances["ok", -1].reason == "answered"


@pytest.mark.parametrize(("default", "state"), [("approve", "success"), ("reject", "failed"), (None, "failed")])
async def test_after_its_time_the_default_is_taken(rig: Rig, default: str | None, state: str) -> None:
    """At the moment that was stored when it was asked; without a default it fails."""
    await rig.dag(asks("ok", timeout=3600.0, default=default), task("b"))
    memory = await rig.trigger()
    await rig.begin(memory, "b")
    await rig.later(3599)
    assert rig.states(memory)["ok"] == "awaiting_input"
    await rig.later(1)
    assert (rig.states(memory)["ok"], memory.instances["ok", -1].reason) == (state, "unanswered")
    with pytest.raises(Refusal, match="by nobody in time, so by its default" if default else "waits for no answer"):
        await answer(rig, memory, "approve")


async def test_of_two_answers_one_counts_and_the_other_is_told(rig: Rig) -> None:
    """The second is refused with what the first said, and changes nothing."""
    await rig.dag(asks("ok"), task("b"))
    memory = await rig.trigger()
    await rig.begin(memory, "b")
    await answer(rig, memory, "approve")
    with pytest.raises(Refusal, match=r"ok was answered approve by \S+ 0 s ago") as caught:
        await answer(rig, memory, "reject")
    assert caught.value.code == "stale"
    assert rig.states(memory)["ok"] == "success"


async def test_a_task_that_asks_nobody_is_refused_with_those_that_do(rig: Rig) -> None:
    """It is named, and so are the approvals of its run."""
    await rig.dag(asks("ok"), task("collect", "ok"))
    memory = await rig.trigger()
    about: Any = {"runs": (memory.run.run_id,), "tasks": ("collect",)}
    with pytest.raises(Refusal, match=r"^collect of etl@\S+ is no approval and asks nobody: its approvals are ok$"):
        await rig.command("answer", **about, args={"option": "approve"})


async def test_the_form_is_checked(rig: Rig) -> None:
    """Values that break a rule, and options that there are not, are refused by name; defaults fill the rest."""
    form = {"limit": ParamSpec(10, schema={"type": "integer", "maximum": 100}), "why": ParamSpec(None, required=True)}
    await rig.dag(asks("ok", params=form))
    memory = await rig.trigger()
    for args, says in (
        ({"option": "maybe"}, "ok offers approve, reject, not 'maybe'"),
        ({"option": "approve", "param_texts": {"why": "x", "limit": "200"}}, "param 'limit': 200 is not allowed"),
        ({"option": "approve"}, "param 'why' is required"),
        ({"option": "approve", "params": {"why": "x", "other": 1}}, "param 'other' is not declared"),
    ):
        with pytest.raises(Refusal, match=says):
            await answer(rig, memory, **args)
    done = await answer(rig, memory, "approve", param_texts={"why": "checked"})
    assert done.result["params"] == {"limit": 10, "why": "checked"}


async def test_clearing_asks_again_and_cancelling_takes_the_question_back(rig: Rig) -> None:
    """One whose upstream is cleared waits for that first, and is then asked anew; a cancelled run asks nobody."""
    await rig.dag(task("a"), asks("ok", "a"))
    memory = await rig.trigger()
    await rig.finish(memory, "a")
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("a",))
    assert rig.states(memory)["ok"] == "none"
    await rig.finish(memory, "a")
    await rig.command("cancel", runs=(memory.run.run_id,))
    assert rig.states(memory)["ok"] == "cancelled"
