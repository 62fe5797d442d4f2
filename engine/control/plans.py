"""Plans: what a command would touch, exactly, and how it is done. A preview shows one; a command carries one out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from engine.control.protocol import Code, Effect, Selector
from engine.lifecycle.core import rehearse
from engine.lifecycle.events import OperatorEvent
from engine.lifecycle.memory import RunMemory
from engine.model.ids import instance_name, split_name
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED, TaskInstance
from engine.model.states import ALIVE_TASK, TERMINAL_RUN, RunState, TaskState
from engine.model.terms import Terms
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.reads_inbox import Cause, Dragged
from engine.store.reads_trash import Trashed
from engine.store.reads_why import Answer
from engine.store.selecting import Chosen, Kind
from engine.store.stored import StoredBackfill, StoredCommand, StoredSlot


class Refusal(Exception):
    """A command that cannot be done; `code` as in the protocol, the text says why and what would work."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Ask:
    """What was asked for, by whom. `command` is the id of the command (empty for a preview)."""

    verb: str
    select: Selector
    args: dict[str, Any]
    actor: str
    command: str = ""
    note: str | None = None
    found: Any = None
    """What the verb has gathered of the store."""
    origin: str | None = None
    """From where: which client, and what it says of its connection."""
    chosen: Mapping[str, Collection[int]] | None = None
    """Of an expression about task instances: their keys, by the id of their run."""

    beside: frozenset[str] = frozenset()
    """Of its runs those that were added to the one that was named: they need not have its tasks."""

    @property
    def names_tasks(self) -> bool:
        """Whether it is about some task instances of its runs, not about all."""
        return bool(self.select.task_ids) or self.chosen is not None


@dataclass(slots=True)
class Target:
    """One row that a plan touches, with the commit that moved it last."""

    key: tuple[str, int | str]
    """`("task", id)`, `("run", id)`, `("dag", dag_id)` or `("engine", 0)`."""
    effect: Effect
    changed_seq: int = 0

    @property
    def name(self) -> str:
        """How people call it."""
        effect = self.effect
        if effect.task_id is not None:
            return f"{instance_name(effect.task_id, effect.map_index)} of {effect.run_id}"
        return effect.run_id or effect.dag_id


Carry = Callable[[Turn, list[Target]], dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """Targets, a sentence for people, and `carry`: does it for the targets given, and says what it made."""

    targets: list[Target]
    sentence: str
    carry: Carry
    done: Callable[[list[Target]], str]
    """What to say of the targets that were not left out, once it is committed."""
    reopens: int = 0
    warnings: list[str] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)
    """For what runs again: with which version of its DAG."""
    inverse: Callable[[list[Target]], Inverse | None] | None = None
    """After `carry`: the command that does the opposite, where that is not giving rows their former states back."""
    final: bool = False
    """After `carry`: nothing of it can be taken back."""
    follows: Callable[[], list[Effect]] = list
    """Finds rows that nobody named but that would move with the targets, because of what trigger rules had decided."""

    @property
    def kills(self) -> int:
        """Processes that would be killed."""
        return sum(target.effect.kills for target in self.targets)

    @property
    def counts(self) -> dict[str, int]:
        """Targets by the state they are in now; of runs with their tasks the tasks alone: those are what is counted."""
        tasks = [target.effect.state for target in self.targets if target.key[0] == "task"]
        return dict(Counter(tasks or (target.effect.state for target in self.targets)))


class Archive(Protocol):
    """What commands need of the store, read off the loop."""

    async def load_run(self, run_id: str) -> None:
        """Brings a run into memory, if there is one of that id."""

    async def find_command(self, command_id: str) -> StoredCommand | None:
        """A command that was applied or refused before."""

    async def runs_in_slots(self, dag_id: str, low: Micros, high: Micros) -> dict[Micros, StoredSlot]:
        """The scheduled and backfill runs of a DAG with logical dates in [low, high], by date."""

    async def usual_run_time(self, dag_id: str, now: Micros) -> tuple[Micros, Micros] | None:
        """How long runs of a DAG take, median and 95th percentile; None where none is known."""

    async def usual_task_times(self, dag_id: str, task_ids: Collection[str], now: Micros) -> dict[str, Micros]:
        """The median duration of tasks of a DAG, of those that have run."""

    async def choose(self, terms: Terms, kind: Kind) -> Chosen:
        """What an expression means."""

    async def trashed(self) -> list[Trashed]:
        """Deleted runs."""

    async def causes(self, since: Micros, *, retrying: bool = False) -> list[Cause]:
        """What has failed since then and nobody has resolved, by cause; with `retrying` what waits for its next try."""

    async def dragged_down(self, runs: Iterable[int]) -> list[Dragged]:
        """What of these runs did not run because something before it had failed."""

    async def stopped_backfills(self, runs: Iterable[int]) -> list[StoredBackfill]:
        """The backfills of these runs that failures have stopped, with their dates."""

    async def runs_beside(self, run_id: str, *, past: bool, future: bool) -> list[str]:
        """Runs of the same DAG with earlier or later logical dates, oldest first."""

    async def command_by_number(self, number: int) -> str | None:
        """The id of a command of the audit."""

    async def last_answer(self, task_instance: int) -> Answer | None:
        """The newest answer that an approval has been given."""

    async def load_backfill(self, backfill: int) -> StoredBackfill | None:
        """A backfill with its dates, if there is one of that number."""


@runtime_checkable
class Gatherer(Protocol):
    """A verb that has to look into the store before it can plan."""

    async def gather(self, scheduler: Scheduler, archive: Archive, ask: Ask, now: Micros) -> Any:
        """What `ask.found` is to be. Raises Refusal."""


@runtime_checkable
class Resolver(Protocol):
    """A verb that finds out by itself which runs it is about."""

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """The same, about runs. Raises Refusal."""


class Verb(Protocol):
    """One thing that operators can ask for."""

    name: str

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        """What it would do to what is in memory now. Runs named by the selector have been loaded. Raises Refusal."""


def the_runs(scheduler: Scheduler, ask: Ask) -> list[RunMemory]:
    """The runs a command names. Raises Refusal when it names none, or one that does not exist."""
    if not ask.select.run_ids:
        raise Refusal("invalid", f"{ask.verb} needs a run")
    found = []
    for run_id in ask.select.run_ids:
        key = scheduler.state.names.get(run_id)
        if key is None:
            raise Refusal("not_found", f"there is no run {run_id}")
        found.append(scheduler.state.runs[key])
    return found


def the_tasks(memory: RunMemory, ask: Ask) -> list[TaskInstance]:
    """The task instances of a run that a command names, all of them if it names none. Raises Refusal.

    A name is a task, an index such as `task[3]`, or a task group. A mapped task means its indexes, once it has some.
    With a run before it (`RUN/task`) it is that run's alone.
    """
    if ask.chosen is not None:
        keys = ask.chosen.get(memory.run.run_id, ())
        rows = [memory.by_id[key] for key in keys if key in memory.by_id]
        return [instance for instance in rows if _stands_for_itself(memory, instance)]
    if not ask.select.task_ids:
        return [instance for instance in memory.by_id.values() if _stands_for_itself(memory, instance)]
    found: dict[int, TaskInstance] = {}
    for listed in ask.select.task_ids:
        run_id, _, name = listed.rpartition("/")
        if run_id not in ("", memory.run.run_id):
            if run_id not in ask.select.run_ids:
                raise Refusal("not_found", f"run {memory.run.run_id} has no task {listed}")
            continue
        named = [instance for instance in _named(memory, name) if _stands_for_itself(memory, instance)]
        if not named and memory.run.run_id not in ask.beside:
            raise Refusal("not_found", f"run {memory.run.run_id} has no task {name}")
        found.update((instance.id, instance) for instance in named)
    return list(found.values())


def _named(memory: RunMemory, name: str) -> list[TaskInstance]:
    task_id, map_index = split_name(name)
    if map_index is not None:
        one = memory.instances.get((task_id, map_index))
        return [] if one is None else [one]
    tasks = {task_id}
    if (task_id, UNMAPPED) not in memory.instances:
        specs = memory.plan.spec.tasks
        tasks = {task.task_id for task in specs if f"{task.group or ''}.".startswith(f"{task_id}.")}
    return [instance for instance in memory.by_id.values() if instance.task_id in tasks]


def _stands_for_itself(memory: RunMemory, instance: TaskInstance) -> bool:
    """Not the summary row of indexes, and no index whose item is gone."""
    group = memory.groups.get(instance.task_id)
    if group is None:
        return True
    if instance.map_index == UNMAPPED:
        return not group.live
    return instance.state is not TaskState.REMOVED


def task_target(memory: RunMemory, instance: TaskInstance, becomes: str, detail: str = "") -> Target:
    """A task instance as a row of a preview."""
    effect = Effect(
        kind="task",
        dag_id=memory.run.dag_id,
        run_id=memory.run.run_id,
        task_id=instance.task_id,
        map_index=instance.map_index,
        state=instance.state.value,
        becomes=becomes,
        detail=detail,
        kills=instance.state in ALIVE_TASK,
    )
    return Target(("task", instance.id), effect, instance.changed_seq)


_DECIDED = frozenset({TaskState.UPSTREAM_FAILED, TaskState.SKIPPED})


def following(
    scheduler: Scheduler,
    targets: list[Target],
    event: Callable[[tuple[int, ...]], OperatorEvent],
    left: Callable[[RunMemory, TaskInstance], None] = lambda _memory, _copy: None,
) -> list[Effect]:
    """What else would move if `event` happened to the targets of each run: the lifecycle is asked, on a copy.

    `left` is told of each target, as the copy has it, that trigger rules would decide at once, without a run of it.
    """
    found = []
    for run, instances in by_run(scheduler, targets).items():
        memory = scheduler.state.runs[run]
        ids = tuple(instance.id for instance in instances)
        moved = rehearse(memory, event(ids), scheduler.clock.now()).tasks
        for key, (copy, before) in moved.items():
            if key in ids and copy.state in _DECIDED:
                left(memory, copy)
            if key not in ids and copy.state is not before and _stands_for_itself(memory, memory.by_id[key]):
                effect = task_target(memory, memory.by_id[key], copy.state.value, "follows from it").effect
                found.append(effect)
    return found


def run_target(memory: RunMemory, becomes: str, detail: str = "") -> Target:
    """A run as a row of a preview."""
    run = memory.run
    effect = Effect(
        kind="run", dag_id=run.dag_id, run_id=run.run_id, state=run.state.value, becomes=becomes, detail=detail
    )
    return Target(("run", run.id), effect, run.changed_seq)


def by_run(scheduler: Scheduler, targets: Iterable[Target]) -> dict[int, list[TaskInstance]]:
    """The task instances among targets, by run."""
    grouped: dict[int, list[TaskInstance]] = {}
    for target in targets:
        if target.key[0] == "task":
            memory = scheduler.state.runs[scheduler.state.names[target.effect.run_id or ""]]
            grouped.setdefault(memory.run.id, []).append(memory.by_id[int(target.key[1])])
    return grouped


def is_over(memory: RunMemory) -> bool:
    """Whether acting on the run's tasks reopens it."""
    return memory.run.state in TERMINAL_RUN or memory.run.state is RunState.CANCELLING


def plural(count: int, thing: str, things: str | None = None) -> str:
    """`1 process`, `3 processes`."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def describe(targets: list[Target], reopens: int = 0) -> str:
    """The one line of a preview about task instances."""
    runs = {target.effect.run_id for target in targets}
    parts = [
        plural(len(targets), "task instance"),
        f"of {next(iter(runs))}" if len(runs) == 1 else f"of {len(runs)} runs",
    ]
    dags = {target.effect.dag_id for target in targets}
    if len(dags) > 1:
        parts.append(f"of {len(dags)} DAGs")
    kills = sum(target.effect.kills for target in targets)
    tail = [f"{plural(kills, 'process', 'processes')} killed"]
    if reopens:
        tail.append(f"{plural(reopens, 'run')} reopened")
    return f"{' '.join(parts)}, {', '.join(tail)}"
