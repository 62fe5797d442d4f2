"""Tasks of a DAG and the edges between them: `a >> [b, c] >> d`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from engine.authoring.checks import env_names, shown
from engine.authoring.exceptions import DefinitionError
from engine.authoring.lazy import RESULT, Lazy, walk
from engine.authoring.mapping import check_lists
from engine.authoring.places import user_place
from engine.authoring.registry import require_dag

if TYPE_CHECKING:
    from engine.authoring.dag import DAG
    from engine.model.dag import ApprovalSpec


class Wirable:
    """The operators of wiring. `>>` and `<<` return their right side, so that chains read from left to right."""

    def as_task(self) -> Task:
        """The task this stands for in the DAG being built."""
        raise NotImplementedError

    def starts(self) -> list[Task]:
        """The tasks that an edge to it leads to."""
        return [self.as_task()]

    def ends(self) -> list[Task]:
        """The tasks that an edge from it comes from."""
        return [self.as_task()]

    def is_open_ended(self) -> bool:
        """Whether it can be wired only once the DAG is whole."""
        return False

    def __rshift__(self, other: object) -> Any:
        connect([self], items_of(other))
        return _chained(other)

    def __lshift__(self, other: object) -> Any:
        connect(items_of(other), [self])
        return _chained(other)

    def __rrshift__(self, other: object) -> Any:
        connect(items_of(other), [self])
        return self

    def __rlshift__(self, other: object) -> Any:
        connect([self], items_of(other))
        return self

    def as_setup(self) -> Task:
        """Makes it a setup: tasks between it and its teardown need what it makes ready. Returns the task."""
        own = self.as_task()
        own.take_role("setup")
        return own

    def as_teardown(self, setups: Any = None, on_failure_fail_dagrun: bool = False) -> Task:
        """Makes it the teardown of `setups`, tasks that become setups by it. Returns the task.

        It runs when everything between a setup and itself is over, if the setup succeeded. Its own failure does not
        fail the run, unless `on_failure_fail_dagrun`. As a context (`with drop.as_teardown(setups=create):`) it wires
        the tasks made in the block between setups and teardown. Raises DefinitionError.
        """
        own = self.as_task()
        own.take_role("teardown")
        own.on_failure_fail_run = on_failure_fail_dagrun
        for item in items_of([] if setups is None else setups):
            own.follow(item.as_setup())
        return own

    def set_downstream(self, other: object) -> None:
        """The same as `self >> other`."""
        self >> other

    def set_upstream(self, other: object) -> None:
        """The same as `self << other`."""
        self << other


class TaskList(list[Any]):
    """What `a >> [b, c]` returns: a list that can be wired on, also to another list."""

    def __rshift__(self, other: object) -> Any:
        connect(items_of(self), items_of(other))
        return _chained(other)

    def __lshift__(self, other: object) -> Any:
        connect(items_of(other), items_of(self))
        return _chained(other)


class Task(Wirable, Lazy):
    """One task of a DAG. As an argument of another task's call it stands for its result, and makes an edge.

    Made by calling a `@task` function or by `shell(...)`. Raises DefinitionError where the definition is impossible.
    """

    def __init__(
        self,
        dag: DAG,
        task_id: str,
        kind: Literal["python", "shell", "approval"],
        options: Mapping[str, Any],
        *,
        function: Callable[..., Any] | None = None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        command: str | list[str] | None = None,
        approval: ApprovalSpec | None = None,
        lists: Mapping[str, Any] | None = None,
    ) -> None:
        self.dag, self.task_id, self.kind, self.options = dag, task_id, kind, dict(options)
        self.group = dag.open_group
        self.function, self.args, self.kwargs = function, args, dict(kwargs or {})
        self.command = command
        self.approval = approval
        self.role: Literal["task", "setup", "teardown"] = "task"
        self.on_failure_fail_run = False
        self.decides: Literal["branch", "short_circuit"] | None = None
        self.skips_all_below = False
        self._before_block: set[str] | None = None
        self.place = user_place()
        self.inputs: list[str] = []
        self._upstream: dict[str, Task] = {}
        self._downstream: dict[str, Task] = {}
        self.lists: dict[str, Any] = {}
        """What it is mapped over, by argument or environment variable; empty for a task that is not mapped."""
        dag.add_task(self)
        self._take_inputs([*args, *self.kwargs.values(), self.options.get("env", {})])
        if lists:
            self._map_over(lists)

    @property
    def upstream_task_ids(self) -> set[str]:
        """Ids of the tasks directly before this one."""
        return set(self._upstream)

    @property
    def downstream_task_ids(self) -> set[str]:
        """Ids of the tasks directly after this one."""
        return set(self._downstream)

    def upstream_in_order(self) -> list[str]:
        """Ids of the tasks directly before this one, in the order in which they were wired."""
        return list(self._upstream)

    def as_task(self) -> Task:
        """Itself."""
        return self

    def expand(self, **lists: Any) -> Task:
        """Maps a shell task: an instance for each item, which finds its item in the environment variable of that name.

        Raises DefinitionError for a call of a `@task` function: it is the function that is mapped, not its call.
        """
        if self.kind != "shell":
            raise DefinitionError(
                f"{self._named()} is called already: write {self.task_id}.expand(...), or {self.task_id}.partial(...)"
                ".expand(...) for arguments that are the same for every item"
            )
        if self.lists:
            raise DefinitionError(f"{self._named()} is mapped already: give all lists to one expand()")
        if self.role != "task":
            raise DefinitionError(f"{self._named()} is a {self.role}: it cannot be mapped")
        try:
            env_names(lists)
        except ValueError as problem:
            raise DefinitionError(f"{self._named()}: expand() sets environment variables: use {problem}") from None
        self._map_over(check_lists(self._named(), lists, self.options.get("env", {})))
        return self

    def _map_over(self, lists: Mapping[str, Any]) -> None:
        for value in lists.values():
            if isinstance(value, Lazy):
                self._take_reference(value, whole=False)
            else:
                self._take_inputs(value)
        self.lists = dict(lists)

    def take_role(self, role: Literal["setup", "teardown"]) -> None:
        """Makes it a setup or a teardown. Raises DefinitionError when it is the other one, or cannot be one."""
        if self.role not in ("task", role):
            raise DefinitionError(f"{self._named()} is a {self.role}: it cannot be a {role} too")
        if self.decides is not None:
            raise DefinitionError(f"{self._named()} decides which tasks run: it cannot be a {role}")
        if self.lists:
            raise DefinitionError(f"{self._named()} is a {role}: it cannot be mapped")
        if role == "teardown" and "trigger_rule" in self.options:
            raise DefinitionError(
                f"{self._named()} is a teardown: it runs when all is over and its setup succeeded, so it takes no "
                "trigger_rule"
            )
        self.role = role

    def __enter__(self) -> Task:
        if self.role != "teardown":
            raise DefinitionError(
                f"{self._named()} is no teardown: write `with {self.task_id}.as_teardown(setups=...):`"
            )
        self._before_block = set(self.dag.task_ids)
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        before, self._before_block = self._before_block or set(), None
        if kind is not None:
            return
        setups = [task for task in self._upstream.values() if task.role == "setup"]
        inside = {task.task_id: task for task in self.dag.tasks if task.task_id not in before}
        for made in inside.values():
            if not inside.keys() & made._upstream.keys():
                connect(setups, [made])
            if not inside.keys() & made._downstream.keys():
                self.follow(made)

    def follow(self, before: Task) -> None:
        """Adds the edge from `before` to this task. Raises DefinitionError for tasks of two DAGs."""
        if before.dag is not self.dag:
            raise DefinitionError(
                f"{before._named()} belongs to DAG {before.dag.dag_id!r} and {self._named()} to {self.dag.dag_id!r}: "
                "only tasks of one DAG can be wired"
            )
        self._upstream[before.task_id] = before
        before._downstream[self.task_id] = self

    def _take_inputs(self, values: list[Any]) -> None:
        for found in walk(values):
            if isinstance(found, str):
                self.dag.check_tokens(found, self._named())
            elif isinstance(found, Lazy):
                self._take_reference(found)
            elif isinstance(found, Wirable):
                raise DefinitionError(f"{self._named()}: {found!r} is not called: pass what calling it returns")

    def _take_reference(self, value: Lazy, whole: bool = True) -> None:
        reference = value._reference()
        if RESULT not in reference:
            self.dag.check_param(reference["$param"], self._named())
            return
        before = value._source()
        if not isinstance(before, Task) or before.dag is not self.dag:
            raise DefinitionError(f"{self._named()}: {value._named()} belongs to another DAG, so it cannot be passed")
        if before.kind == "shell":
            raise DefinitionError(
                f"{self._named()}: shell task {before.task_id!r} has no result to pass on: wire it with >>"
            )
        self.follow(before)
        if whole and before.task_id not in self.inputs:
            self.inputs.append(before.task_id)

    def _reference(self) -> dict[str, Any]:
        return {RESULT: self.task_id}

    def _named(self) -> str:
        return f"task {self.task_id!r}"

    def __repr__(self) -> str:
        return f"<task {self.task_id} of DAG {self.dag.dag_id}>"


def items_of(wired: object) -> list[Wirable]:
    """The tasks, functions and groups that one side of a wiring names. Raises DefinitionError when it names none."""
    if isinstance(wired, Wirable):
        return [wired]
    if isinstance(wired, list | tuple):
        return [found for item in wired for found in items_of(item)]
    raise DefinitionError(f"{shown(wired)} cannot be wired: use tasks, @task functions, task groups, or lists of them")


def connect(before: Iterable[Wirable], after: Iterable[Wirable]) -> None:
    """An edge from each task of `before` to each of `after`; those of groups are made when the DAG is whole."""
    starts = list(before)
    for end in after:
        for start in starts:
            if start.is_open_ended() or end.is_open_ended():
                require_dag("a task group is wired").later.append((start, end))
            else:
                link(start, end)


def link(before: Wirable, after: Wirable) -> None:
    """The edges between two sides, now."""
    sources = before.ends()
    for target in after.starts():
        for source in sources:
            target.follow(source)


def chain(*steps: Any) -> None:
    """Wires steps one after the other; two lists of the same length next to each other are wired pairwise.

    Raises DefinitionError when two neighbouring lists differ in length.
    """
    for first, second in pairwise(steps):
        before, after = items_of(first), items_of(second)
        if isinstance(first, list | tuple) and isinstance(second, list | tuple):
            if len(before) != len(after):
                raise DefinitionError(f"chain() got neighbouring lists of {len(before)} and {len(after)} tasks")
            for start, end in zip(before, after, strict=True):
                connect([start], [end])
        else:
            connect(before, after)


def cross_downstream(before: Any, after: Any) -> None:
    """Wires every task of one list to every task of another."""
    connect(items_of(before), items_of(after))


def _chained(right_side: object) -> Any:
    return TaskList(right_side) if isinstance(right_side, list | tuple) else right_side
