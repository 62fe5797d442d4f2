"""What mapped tasks are mapped over: results inline and in files, params, lists, and results put together again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.authoring.exceptions import PermanentError
from engine.authoring.mapping import ELEMENT
from engine.control.plans import Refusal
from engine.execution import port
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import AttemptSpec, InputRef
from engine.model.dag import CallbackFlags, MapSource, TaskSpec
from engine.model.states import TaskState
from engine.scheduler.items import DEFAULT_MOST, read_file
from tests.support.scheduler import OK, Rig

LIST = TaskSpec("list", "python")


def work(ref: Any = None, *more: MapSource, **fields: Any) -> TaskSpec:
    """A task that is mapped over the result of `list`, or over what the reference says."""
    source = MapSource("item", {"$result": "list"} if ref is None else ref)
    return TaskSpec("work", "python", upstream=["list"], mapped=[source, *more], **fields)


async def started(rig: Rig, task: TaskSpec, result: Any, below: TaskSpec | None = None, **args: Any) -> RunMemory:
    """A run whose `list` has ended with a result."""
    await rig.dag(LIST, task, *([below] if below else []))
    memory = await rig.trigger(**args)
    await finish(rig, memory, "list", result)
    return memory


async def finish(rig: Rig, memory: RunMemory, task_id: str, result: Any, map_index: int = -1) -> None:
    """The end of an attempt whose result file holds this."""
    current = memory.instances[task_id, map_index].current
    assert current is not None
    data = json.dumps(result).encode()
    path = rig.scheduler.places.result(current.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    await rig.see(port.Claimed(current.id, 1, 1, "boot", rig.clock.now()), port.Ended(current.id, OK, len(data)))


def given(rig: Rig, map_index: int) -> dict[str, InputRef]:
    """The inputs of a launched index of `work`."""
    return next(
        order.spec.inputs
        for order in rig.executor.launched
        if (order.spec.task_id, order.spec.map_index) == ("work", map_index)
    )


async def test_an_index_is_given_its_own_item_and_no_other(rig: Rig) -> None:
    """The spec of an attempt holds one item of the list."""
    await started(rig, work(), ["a", "b"])
    assert given(rig, 1) == {ELEMENT + "item": InputRef("b")}


async def test_a_part_of_a_result_can_be_mapped_over(rig: Rig) -> None:
    """The way into the result is followed; a dict gives its pairs."""
    await started(rig, work({"$result": "list", "$path": ["files"]}), {"files": {"x": 1}})
    assert given(rig, 0) == {ELEMENT + "item": InputRef(["x", 1])}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (7, "item= cannot be mapped over: the result of list is 7, not a list or a dict"),
        (None, "item= cannot be mapped over: the result of list is nothing, not a list or a dict"),
        (list(range(DEFAULT_MOST + 1)), "it is mapped over 10001 items, and 10000 are allowed: raise max_mapped"),
    ],
)
async def test_what_cannot_be_mapped_over_is_said(rig: Rig, result: Any, said: str) -> None:
    """The row names the argument, where its items come from, and what is wrong with them."""
    memory = await started(rig, work(), result)
    row = memory.instances["work", -1]
    assert row.state == "failed"
    assert row.last_error is not None and said in row.last_error


async def test_lists_in_the_file_are_named_by_place(rig: Rig) -> None:
    """Their items stay in the DAG file: the spec says which one is meant."""
    await started(rig, work(None, MapSource("size", length=3)), ["a", "b"])
    assert given(rig, 4) == {ELEMENT + "item": InputRef("b"), ELEMENT: InputRef({"size": 1})}


async def test_a_task_below_gets_the_results_in_the_order_of_the_indexes(rig: Rig) -> None:
    """Whatever the order in which they ended; an index without a result is nothing in the list."""
    below = TaskSpec("total", "python", upstream=["work"], inputs=["work"])
    memory = await started(rig, work(), [1, 2, 3], below)
    for map_index, result in ((2, "c"), (0, "a"), (1, None)):
        await finish(rig, memory, "work", result, map_index)
    order = rig.executor.launched[-1]
    assert order.spec.inputs == {"work": InputRef(items=[InputRef("a"), InputRef(None), InputRef("c")])}
    assert AttemptSpec.loads(order.spec.dumps()).inputs == order.spec.inputs


def test_a_large_result_is_read_item_by_item(tmp_path: Path) -> None:
    """Only the places of the items are kept; each is read when its index starts."""
    path = tmp_path / "result.json"
    path.write_text(' [ {"a": "]"} ,[1, 2],"three" ]')
    items = read_file(str(path), ())
    assert [items.at(place).value for place in range(len(items))] == [{"a": "]"}, [1, 2], "three"]
    path.write_text("[]")
    assert len(read_file(str(path), ())) == 0
    path.write_text('{"rows": ["é"]}')
    assert read_file(str(path), ("rows",)).at(0) == InputRef("é")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, "[[1], " + "[" * 100_000])
async def test_a_large_result_that_is_nested_too_deeply_fails_what_is_mapped_over_it(rig: Rig, text: str) -> None:
    """What a task left in its result's place can be parsed by nobody: whoever is mapped over it says so, and the end of
    the task is taken in all the same.
    """
    await rig.dag(LIST, work())
    memory = await rig.trigger()
    attempt_id = await rig.begin(memory, "list")
    path = rig.scheduler.places.result(attempt_id)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    await rig.see(port.Ended(attempt_id, OK, len(text)))
    await rig.until(lambda: memory.instances["list", -1].state is not TaskState.RUNNING, "its end is taken in")
    assert {ti.task_id: ti.state.value for ti in memory.by_id.values()} == {"list": "success", "work": "failed"}
    assert "nested too deeply" in (memory.instances["work", -1].last_error or "")
    assert rig.broken == []


async def test_a_large_result_is_taken_in_although_no_thread_can_be_started(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read on the loop then: the end of its task would never be heard of otherwise."""

    async def refused(*args: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asyncio, "to_thread", refused)
    await started(rig, work(), [["x" * 70_000], 2])
    await asyncio.sleep(0)
    await rig.turn()
    assert given(rig, 1) == {ELEMENT + "item": InputRef(2)}


async def test_an_item_that_is_gone_fails_the_attempt_for_good(rig: Rig) -> None:
    """Where the list became shorter behind an index's back, the index says so instead of running with nothing."""
    memory = await started(rig, work(), [1, 2])
    items = rig.scheduler.state.items[memory.run.id]
    rig.scheduler.state.results[memory.run.id]["list", -1] = InputRef([1])
    with pytest.raises(PermanentError, match="there is no item 1 any more"):
        items.inputs(memory.instances["work", 1])


async def test_callbacks_know_their_index(rig: Rig) -> None:
    """What is called about an index is told which one it is."""
    memory = await started(rig, work(callbacks=CallbackFlags(on_success=True)), [1, 2])
    await finish(rig, memory, "work", None, 1)
    called = [order.spec for order in rig.executor.launched if order.spec.kind == "callback"]
    assert [(spec.task_id, spec.map_index) for spec in called] == [("work", 1)]


async def test_commands_name_indexes_tasks_and_groups(rig: Rig) -> None:
    """`work[1]` is one index, `work` all of them, and the id of a group all that is in it."""
    memory = await started(rig, work(group="g"), [1, 2, 3])
    for name, wanted in (("work[1]", [1]), ("work", [0, 1, 2]), ("g", [0, 1, 2])):
        preview = await rig.preview("clear", runs=(memory.run.run_id,), tasks=(name,))
        assert [row.map_index for row in preview.rows] == wanted
    with pytest.raises(Refusal):
        await rig.preview("clear", runs=(memory.run.run_id,), tasks=("work[3]",))
