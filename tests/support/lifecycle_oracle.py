"""What is to become of a task, spelled out over plain states: independent of the engine, slow and obvious."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from engine.model.dag import DagSpec, TaskSpec
from tests.support.trigger_oracle import DONE, verdict


class Shape:
    """A DAG as sets of names."""

    def __init__(self, spec: DagSpec) -> None:
        self.tasks = {task.task_id: task for task in spec.tasks}
        self.outcome = spec.outcome

    def children(self, name: str) -> set[str]:
        return {task.task_id for task in self.tasks.values() if name in task.upstream}

    def below(self, names: Iterable[str]) -> set[str]:
        """Everything that can be reached from these."""
        found: set[str] = set()
        edge = set(names)
        while edge:
            edge = {child for name in edge for child in self.children(name)} - found
            found |= edge
        return found

    def may_leave_out(self, decider: TaskSpec, name: str) -> bool:
        """Whether a task is one that the decider has a say about."""
        if decider.decides is None or self.tasks[name].role == "teardown":
            return False
        everything = decider.decides == "short_circuit" and decider.skips_all_below
        return name in (self.below([decider.task_id]) if everything else self.children(decider.task_id))

    def leaves_out(self, decider: TaskSpec, chosen: Collection[str], name: str) -> bool:
        """Whether the decider left the task out."""
        if not self.may_leave_out(decider, name):
            return False
        ways = {other for other in chosen if self.may_leave_out(decider, other)}
        return decider.decides == "short_circuit" or name not in ways | self.below(ways)

    def waited_for(self, name: str) -> set[str]:
        """Of a teardown: what is before it, and what lies between its setups and itself."""
        task = self.tasks[name]
        between = {other for other in self.below(task.setups) if name in self.below([other])}
        return set(task.upstream) | between

    def needed(self, name: str) -> set[str]:
        """The setups between which and their teardown a task lies."""
        return {
            setup
            for teardown in self.tasks.values()
            for setup in teardown.setups
            if name in self.below([setup]) and teardown.task_id in self.below([name])
        }

    def expected(
        self,
        name: str,
        states: Mapping[str, str],
        decisions: Mapping[str, Collection[str] | None],
        forced: bool,
        indexes: Mapping[str, list[str]],
    ) -> str:
        """`run`, `skip`, `fail` or `wait`. `indexes` has the states of those that count, of tasks that have some."""
        if forced:
            return "run"
        task = self.tasks[name]
        deciders = [other for other in self.tasks.values() if self.may_leave_out(other, name)]
        if any(states[other.task_id] not in DONE for other in deciders):
            return "wait"
        for other in deciders:
            chosen = decisions[other.task_id]
            if states[other.task_id] == "success" and chosen is not None and self.leaves_out(other, chosen, name):
                return "skip"
        if task.role != "teardown":
            needed = {states[setup] for setup in self.needed(name)} - {"removed"}
            if needed - set(DONE):
                return "wait"
            if needed - {"success"}:
                return "skip" if needed <= {"success", "skipped"} else "fail"
            above = [state for other in task.upstream for state in indexes.get(other, [states[other]])]
            return verdict(task.trigger_rule, above)
        if any(states[above] not in DONE for above in self.waited_for(name)):
            return "wait"
        setups = [states[setup] for setup in task.setups if states[setup] != "removed"]
        if not setups or "success" in setups:
            return "run"
        return "skip" if set(setups) == {"skipped"} else "fail"

    def decides_the_run(self, name: str) -> bool:
        """Whether a failure of the task fails the run."""
        task = self.tasks[name]
        if task.allow_failure or self.only_cleans_up(name):
            return False
        return self.outcome == "any_failed" or all(self.only_cleans_up(child) for child in self.children(name))

    def only_cleans_up(self, name: str) -> bool:
        """Whether it is a teardown whose failure is nobody's business."""
        return self.tasks[name].role == "teardown" and not self.tasks[name].on_failure_fail_run
