"""`@task` and its kinds: `@task.branch`, `@task.short_circuit`, `@setup`, `@teardown`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack, overload

from engine.authoring.checks import shown
from engine.authoring.exceptions import DefinitionError
from engine.authoring.options import TASK_CHECKS, TaskOptions, checked
from engine.authoring.places import user_place
from engine.authoring.registry import current_dag
from engine.authoring.tasks import PLAIN, Kind, TaskFunction, checked_id

Decorate = Callable[[Callable[..., Any]], TaskFunction]


class TaskDecorator:
    """`task` itself: a decorator, with its kinds as methods."""

    @overload
    def __call__(self, function: Callable[..., Any], /) -> TaskFunction:
        """Bare: `@task`."""

    @overload
    def __call__(
        self, function: None = None, /, *, task_id: str | None = None, **options: Unpack[TaskOptions]
    ) -> Decorate:
        """With arguments: `@task(retries=3)`."""

    def __call__(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        task_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> TaskFunction | Decorate:
        """Makes a Python function a task: `@task`, or `@task(retries=3, retry_delay="30s")`.

        The task's id is the function's name, its doc the docstring. Raises DefinitionError for impossible arguments.
        """
        return _decorated("@task", function, PLAIN, task_id, options)

    @overload
    def branch(self, function: Callable[..., Any], /) -> TaskFunction:
        """Bare: `@task.branch`."""

    @overload
    def branch(
        self, function: None = None, /, *, task_id: str | None = None, **options: Unpack[TaskOptions]
    ) -> Decorate:
        """With arguments: `@task.branch(retries=3)`."""

    def branch(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        task_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> TaskFunction | Decorate:
        """A task that returns the id, or the ids, of the tasks directly below it that are to run; None for none.

        The others are skipped, unless they also lie below a chosen one. Raises DefinitionError.
        """
        return _decorated("@task.branch", function, Kind(decides="branch"), task_id, options)

    @overload
    def short_circuit(self, function: Callable[..., Any], /) -> TaskFunction:
        """Bare: `@task.short_circuit`."""

    @overload
    def short_circuit(
        self,
        function: None = None,
        /,
        *,
        task_id: str | None = None,
        ignore_downstream_trigger_rules: bool = True,
        **options: Unpack[TaskOptions],
    ) -> Decorate:
        """With arguments: `@task.short_circuit(ignore_downstream_trigger_rules=False)`."""

    def short_circuit(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        task_id: str | None = None,
        ignore_downstream_trigger_rules: bool = True,
        **options: Unpack[TaskOptions],
    ) -> TaskFunction | Decorate:
        """A task whose answer decides whether what lies below it runs: a false value skips it.

        All of it, or with `ignore_downstream_trigger_rules=False` only the tasks directly below, after which trigger
        rules decide. Raises DefinitionError.
        """
        if not isinstance(ignore_downstream_trigger_rules, bool):
            raise DefinitionError("@task.short_circuit: ignore_downstream_trigger_rules= takes True or False")
        kind = Kind(decides="short_circuit", skips_all_below=ignore_downstream_trigger_rules)
        return _decorated("@task.short_circuit", function, kind, task_id, options)


task = TaskDecorator()


@overload
def setup(function: Callable[..., Any], /) -> TaskFunction:
    """Bare: `@setup`, on a function or on a `@task`."""


@overload
def setup(function: None = None, /, *, task_id: str | None = None, **options: Unpack[TaskOptions]) -> Decorate:
    """With arguments: `@setup(retries=3)`."""


def setup(
    function: Callable[..., Any] | None = None, /, *, task_id: str | None = None, **options: Unpack[TaskOptions]
) -> TaskFunction | Decorate:
    """Makes a function a setup task: it runs again when a task between it and its teardown does.

    Raises DefinitionError.
    """
    return _decorated("@setup", function, Kind(role="setup"), task_id, options)


@overload
def teardown(function: Callable[..., Any], /) -> TaskFunction:
    """Bare: `@teardown`, on a function or on a `@task`."""


@overload
def teardown(
    function: None = None,
    /,
    *,
    task_id: str | None = None,
    on_failure_fail_dagrun: bool = False,
    **options: Unpack[TaskOptions],
) -> Decorate:
    """With arguments: `@teardown(on_failure_fail_dagrun=True)`."""


def teardown(
    function: Callable[..., Any] | None = None,
    /,
    *,
    task_id: str | None = None,
    on_failure_fail_dagrun: bool = False,
    **options: Unpack[TaskOptions],
) -> TaskFunction | Decorate:
    """Makes a function a teardown task: it runs when all before it is over, if a setup directly before it succeeded.

    Raises DefinitionError.
    """
    if not isinstance(on_failure_fail_dagrun, bool):
        raise DefinitionError("@teardown: on_failure_fail_dagrun= takes True or False")
    kind = Kind(role="teardown", on_failure_fail_run=on_failure_fail_dagrun)
    return _decorated("@teardown", function, kind, task_id, options)


def _decorated(
    what: str, function: Callable[..., Any] | None, kind: Kind, task_id: str | None, options: Mapping[str, Any]
) -> TaskFunction | Decorate:
    place = user_place()

    def decorate(given: Callable[..., Any]) -> TaskFunction:
        building = current_dag()
        if isinstance(given, TaskFunction) and kind.role != "task" and given.kind == PLAIN:
            if building is not None and given in building.defined_here:
                building.defined_here.remove(given)  # what stands in the DAG is the setup or teardown made of it
            own, given = {**given.options, **options}, given.function
        elif isinstance(given, TaskFunction) or not callable(given):
            raise DefinitionError(f"{what}: {shown(given)} is not a function", place)
        else:
            own = dict(options)
        name = checked_id(task_id if task_id is not None else getattr(given, "__name__", None))
        made = TaskFunction(given, name, checked(f"task {name!r}", own, TASK_CHECKS, place), kind=kind)
        if building is not None:
            building.defined_here.append(made)
        return made

    return decorate if function is None else decorate(function)
