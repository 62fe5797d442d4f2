"""What a waiting task instance waits for, in sentences: the codes that the engine's gates stored beside its state,
joined with who holds what is missing, for how long, and what would free it when.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.model.dag import DEFAULT_POOL
from engine.model.moments import MINUTE, SECOND, Micros, to_iso
from engine.model.states import DEFERRED_TASK, Blocker
from engine.store import reads_home, reads_run
from engine.store.reader import Reader
from engine.store.rows_out import InstanceLine, RunDetail

_NAMED = 3
_LOOKED_AT = 50


class Holder(NamedTuple):
    """A task instance that holds slots."""

    id: int
    run: int
    run_id: str
    dag_id: str
    version_id: int
    task_id: str
    map_index: int
    state: str
    started_at: Micros | None
    """Of one that waits without a process: when it is due again."""

    @property
    def is_waiting(self) -> bool:
        """Whether it has begun and waits without a process, in a pool that counts such tasks."""
        return self.state in DEFERRED_TASK


@dataclass(frozen=True, slots=True)
class Question:
    """Whose wait is asked about, and when."""

    reader: Reader
    run: RunDetail
    task: InstanceLine
    now: Micros

    def spec(self, version_id: int | None = None) -> dict[str, Any]:
        """The serialized DAG of the run, or of another version."""
        found: dict[str, Any] = json.loads(reads_run.version(self.reader, version_id or self.run.version_id).spec)
        return found

    def task_spec(self) -> dict[str, Any]:
        """What the DAG says of the task."""
        return next((task for task in self.spec()["tasks"] if task["task_id"] == self.task.task_id), {})


def limit(reader: Reader, run: RunDetail, task: InstanceLine, code: str, now: Micros) -> str | None:
    """The sentence for a limit's code; None for a code that names no limit."""
    kind, _, detail = code.partition(":")
    say = _SENTENCES.get(kind)
    return None if say is None else say(Question(reader, run, task, now), detail)


def holders(reader: Reader) -> list[Holder]:
    """Who holds slots now, the longest first."""
    return [Holder._make(row) for row in reader.all("why", "holders")]


def holders_by_pool(reader: Reader) -> dict[str, list[tuple[Holder, int]]]:
    """Who holds how many slots of each pool: those that run, the longest first, then those that wait."""
    find = slots_of(reader)
    found: dict[str, list[tuple[Holder, int]]] = {}
    for holder in holders(reader):
        pool, slots = find(holder)
        found.setdefault(pool, []).append((holder, slots))
    including = {row[0] for row in reader.all("why", "including")}
    for holder in map(Holder._make, reader.all("why", "deferred") if including else ()):
        pool, slots = find(holder)
        if pool in including:
            found.setdefault(pool, []).append((holder, slots))
    return found


def slots_of(reader: Reader) -> Callable[[Holder], tuple[str, int]]:
    """Gives the pool of a holder, and how many of its slots it has."""
    known: dict[int, dict[str, tuple[str, int]]] = {}

    def find(holder: Holder) -> tuple[str, int]:
        tasks = known.get(holder.version_id)
        if tasks is None:
            spec = json.loads(reads_run.version(reader, holder.version_id).spec)
            tasks = known[holder.version_id] = {
                task["task_id"]: (task.get("pool", DEFAULT_POOL), task.get("pool_slots", 1)) for task in spec["tasks"]
            }
        return tasks.get(holder.task_id, (DEFAULT_POOL, 1))

    return find


class Asked(NamedTuple):
    """An approval that waits for its answer."""

    run_id: str
    dag_id: str
    task_id: str
    map_index: int
    message: str
    options: tuple[str, ...]
    params: dict[str, Any]
    asked_at: Micros
    due: Micros | None
    default: str | None

    @property
    def name(self) -> str:
        """The task, with its index."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class Answer(NamedTuple):
    """An answer that was given, or taken by default when nobody answered in time: then `by` is None."""

    asked_at: Micros
    answered_at: Micros
    option: str | None
    params: dict[str, Any]
    by: str | None
    origin: str | None


def questions(reader: Reader) -> list[Asked]:
    """All approvals that wait, the oldest first."""
    found = []
    for _, run_id, dag_id, version_id, task_id, map_index, asked_at in reader.all("why", "questions"):
        spec = _approval(reader, version_id, task_id)
        due = asked_at + round(spec["timeout"] * SECOND) if spec.get("timeout") else None
        options = tuple(spec.get("options", ("approve", "reject")))
        about = (spec.get("message", ""), options, spec.get("params", {}), asked_at, due, spec.get("default"))
        found.append(Asked(run_id, dag_id, task_id, map_index, *about))
    return found


def question(reader: Reader, run: RunDetail, task: InstanceLine, now: Micros) -> str:
    """What an approval waits for, in a sentence."""
    spec = _approval(reader, run.version_id, task.task_id)
    options = ", ".join(spec.get("options", ("approve", "reject")))
    said = f"it waits for a person: {spec.get('message') or 'an answer'} ({options})"
    if spec.get("timeout") and task.scheduled_at is not None:
        due = task.scheduled_at + round(spec["timeout"] * SECOND)
        then = f"{spec['default']} is taken" if spec.get("default") else "it fails"
        said += f"; {then} at {moment_words(due)} (in {time_words(max(due - now, 0))})"
    return f"{said}; `dagdeck answer {run.run_id} {task.task_id} OPTION` frees it"


def answers(reader: Reader, task_instance: int) -> list[Answer]:
    """The answers that an approval has been given, the first one first."""
    rows = reader.all("why", "answers", {"task_instance": task_instance})
    return [Answer._make((*row[:3], json.loads(row[3]), *row[4:])) for row in rows]


def _approval(reader: Reader, version_id: int, task_id: str) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(reads_run.version(reader, version_id).spec)
    return next((task.get("approval") or {} for task in spec["tasks"] if task["task_id"] == task_id), {})


def _pool(question: Question, pool: str) -> str:
    reader = question.reader
    row = reader.one("why", "pool", {"name": pool})
    if row is None:
        return f"there is no pool {pool}: make it with `dagdeck pools resize {pool} SLOTS`"
    size, need = int(row[0]), int(question.task_spec().get("pool_slots", 1))
    if size == 0:
        return f"pool {pool} has 0 slots, so nothing of it starts: `dagdeck pools resize {pool} SLOTS` frees it"
    if need > size >= 0:
        return (
            f"it needs {need} slots of pool {pool}, which has {size} in all, so it cannot start: "
            f"`dagdeck pools resize {pool} {need}` frees it"
        )
    mine = holders_by_pool(reader).get(pool, [])
    free = size - sum(slots for _, slots in mine)
    return (
        f"it needs {need} of the {size} slots of pool {pool}, of which {max(free, 0)} are free: "
        f"{_held(question, [holder for holder, _ in mine])}"
    )


def _reserved(question: Question, detail: str) -> str:
    return reserved_words(question.reader, detail, question.now)


def reserved_words(reader: Reader, detail: str, now: Micros) -> str:
    """For whom the free slots of a pool are kept, and until when; `detail` is the pool, the instance and the moment."""
    pool, ti, until = detail.rsplit(":", 2)
    row = reader.one("why", "instance", {"id": int(ti)})
    who = name_of(row[1], row[2], row[0]) if row is not None else "a task that needs more of them"
    left = time_words(max(int(until) - now, 0))
    return (
        f"the free slots of pool {pool} are kept for {who}, which needs more of them: others pass when it has started, "
        f"or at {moment_words(int(until))} (in {left})"
    )


def _dag(question: Question, detail: str) -> str:
    most, dag_id = question.spec().get("max_active_tasks"), question.run.dag_id
    mine = [holder for holder in holders(question.reader) if holder.dag_id == dag_id]
    return f"DAG {dag_id} runs {len(mine)} tasks, its max_active_tasks is {most}: {_held(question, mine)}"


def _run(question: Question, detail: str) -> str:
    most = question.spec().get("max_active_tasks_per_run")
    mine = [holder for holder in holders(question.reader) if holder.run == question.run.id]
    return f"its run has {len(mine)} running tasks, max_active_tasks_per_run is {most}: {_held(question, mine)}"


def _task(question: Question, detail: str) -> str:
    most, task_id = question.task_spec().get("max_active_tis"), question.task.task_id
    mine = [
        holder
        for holder in holders(question.reader)
        if (holder.dag_id, holder.task_id) == (question.run.dag_id, task_id)
    ]
    return f"task {task_id} runs {len(mine)} times over all runs, its max_active_tis is {most}: {_held(question, mine)}"


def _engine(question: Question, detail: str) -> str:
    mine = holders(question.reader)
    return f"all {len(mine)} slots of the engine are taken: {_held(question, mine)}"


def _breaker(question: Question, name: str) -> str:
    found = next((each for each in reads_home.breakers(question.reader) if each.name == name), None)
    if found is None or found.state == "closed":
        return f"breaker {name} has just closed, and it starts as soon as the engine comes to it"
    if found.state == "half_open":
        return f"breaker {name} lets one task try first: the others start when that succeeds"
    by = f"tripped by {found.by}" if found.by else f"after {found.failures} failures in a row"
    where = f" in {', '.join(found.victims)}" if found.victims and not found.by else ""
    error = f", the last: {found.last_error}" if found.last_error and not found.by else ""
    opened = f"breaker {name} is open since {moment_words(found.opened_at or question.now)}, {by}{where}{error}"
    if found.until is None:
        note = f" ({found.note})" if found.note else ""
        return f"{opened}{note}: it is held until `dagdeck breakers reset {name}`"
    left = time_words(max(found.until - question.now, 0))
    probe = f"one probe goes out at {moment_words(found.until)} (in {left})"
    return f"{opened}; {probe}, `dagdeck breakers reset {name}` frees it now"


def _held(question: Question, mine: list[Holder]) -> str:
    """Who holds it, and when the first of them is likely to end."""
    if not mine:
        return "they have just come back, and it starts as soon as the engine comes to it"
    named = ", ".join(_holder(holder, question.now) for holder in mine[:_NAMED])
    more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
    if all(holder.is_waiting for holder in mine):
        verb = "keeps its slots" if len(mine) == 1 else "keep their slots"
        due = min((holder.started_at for holder in mine if holder.started_at is not None), default=question.now)
        left = time_words(max(due - question.now, 0))
        return f"{named}{more} {verb} while waiting; it is freed when one of them ends, not before that (in {left})"
    verb = "holds" if len(mine) == 1 else "hold"
    return f"{named}{more} {verb} the rest; it is freed when one of them ends{_when(question, mine)}"


def _when(question: Question, mine: list[Holder]) -> str:
    usual: dict[tuple[str, str], Micros | None] = {}
    ends = []
    for holder in mine[:_LOOKED_AT]:
        key = (holder.dag_id, holder.task_id)
        if key not in usual:
            stats = reads_run.task_stats(question.reader, holder.dag_id, [holder.task_id], question.now)
            usual[key] = stats[holder.task_id].p50 if holder.task_id in stats else None
        p50 = usual[key]
        if holder.is_waiting and holder.started_at is not None:
            ends.append(max(holder.started_at - question.now, 0))
        elif p50 is not None and holder.started_at is not None:
            ends.append(max(holder.started_at + p50 - question.now, 0))
    return f", by their usual times in about {time_words(min(ends))}" if ends else ""


def _holder(holder: Holder, now: Micros) -> str:
    if holder.is_waiting:
        due = f" at {moment_words(holder.started_at)}" if holder.started_at is not None else ""
        return f"{name_of(holder.task_id, holder.map_index, holder.run_id)}, to be tried again{due},"
    since = f" for {time_words(max(now - holder.started_at, 0))}" if holder.started_at is not None else ""
    return f"{name_of(holder.task_id, holder.map_index, holder.run_id)}{since}"


def moment_words(at: Micros) -> str:
    """A moment to the second, in UTC."""
    return to_iso(at - at % SECOND)


def name_of(task_id: str, map_index: int, run_id: str) -> str:
    """A task instance in a sentence."""
    return f"{task_id if map_index < 0 else f'{task_id}[{map_index}]'} of {run_id}"


def time_words(span: Micros) -> str:
    """How long, in the largest unit that says enough."""
    seconds = (span + SECOND - 1) // SECOND
    if span < 2 * MINUTE:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


_SENTENCES: dict[str, Callable[[Question, str], str]] = {
    Blocker.POOL: _pool,
    Blocker.POOL_RESERVED: _reserved,
    Blocker.MAX_ACTIVE_TASKS_PER_DAG: _dag,
    Blocker.MAX_ACTIVE_TASKS_PER_RUN: _run,
    Blocker.MAX_ACTIVE_TIS_PER_TASK: _task,
    Blocker.ENGINE_SLOTS: _engine,
    Blocker.BREAKER: _breaker,
}
