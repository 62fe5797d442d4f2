"""One active run in memory: its rows, and counters that make every event cost no more than its own downstream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from engine.lifecycle.changes import Changes, Episode
from engine.lifecycle.plan import DagPlan
from engine.lifecycle.rules import RULES, UpstreamCounts, Verdict
from engine.model.dag import TaskSpec
from engine.model.rows import UNMAPPED, Attempt, Run, TaskInstance, Transition
from engine.model.states import TERMINAL_RUN, TERMINAL_TASK, Reason, RunState, TaskState

_POSITION_SHIFT = 32


class Node:
    """A task instance with its place in the graph and the counts of its direct upstream instances."""

    __slots__ = ("children", "counts", "decide", "position", "task", "ti")

    def __init__(self, ti: TaskInstance, task: TaskSpec, index: int) -> None:
        self.ti = ti
        self.task = task
        self.position = (index << _POSITION_SHIFT) + ti.map_index + 1
        """Sorts instances topologically, indexes of a mapped task in order."""
        self.counts = UpstreamCounts()
        self.children: list[Node] = []
        self.decide: Callable[[UpstreamCounts], Verdict] = RULES[task.trigger_rule]


class RunMemory:
    """One active run. Changed by `core.apply` alone; everything here is derived from rows and can be rebuilt."""

    __slots__ = (
        "by_attempt",
        "by_id",
        "episode",
        "instances",
        "nodes",
        "overruled",
        "plan",
        "run",
        "scheduled",
        "tally",
        "unfinished",
    )

    def __init__(self, plan: DagPlan, run: Run) -> None:
        self.plan = plan
        self.run = run
        self.episode = _episode(run)
        self.instances: dict[tuple[str, int], TaskInstance] = {}
        self.by_id: dict[int, TaskInstance] = {}
        self.by_attempt: dict[str, TaskInstance] = {}
        """By id of the attempt that has not ended."""
        self.overruled: dict[str, Attempt] = {}
        """Attempts that ended without a result of their own: what they still report is kept as a late result."""
        self.scheduled: dict[int, TaskInstance] = {}
        """Instances that wait for limits, in the order in which they began to."""
        self.nodes: dict[int, Node] = {}
        """By task instance id; instances whose task is gone from the plan have none."""
        self.tally: dict[TaskState, int] = dict.fromkeys(TaskState, 0)
        """How many instances are in each state."""
        self.unfinished = 0
        """How many instances are not terminal."""

    def task(self, ti: TaskInstance) -> TaskSpec:
        """The spec of an instance's task. Raises KeyError for an instance whose task is gone from the plan."""
        return self.plan.tasks[ti.task_id]

    def add(self, ti: TaskInstance) -> None:
        """Takes in a row; `link` has to follow."""
        self.instances[ti.task_id, ti.map_index] = ti
        self.by_id[ti.id] = ti
        self.tally[ti.state] += 1
        if ti.state not in TERMINAL_TASK:
            self.unfinished += 1
        if ti.current is not None:
            self.by_attempt[ti.current.id] = ti

    def link(self) -> None:
        """Builds the nodes of all instances from the plan: edges and counts, all anew."""
        plan = self.plan
        self.nodes = {
            ti.id: Node(ti, plan.tasks[ti.task_id], plan.index[ti.task_id])
            for ti in self.instances.values()
            if ti.task_id in plan.tasks
        }
        by_task: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            by_task.setdefault(node.ti.task_id, []).append(node)
        for task_id, members in by_task.items():
            children = [child for below in plan.downstream[task_id] for child in by_task.get(below, ())]
            for node in members:
                node.children = children
                for child in children:
                    child.counts.include(node.ti.state)

    def queue_scheduled(self) -> None:
        """Puts the instances that wait for limits into their order, after the rows came from the store."""
        waiting = [ti for ti in self.by_id.values() if ti.state is TaskState.SCHEDULED]
        waiting.sort(key=lambda ti: (ti.scheduled_at or 0, self.nodes[ti.id].position))
        self.scheduled = {ti.id: ti for ti in waiting}


def _episode(run: Run) -> Episode:
    """The run's present episode; who opened it stands in the store alone."""
    outcome = run.state if run.state in TERMINAL_RUN else None
    reason = Reason.CREATED if run.episode == 1 else Reason.REOPENED
    return Episode(run.id, run.episode, run.version_id, run.started_at, run.ended_at, outcome, reason=reason)


def new_run(plan: DagPlan, run: Run, ids: Iterator[int], changes: Changes) -> RunMemory:
    """A run and its task instances (ids from `ids`), all in `none`, to be inserted. The run must be queued."""
    if run.state is not RunState.QUEUED:
        raise ValueError(f"run {run.run_id} is created as {run.state}; a new run is queued")
    memory = RunMemory(plan, run)
    changes.insert_run(run)
    for task_id in plan.order:
        ti = TaskInstance(next(ids), run.id, task_id, UNMAPPED)
        memory.add(ti)
        changes.insert_task(ti)
    memory.link()
    memory.episode.opened_by = run.created_by
    changes.touch_episode(memory.episode)
    changes.transitions.append(
        Transition("run", run.created_at, run.dag_id, run.id, to_state=run.state, reason=Reason.CREATED)
    )
    return memory


def restore(plan: DagPlan, run: Run, instances: Iterable[TaskInstance]) -> RunMemory:
    """A run as the store has it, each instance with its unfinished attempt as `current`.

    Raises ValueError when rows and plan do not belong together.
    """
    memory = RunMemory(plan, run)
    for ti in instances:
        if ti.task_id not in plan.tasks and ti.state is not TaskState.REMOVED:
            raise ValueError(f"run {run.run_id}: task {ti.task_id} is not in DAG version {plan.version_id}")
        memory.add(ti)
    missing = [task_id for task_id in plan.order if (task_id, UNMAPPED) not in memory.instances]
    if missing:
        raise ValueError(f"run {run.run_id}: no task instance for {', '.join(missing[:5])}")
    memory.link()
    memory.queue_scheduled()
    return memory
