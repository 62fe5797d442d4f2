"""How tasks are made: `@task` for Python functions, `shell(...)` for commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack

from engine.authoring.checks import shown
from engine.authoring.context import CONTEXT_FIELDS
from engine.authoring.exceptions import DefinitionError
from engine.authoring.lazy import Lazy, walk
from engine.authoring.mapping import PartialTask, check_lists
from engine.authoring.options import TASK_CHECKS, TaskOptions, checked
from engine.authoring.places import user_place
from engine.authoring.registry import current_dag, loading, require_dag
from engine.authoring.templates import shell_variables
from engine.authoring.wiring import Task, Wirable
from engine.model.ids import check_id

if TYPE_CHECKING:
    from engine.authoring.dag import DAG

WHOLE_CONTEXT = ("ctx", "context")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a `@task` is besides a task: a decider, a setup, a teardown."""

    decides: Literal["branch", "short_circuit"] | None = None
    skips_all_below: bool = False
    role: Literal["task", "setup", "teardown"] = "task"
    on_failure_fail_run: bool = False


PLAIN = Kind()


class Calls:
    """The tasks that calls of one function made in one DAG, by id, oldest first."""

    __slots__ = ("_numbers", "tasks")

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self._numbers: dict[str, int] = {}

    def free_id(self, first: str) -> str:
        """`first`, `first__1`, and so on. Numbers once given are not tried again, so ten thousand calls stay cheap."""
        number, task_id = self._numbers.get(first, 0), first
        while task_id in self.tasks:
            number += 1
            task_id = f"{first}__{number}"
        self._numbers[first] = number
        return task_id


class TaskFunction(Wirable):
    """A Python function as a task. Calling it in a DAG makes a task there; anywhere else it just runs the function.

    In a DAG it may also be wired without being called, which makes one task with the function's name.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        task_id: str,
        options: Mapping[str, Any],
        origin: TaskFunction | None = None,
        kind: Kind = PLAIN,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.task_id = task_id
        self.options = dict(options)
        self.place = user_place()
        self.kind = kind
        self._origin = origin or self
        self._calls: dict[object, Calls] = {}
        self._uncalled: Task | None = None
        if "doc" not in self.options and function.__doc__ and function.__doc__.strip():
            self.options["doc"] = inspect.cleandoc(function.__doc__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        dag = current_dag()
        if dag is None:
            if loading() is not None:
                raise DefinitionError(
                    f"task {self.task_id!r} is called outside of a DAG: do it in a @dag function or in `with DAG(...)`"
                )
            return self.function(*args, **kwargs)
        uncalled = self._origin._uncalled
        if uncalled is not None and self._made_in(dag).get(uncalled.task_id) is uncalled:
            raise DefinitionError(
                f"task {self.task_id!r} was wired without being called on line {uncalled.place.line}: "
                "call it first, and wire what the call returns"
            )
        return self._make(dag, args, kwargs)

    def partial(self, **arguments: Any) -> PartialTask:
        """Arguments that are the same for every index of a mapped task; `.expand(...)` has to follow."""
        return PartialTask(self, arguments)

    def expand(self, **lists: Any) -> Task:
        """A mapped task: an instance for each item of a list, of a dict (its pairs), or of another task's result.

        With several lists, an instance for each combination. Raises DefinitionError when it cannot be mapped.
        """
        return self._mapped({}, lists)

    def _mapped(self, arguments: Mapping[str, Any], lists: Mapping[str, Any]) -> Task:
        dag = require_dag(f"task {self.task_id!r} is mapped")
        if self.kind != PLAIN:
            raise DefinitionError(
                f"task {self.task_id!r} decides, sets up or tears down for other tasks: it cannot be mapped"
            )
        return self._make(dag, (), dict(arguments), check_lists(f"task {self.task_id!r}", lists, arguments))

    def override(self, *, task_id: str | None = None, **options: Unpack[TaskOptions]) -> TaskFunction:
        """The same function with other arguments, for tasks that differ in a few of them."""
        place = user_place()
        changed = checked(f"task {task_id or self.task_id!r}", options, TASK_CHECKS, place)
        name = self.task_id if task_id is None else checked_id(task_id)
        return TaskFunction(self.function, name, {**self.options, **changed}, self._origin, self.kind)

    def as_task(self) -> Task:
        """Its task in the DAG being built, made now if it was never called. Raises DefinitionError."""
        dag = require_dag(f"task {self.task_id!r} is wired")
        made = self._made_in(dag)
        if len(made) > 1:
            raise DefinitionError(f"task {self.task_id!r} was called {len(made)} times: wire what the calls returned")
        if made:
            return next(iter(made.values()))
        self._origin._uncalled = self._make(dag, (), {})
        return self._origin._uncalled

    def is_used_in(self, dag: object) -> bool:
        """Whether a DAG has a task of this function."""
        return bool(self._made_in(dag))

    def _made_in(self, dag: object) -> Mapping[str, Task]:
        calls = self._origin._calls.get(dag)
        return calls.tasks if calls is not None else {}

    def _make(
        self, dag: DAG, args: tuple[Any, ...], kwargs: dict[str, Any], lists: Mapping[str, Any] | None = None
    ) -> Task:
        calls = self._origin._calls.setdefault(dag, Calls())
        task_id = calls.free_id(_grouped_id(dag, self.task_id))
        check_call(self.function, task_id, args, {**kwargs, **(lists or {})})
        made = Task(dag, task_id, "python", self.options, function=self.function, args=args, kwargs=kwargs, lists=lists)
        made.decides, made.skips_all_below = self.kind.decides, self.kind.skips_all_below
        if self.kind.role == "setup":
            made.as_setup()
        elif self.kind.role == "teardown":
            made.as_teardown(on_failure_fail_dagrun=self.kind.on_failure_fail_run)
        calls.tasks[made.task_id] = made
        return made

    def __repr__(self) -> str:
        return f"<@task {self.task_id}>"


def check_call(function: Callable[..., Any], task_id: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raises DefinitionError when a call does not fit, or a parameter is left that no context field fills."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind_partial(*args, **kwargs)
    except (TypeError, ValueError) as problem:
        raise DefinitionError(f"task {task_id!r}: {problem}") from None
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or name in bound.arguments:
            continue
        by_name = parameter.kind is not parameter.POSITIONAL_ONLY and name in (*CONTEXT_FIELDS, *WHOLE_CONTEXT)
        if parameter.default is parameter.empty and not by_name:
            raise DefinitionError(
                f"task {task_id!r} needs a value for {name!r}: give it when calling the task, or name it after a "
                f"context field ({', '.join(CONTEXT_FIELDS)}, ctx)"
            )


def shell(task_id: str, command: str | list[str], **options: Unpack[TaskOptions]) -> Task:
    """A task that runs a command: text is a script for `sh -c`, a list is a program with its arguments.

    A command never has values pasted into it: it finds params in `$DAGDECK_PARAM_NAME`, its date in `$DAGDECK_DS` and
    so on, and whatever `env=` gives it. Raises DefinitionError for impossible arguments.
    """
    dag = require_dag(f"shell task {task_id!r} is made")
    name = _grouped_id(dag, checked_id(task_id))
    checked_options = checked(f"task {name!r}", options, TASK_CHECKS, user_place())
    return Task(dag, name, "shell", checked_options, command=_checked_command(name, command))


def _checked_command(task_id: str, command: object) -> str | list[str]:
    what = f"task {task_id!r}: command={shown(command)}"
    for part in walk(command):
        if isinstance(part, Lazy):
            raise DefinitionError(f"task {task_id!r}: {part._named()} cannot be pasted into a command: {_give(part)}")
        if not isinstance(part, str) or "\0" in part:
            raise DefinitionError(f"{what} is not allowed: use a text, or a list of texts")
        for placeholder, variable in shell_variables(part):
            raise DefinitionError(
                f"task {task_id!r}: the command contains {placeholder}, but values are never pasted into commands: "
                f'use "${variable}" there'
            )
    if isinstance(command, str) and command.strip():
        return command
    if isinstance(command, list | tuple) and command and command[0]:
        return list(command)
    raise DefinitionError(f"{what} is not allowed: use a script, or a list of a program and its arguments")


def _give(value: Lazy) -> str:
    reference = value._reference()
    if set(reference) == {"$param"}:
        return f'use "$DAGDECK_PARAM_{reference["$param"].upper()}" there'
    return 'give it to the task in env={"NAME": ...} and use "$NAME" there'


def _grouped_id(dag: DAG, task_id: str) -> str:
    """The id with the prefix of the task group that is open."""
    return task_id if dag.open_group is None else checked_id(dag.open_group.prefix + task_id)


def checked_id(task_id: object) -> str:
    """A task's id. Raises DefinitionError when it cannot be one."""
    try:
        return check_id("task", task_id)
    except ValueError as problem:
        raise DefinitionError(str(problem)) from None
