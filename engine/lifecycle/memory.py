"""One active run in memory: its rows, and counters that make every event cost no more than its own downstream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from engine.lifecycle.changes import Changes, Episode
from engine.lifecycle.past import PastWait, past_waits
from engine.lifecycle.plan import DagPlan
from engine.lifecycle.rules import RULES, UpstreamCounts, Verdict, after_setups, setups_needed
from engine.model.dag import TaskSpec
from engine.model.rows import UNMAPPED, Attempt, Run, TaskInstance, Transition
from engine.model.states import TERMINAL_RUN, TERMINAL_TASK, Reason, RunState, TaskState

_POSITION_SHIFT = 32
_RUN = Verdict.RUN


class Node:
    """A task instance with its place in the graph and the counts of its direct upstream instances."""

    __slots__ = (
        "children",
        "counts",
        "decide",
        "deciders",
        "governed",
        "group",
        "guards",
        "left_out",
        "position",
        "setups",
        "task",
        "ti",
    )

    def __init__(self, ti: TaskInstance, task: TaskSpec, index: int) -> None:
        self.ti = ti
        self.task = task
        self.position = (index << _POSITION_SHIFT) + ti.map_index + 1
        """Sorts instances topologically, indexes of a mapped task in order."""
        self.counts = UpstreamCounts()
        self.children: list[Node] = []
        self.decide: Callable[[UpstreamCounts], Verdict] = RULES[task.trigger_rule]
        self.group: Group | None = None
        """For the summary row and the indexes of a mapped task."""
        self.deciders: list[Node] = []
        """Branches and short circuits that may leave this one out; it waits for all of them."""
        self.guards: list[Node] = []
        """Setups that this one needs, directly or not; it waits for all of them."""
        self.governed: list[Node] = []
        """Those that have this one among their deciders or guards."""
        self.left_out: frozenset[str] = frozenset()
        """Tasks that this one, a decider that has succeeded, has left out."""
        self.setups: list[Node] = []
        """Of a teardown: the setups that it cleans up after."""

    def verdict(self) -> Verdict:
        """What is to become of the instance, given how everything that it waits for ended."""
        if self.ti.forced:
            return Verdict.RUN
        if self.deciders:
            if any(decider.ti.state not in TERMINAL_TASK for decider in self.deciders):
                return Verdict.WAIT
            if self.leaver() is not None:
                return Verdict.SKIP
        if self.guards and (lacking := setups_needed(node.ti.state for node in self.guards)) is not _RUN:
            return lacking
        verdict = self.decide(self.counts)
        return after_setups([node.ti.state for node in self.setups]) if self.setups and verdict is _RUN else verdict

    def leaver(self) -> Node | None:
        """The decider that left this one out, the first of several."""
        return next((decider for decider in self.deciders if self.ti.task_id in decider.left_out), None)


class Items(Protocol):
    """What a run knows of the items of its mapped tasks."""

    def size(self, task_id: str) -> int | str:
        """How many items a mapped task has, by what it is mapped over now; text: why that cannot be said."""

    def new_id(self) -> int:
        """An id for a new task instance."""


class Group:
    """A mapped task in one run: its summary row and its indexes, which share the summary's upstream counts.

    Before the expansion, and when all indexes are removed, the summary row is an instance like any other. Once there
    are indexes they are what is decided, started and counted downstream, and the summary's state only sums them up.
    """

    __slots__ = ("below", "members", "size", "summary", "tally", "unfinished")

    def __init__(self, summary: Node) -> None:
        self.summary = summary
        self.below: list[Node] = []
        """The instances directly downstream."""
        self.members: list[Node] = []
        """By index; none is ever missing, those without an item are `removed`."""
        self.tally: dict[TaskState, int] = dict.fromkeys(TaskState, 0)
        self.unfinished = 0
        self.size = 0
        """How many items there were when the indexes were last fitted to them."""

    def measure(self) -> None:
        """The size that the indexes' states tell: one that is being killed counts until it is removed."""
        removed = (at for at, node in enumerate(self.members) if node.ti.state is TaskState.REMOVED)
        self.size = next(removed, len(self.members))

    @property
    def task_id(self) -> str:
        return self.summary.ti.task_id

    @property
    def live(self) -> int:
        """Indexes that are not removed."""
        return len(self.members) - self.tally[TaskState.REMOVED]

    def add(self, node: Node) -> None:
        """Takes in the next index."""
        node.group, node.counts, node.children = self, self.summary.counts, self.below
        node.deciders, node.guards = self.summary.deciders, self.summary.guards
        self.members.append(node)
        self.tally[node.ti.state] += 1
        if node.ti.state not in TERMINAL_TASK:
            self.unfinished += 1

    def is_summary(self, node: Node) -> bool:
        """Whether the node only sums up indexes."""
        return node is self.summary and self.live > 0


class RunMemory:
    """One active run. Changed by `core.apply` alone; everything here is derived from rows and can be rebuilt."""

    __slots__ = (
        "by_attempt",
        "by_id",
        "episode",
        "groups",
        "instances",
        "items",
        "nodes",
        "open_groups",
        "overruled",
        "past",
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
        self.past: dict[str, PastWait] = past_waits(plan, run)
        """Tasks that may not start yet because of the run before, and what they wait for there."""
        self.tally: dict[TaskState, int] = dict.fromkeys(TaskState, 0)
        """How many instances are in each state."""
        self.unfinished = 0
        """How many instances are not terminal."""
        self.groups: dict[str, Group] = {}
        """Mapped tasks, by id."""
        self.open_groups = 0
        """Summary rows that wait for their indexes."""
        self.items: Items = NoItems()

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
        self.nodes = {ti.id: self.node_of(ti) for ti in self.instances.values() if has_task(plan, ti)}
        first = {node.ti.task_id: node for node in self.nodes.values() if node.ti.map_index == UNMAPPED}
        self._group(first)
        for task_id, node in first.items():
            below = [first[name] for name in plan.downstream[task_id] if name in first]
            group = self.groups.get(task_id)
            if group is None or not group.live:
                node.children = below
                for child in below:
                    child.counts.include(node.ti.state)
            if group is not None:
                group.below[:] = below
                for member in group.members:
                    for child in below:
                        child.counts.include(member.ti.state)
        self._link_roles(first)

    def _link_roles(self, first: dict[str, Node]) -> None:
        """Deciders with what they may leave out, setups with what needs them, teardowns with their setups."""
        for task_id, needing in self.plan.guarded.items():
            first[task_id].governed += [first[name] for name in needing]
            for name in needing:
                first[name].guards.append(first[task_id])
        for task_id, below in self.plan.governed.items():
            decider = first[task_id]
            decider.governed += [first[name] for name in below]
            for name in below:
                first[name].deciders.append(decider)
            self.note_decision(decider)
        for node in first.values():
            node.setups += [first[name] for name in node.task.setups]

    def note_decision(self, node: Node) -> None:
        """Follows the decision in a decider's row."""
        chosen = node.ti.decision
        known = chosen is not None and node.ti.task_id in self.plan.governed
        node.left_out = self.plan.left_out(node.ti.task_id, chosen or ()) if known else frozenset()

    def node_of(self, ti: TaskInstance) -> Node:
        """A node without edges."""
        return Node(ti, self.plan.tasks[ti.task_id], self.plan.index[ti.task_id])

    def _group(self, first: dict[str, Node]) -> None:
        self.groups = {name: Group(node) for name, node in first.items() if self.plan.tasks[name].mapped}
        for group in self.groups.values():
            group.summary.group = group
        if self.groups:
            for node in sorted(self.nodes.values(), key=lambda node: node.position):
                if node.ti.map_index != UNMAPPED:
                    self.groups[node.ti.task_id].add(node)
        for group in self.groups.values():
            group.measure()
        self.open_groups = sum(group.summary.ti.state is TaskState.DEFERRED for group in self.groups.values())

    def queue_scheduled(self) -> None:
        """Puts the instances that wait for limits into their order, after the rows came from the store."""
        waiting = [ti for ti in self.by_id.values() if ti.state is TaskState.SCHEDULED]
        waiting.sort(key=lambda ti: (ti.scheduled_at or 0, self.nodes[ti.id].position))
        self.scheduled = {ti.id: ti for ti in waiting}


class NoItems:
    """What a run knows before anybody has told it."""

    def size(self, task_id: str) -> int | str:
        """Nothing is known."""
        return "nothing is known of its items"

    def new_id(self) -> int:
        """Never asked for where there are no items."""
        raise ValueError("a run without items has no indexes to make")


def has_task(plan: DagPlan, ti: TaskInstance) -> bool:
    """Whether the plan has the instance's task, and for an index has it mapped."""
    task = plan.tasks.get(ti.task_id)
    return task is not None and (ti.map_index == UNMAPPED or bool(task.mapped))


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
        if not has_task(plan, ti) and ti.state is not TaskState.REMOVED:
            index = f"[{ti.map_index}]" if ti.map_index != UNMAPPED else ""
            raise ValueError(f"run {run.run_id}: task {ti.task_id}{index} is not in DAG version {plan.version_id}")
        memory.add(ti)
    missing = [task_id for task_id in plan.order if (task_id, UNMAPPED) not in memory.instances]
    if missing:
        raise ValueError(f"run {run.run_id}: no task instance for {', '.join(missing[:5])}")
    memory.link()
    memory.queue_scheduled()
    return memory
