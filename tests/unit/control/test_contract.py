"""The contract of every verb: possible, refused with a reason, refused to whoever may only look and when stale, and
applied once when sent twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.control import protocol as p
from engine.control.plans import Refusal
from engine.control.roles import Roles
from engine.control.verbs import VERBS
from engine.lifecycle.memory import RunMemory
from engine.model.dag import ApprovalSpec, ScheduleSpec, TaskSpec
from engine.model.roles import Role
from engine.store.reads_trash import Trashed
from engine.store.selecting import Chosen
from engine.store.stored import StoredBackfill, StoredCommand
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OPERATOR, Rig


@dataclass
class Case:
    """One verb where it is possible, and where it is not."""

    ready: Callable[[Rig], Awaitable[RunMemory | None]]
    args: dict[str, Any] = field(default_factory=dict)
    about: str = "run"
    """`tasks`, `run`, `dag` or nothing."""
    refused: dict[str, Any] | None = None
    """What it is asked with to be refused; None: the same once more, after it was done."""
    always: bool = False
    """Whether it is possible whatever there is."""


async def ended(rig: Rig) -> RunMemory:
    """A run of a that failed; nothing starts any more."""
    await rig.dag(task("a"), max_active_runs=9)
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a", FAILED)
    await rig.command("hold")
    return memory


async def alive(rig: Rig) -> RunMemory:
    """A run of a that runs."""
    await rig.dag(task("a"), max_active_runs=9)
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.begin(memory, "a")
    return memory


async def waits(rig: Rig) -> RunMemory:
    """A run of a that waits for its retry."""
    await rig.dag(task("a", retries=2, delay=600))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a", FAILED)
    return memory


async def halted(rig: Rig) -> RunMemory:
    """A paused run."""
    memory = await alive(rig)
    await rig.command("pause", runs=(memory.run.run_id,))
    return memory


async def held(rig: Rig) -> None:
    """Everything is on hold."""
    await rig.command("hold")


async def plain(rig: Rig) -> None:
    """One DAG, and a pool that nobody uses."""
    await rig.dag(task("a"), max_active_runs=9)
    await rig.command("resize", args={"pool": "spare", "slots": 2})


async def changed(rig: Rig) -> None:
    """Something that can be taken back."""
    await ended(rig)


async def reported(rig: Rig) -> None:
    """A report of an unclean start."""
    rig.scheduler.report_open = True


async def deleted(rig: Rig) -> None:
    """A run in the trash."""
    rig.archive.trash = [Trashed("etl@gone", "etl", 99, "failed", rig.clock.now(), rig.clock.now(), "ada", None, False)]


async def failed(rig: Rig) -> RunMemory:
    """A failure in the inbox."""
    memory = await ended(rig)
    rig.put_in_inbox(memory, "a")
    return memory


async def backfilled(rig: Rig, **args: Any) -> None:
    """A backfill of three dates, one after the other; the first one waits for a slot."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *"))
    await rig.command("resize", args={"pool": "default", "slots": 0})
    await rig.command("backfill_create", dags=("etl",), args={**DATES, "max_active": 1, **args})


async def unfilled(rig: Rig) -> None:
    """A DAG with dates to run."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *"))


async def standing(rig: Rig) -> None:
    """A paused backfill."""
    await backfilled(rig)
    await rig.command("backfill_pause", args={"id": 1})


async def dropped(rig: Rig) -> None:
    """A backfill that was cancelled, as the store has it."""
    await backfilled(rig)
    (live,) = rig.scheduler.state.backfills.values()
    await rig.command("backfill_cancel", args={"id": 1, "running": True})
    rig.archive.backfills[1] = StoredBackfill(live.row, live.items)


async def tripped(rig: Rig) -> None:
    """A breaker that is held open."""
    await rig.command("trip", args={"breaker": "db-1"})


async def asked(rig: Rig) -> RunMemory:
    """An approval that waits."""
    await rig.dag(TaskSpec("a", "approval", approval=ApprovalSpec()))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    return memory


DATES = {"start": "2023-11-01..2023-11-03"}
CASES = {
    "trigger": Case(plain, about="dag", refused={"dags": ("nosuch",)}),
    "rerun": Case(ended, refused={"runs": ("etl@none",)}),
    "clear": Case(ended, about="tasks", refused={"tasks": ("nosuch",)}),
    "mark": Case(ended, {"state": "success"}, "tasks"),
    "retry": Case(waits, about="tasks"),
    "kill": Case(alive, about="tasks"),
    "stack": Case(alive, about="tasks", refused={"tasks": ("nosuch",)}),
    "cancel": Case(alive),
    "pause": Case(alive),
    "resume": Case(halted),
    "prioritize": Case(alive, {"to": 5}),
    "hold": Case(plain, about=""),
    "release": Case(held, about=""),
    "undo": Case(changed, about=""),
    "resize": Case(plain, {"pool": "spare", "slots": 4}, ""),
    "remove": Case(plain, {"pool": "spare"}, ""),
    "delete": Case(ended),
    "restore": Case(deleted, {"run_ids": ["etl@gone"]}, "", {"args": {"run_ids": ["etl@none"]}}),
    "claim": Case(failed, {"cause": "exit #"}, "", {"args": {"cause": "none"}}),
    "resolve": Case(failed, {"cause": "exit #"}, "", {"args": {"cause": "none"}}),
    "recover": Case(failed, {"cause": "exit #"}, ""),
    "acknowledge": Case(reported, about=""),
    "prune": Case(plain, about="", always=True),
    "drain": Case(plain, about="", always=True),
    "stop": Case(plain, about="", always=True),
    "backfill_create": Case(unfilled, DATES, "dag"),
    "backfill_pause": Case(backfilled, {"id": 1}, ""),
    "backfill_resume": Case(standing, {"id": 1}, ""),
    "backfill_cancel": Case(backfilled, {"id": 1, "running": True}, ""),
    "backfill_retry": Case(dropped, {"id": 1}, ""),
    "trip": Case(plain, {"breaker": "db-1"}, "", {"args": {"breaker": "dag:etl"}}),
    "reset": Case(tripped, {"breaker": "db-1"}, ""),
    "answer": Case(asked, {"option": "approve"}, "tasks"),
}
SEEN = {
    "answer",
    "rerun",
    "clear",
    "mark",
    "retry",
    "kill",
    "cancel",
    "pause",
    "resume",
    "prioritize",
    "resolve",
    "recover",
    "delete",
}
"""Verbs about rows that may have moved since they were looked at."""
verbs = pytest.mark.parametrize("verb", CASES)


def test_every_verb_is_tried() -> None:
    """A verb without a case is a verb without a contract."""
    assert set(CASES) == set(VERBS)


async def ready(rig: Rig, verb: str) -> dict[str, Any]:
    """Prepares a verb's case, and gives what it is to be asked with."""
    case = CASES[verb]
    memory = await case.ready(rig)
    about: dict[str, Any] = {"args": case.args}
    if case.about == "dag":
        about["dags"] = ("etl",)
    elif case.about and memory is not None:
        about["runs"] = (memory.run.run_id,)
        if case.about == "tasks":
            about["tasks"] = ("a",)
    return about


@verbs
async def test_a_possible_verb_is_previewed_then_done(rig: Rig, verb: str) -> None:
    """The preview lists what would change and changes nothing; the command says what it did, also in the audit."""
    about = await ready(rig, verb)
    before = len(rig.writer.committed)
    shown = await rig.preview(verb, **about)
    assert shown.rows and shown.sentence
    assert len(rig.writer.committed) == before
    done = await rig.command(verb, **about, note="why")
    assert done.message
    row = next(batch.command for batch in reversed(rig.writer.committed) if batch.command is not None)
    assert (row.verb, row.outcome, row.note, row.uid) == (verb, "done", "why", OPERATOR.uid)


@pytest.mark.parametrize("verb", [name for name, case in CASES.items() if not case.always])
async def test_a_verb_that_is_not_possible_says_why(rig: Rig, verb: str) -> None:
    """What there is not, or has been done already, is refused with a sentence, in the preview as in the command."""
    about, case = await ready(rig, verb), CASES[verb]
    if case.refused is None:
        await rig.command(verb, **about)
    asked = {**about, **(case.refused or {})}
    for ask in (rig.preview, rig.command):
        with pytest.raises(Refusal) as refused:
            await ask(verb, **asked)
        assert refused.value.code in ("state", "not_found", "stale", "invalid") and " " in str(refused.value)


@verbs
def test_whoever_may_only_look_is_refused(verb: str) -> None:
    """A viewer, and a console that was opened for looking."""
    roles = Roles.read({"others": Role.VIEWER})
    with pytest.raises(Refusal, match="needs the role"):
        roles.check(OPERATOR, verb, read_only=False)
    with pytest.raises(Refusal, match="read-only"):
        Roles().check(OPERATOR, verb, read_only=True)


@pytest.mark.parametrize("verb", sorted(SEEN))
async def test_what_moved_since_it_was_seen_is_refused(rig: Rig, verb: str) -> None:
    """With who came first or what it is by now; nothing is changed."""
    about = await ready(rig, verb)
    with pytest.raises(Refusal, match="changed since you looked") as refused:
        await rig.command(verb, **about, seen_seq=0)
    assert refused.value.code == "stale"


@verbs
async def test_a_verb_sent_twice_is_applied_once(rig: Rig, verb: str) -> None:
    """The second answer is the first one again, whatever has happened since."""
    about = await ready(rig, verb)
    name = "c" * 32
    first = await rig.command(verb, **about, command_id=name)
    stored = StoredCommand(name, verb, "done", first.message, dict(first.result), first.seq, OPERATOR.uid, "x")
    rig.archive.commands[name] = stored
    batches = len(rig.writer.committed)
    again = await rig.command(verb, **about, command_id=name)
    assert (again.message, again.seq, again.result) == (first.message, first.seq, first.result)
    assert len(rig.writer.committed) == batches


async def test_an_expression_takes_the_place_of_names(rig: Rig) -> None:
    """The same verb, about what the store has found; names beside it are refused."""
    memory = await ended(rig)
    rig.archive.chosen = Chosen(tasks={memory.run.run_id: [memory.instances["a", -1].id]})
    done = await rig.command("clear", select="state:failed")
    assert (done.changed, rig.states(memory)["a"]) == (1, "scheduled")
    with pytest.raises(Refusal, match="not both"):
        await rig.command("clear", select="state:failed", runs=(memory.run.run_id,))
    assert p.Selector().expression == ""
