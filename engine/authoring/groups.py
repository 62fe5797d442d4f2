"""Task groups: tasks that belong together, have a common prefix in their ids, and are wired and shown as one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from engine.authoring.checks import shown
from engine.authoring.exceptions import DefinitionError
from engine.authoring.places import user_place
from engine.authoring.registry import require_dag
from engine.authoring.wiring import Task, Wirable

if TYPE_CHECKING:
    from engine.authoring.dag import DAG

GROUP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,99}\Z")


class TaskGroup(Wirable):
    """`with TaskGroup("load") as load:` makes the tasks of its block `load.…`; `load >> notify` wires all of them.

    Groups may be in groups. `prefix_group_id=False` leaves the ids of its tasks as they are. Raises DefinitionError.
    """

    def __init__(self, group_id: str, *, prefix_group_id: bool = True) -> None:
        self.place = user_place()
        if not isinstance(group_id, str) or not GROUP_ID.match(group_id):
            raise DefinitionError(
                f"task group id {shown(group_id)} is not allowed: use letters, digits, '_' and '-', at most 100, "
                "starting with a letter or digit",
                self.place,
            )
        self.dag: DAG = require_dag(f"task group {group_id!r} is made")
        self.parent: TaskGroup | None = self.dag.open_group
        self.group_id: str = group_id if self.parent is None else f"{self.parent.group_id}.{group_id}"
        outer = self.parent.prefix if self.parent else ""
        self.prefix: str = f"{outer}{group_id}." if prefix_group_id else outer
        self.dag.add_group(self)
        self._defined_before = 0

    @property
    def depth(self) -> int:
        """How many groups it is in, itself included."""
        return 1 if self.parent is None else self.parent.depth + 1

    @property
    def tasks(self) -> list[Task]:
        """Its tasks and those of the groups in it, in the order in which they were made."""
        inside = f"{self.group_id}."
        return [
            task
            for task in self.dag.tasks
            if task.group is not None and (task.group is self or task.group.group_id.startswith(inside))
        ]

    def starts(self) -> list[Task]:
        """Its tasks that wait for none of its own."""
        own = {task.task_id for task in self.tasks}
        return self._some([task for task in self.tasks if not task.upstream_task_ids & own])

    def ends(self) -> list[Task]:
        """Its tasks that none of its own waits for, leaving teardowns aside: what comes next waits for the work."""
        work = [task for task in self.tasks if task.role != "teardown"] or self.tasks
        own = {task.task_id for task in work}
        return self._some([task for task in work if not task.downstream_task_ids & own])

    def _some(self, found: list[Task]) -> list[Task]:
        if not found:
            raise DefinitionError(f"task group {self.group_id!r} has no tasks, so it cannot be wired", self.place)
        return found

    def is_open_ended(self) -> bool:
        """Its tasks are known for sure only when the DAG is whole: it is wired then."""
        return True

    def as_task(self) -> Task:
        """Never one task."""
        raise DefinitionError(f"task group {self.group_id!r} is not a task: pass on the results of its tasks")

    def __enter__(self) -> TaskGroup:
        self.dag.open_group = self
        self._defined_before = len(self.dag.defined_here)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.dag.take_unused(self._defined_before)
        self.dag.open_group = self.parent

    def __repr__(self) -> str:
        return f"<task group {self.group_id}>"


@overload
def task_group(function: Callable[..., Any], /) -> Callable[..., Any]:
    """Bare: `@task_group`."""


@overload
def task_group(
    function: None = None, /, *, group_id: str | None = None, prefix_group_id: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """With arguments: `@task_group(group_id="load")`."""


def task_group(
    function: Callable[..., Any] | None = None, /, *, group_id: str | None = None, prefix_group_id: bool = True
) -> Callable[..., Any]:
    """Makes a function a task group: the tasks that a call of it makes are in a group with its name.

    A call returns what the function returns, or the group where it returns nothing. A second call in the same DAG
    makes `name__1`.
    """

    def decorate(given: Callable[..., Any]) -> Callable[..., Any]:
        name = group_id or given.__name__

        @functools.wraps(given)
        def grouped(*args: Any, **kwargs: Any) -> Any:
            dag = require_dag(f"task group {name!r} is made")
            with TaskGroup(_free(name, dag.group_ids, dag.open_group), prefix_group_id=prefix_group_id) as group:
                made = given(*args, **kwargs)
            return group if made is None else made

        return grouped

    return decorate if function is None else decorate(function)


def _free(name: str, taken: Iterable[str], parent: TaskGroup | None) -> str:
    known = set(taken)
    outer = f"{parent.group_id}." if parent else ""
    candidate, count = name, 0
    while outer + candidate in known:
        count += 1
        candidate = f"{name}__{count}"
    return candidate
