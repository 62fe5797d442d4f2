"""How DAGs are made: `@dag` functions, and `with DAG(...)` for DAGs made in a loop."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Unpack, overload

from engine.authoring.checks import shown
from engine.authoring.context import CONTEXT_FIELDS
from engine.authoring.exceptions import DefinitionError, ParamError
from engine.authoring.groups import TaskGroup
from engine.authoring.lazy import ParamValue
from engine.authoring.options import DAG_CHECKS, DEFAULT_ARGS_CHECKS, DagOptions, checked
from engine.authoring.params import Param
from engine.authoring.places import Place, user_place
from engine.authoring.registry import loading, pop_dag, push_dag
from engine.authoring.tasks import TaskFunction
from engine.authoring.templates import PARAM_NAME, param_names
from engine.authoring.wiring import Task, Wirable, link
from engine.model.ids import check_id


class DAG:
    """A DAG being defined: `with DAG("sales_eu", schedule="@daily"):` makes the tasks in its block its own.

    Making one registers it with the file being loaded. Raises DefinitionError for impossible arguments.
    """

    def __init__(self, dag_id: str, **options: Unpack[DagOptions]) -> None:
        self._set_up(dag_id, options, user_place())
        registry = loading()
        if registry is not None and registry.owns_running_code():
            registry.add(self)

    @classmethod
    def unregistered(cls, dag_id: str, options: Mapping[str, Any], place: Place) -> DAG:
        """A DAG that no file's registry knows of yet."""
        made = cls.__new__(cls)
        made._set_up(dag_id, options, place)
        return made

    def _set_up(self, dag_id: str, options: Mapping[str, Any], place: Place) -> None:
        try:
            self.dag_id = check_id("DAG", dag_id)
        except ValueError as problem:
            raise DefinitionError(str(problem), place) from None
        self.place = place
        what = f"DAG {dag_id!r}"
        self.options = checked(what, options, DAG_CHECKS, place)
        self.default_args = checked(
            f"default_args of {what}", self.options.get("default_args", {}), DEFAULT_ARGS_CHECKS, place
        )
        self.params: dict[str, Param] = {}
        for name, param in self.options.get("params", {}).items():
            self.declare_param(name, param)
        self.defined_here: list[TaskFunction] = []
        self.open_group: TaskGroup | None = None
        """The task group whose block is being executed."""
        self.later: list[tuple[Wirable, Wirable]] = []
        """Wirings of task groups: made into edges when the DAG is whole."""
        self._tasks: dict[str, Task] = {}
        self._groups: dict[str, TaskGroup] = {}

    @property
    def tasks(self) -> list[Task]:
        """The tasks, in the order in which they were made."""
        return list(self._tasks.values())

    @property
    def task_ids(self) -> list[str]:
        """The tasks' ids, in the same order."""
        return list(self._tasks)

    def get_task(self, task_id: str) -> Task:
        """One task. Raises KeyError naming the tasks there are."""
        if task_id not in self._tasks:
            raise KeyError(f"DAG {self.dag_id!r} has no task {task_id!r}; it has: {', '.join(self._tasks) or 'none'}")
        return self._tasks[task_id]

    def param(self, name: str) -> ParamValue:
        """The value that a run gives to a declared param. Raises DefinitionError when it is not declared."""
        self.check_param(name, f"DAG {self.dag_id!r}")
        return ParamValue(name)

    def declare_param(self, name: object, param: Param) -> None:
        """Adds a param. Raises DefinitionError when its name cannot be one, or another differs only in case."""
        what = f"DAG {self.dag_id!r}"
        if not isinstance(name, str) or not PARAM_NAME.match(name):
            raise DefinitionError(
                f"{what}: param {shown(name)} is not allowed: use letters, digits and '_'", self.place
            )
        for other in self.params:
            if other != name and other.upper() == name.upper():
                raise DefinitionError(f"{what}: params {other!r} and {name!r} differ only in case", self.place)
        self.params[name] = param

    def check_param(self, name: str, user: str) -> None:
        """Raises DefinitionError when `user` refers to a param that is not declared."""
        if name not in self.params:
            known = ", ".join(self.params) or "none"
            raise DefinitionError(f"{user} uses param {name!r}, which DAG {self.dag_id!r} lacks; declared: {known}")

    def check_tokens(self, text: str, user: str) -> None:
        """Raises DefinitionError when a text has a placeholder for a param that is not declared."""
        for name in param_names(text):
            self.check_param(name, user)

    def add_task(self, task: Task) -> None:
        """Takes a task in, with the default arguments. Raises DefinitionError when its id is taken."""
        other = self._tasks.get(task.task_id)
        if other is not None:
            raise DefinitionError(
                f"task id {task.task_id!r} is used twice in DAG {self.dag_id!r}, first on line {other.place.line}: "
                "give each task an id of its own"
            )
        defaults = {name: value for name, value in self.default_args.items() if name not in ("start_date", "end_date")}
        task.options = {**defaults, **task.options}
        self._tasks[task.task_id] = task

    @property
    def group_ids(self) -> list[str]:
        """Ids of the task groups, outer ones before those in them."""
        return list(self._groups)

    def add_group(self, group: TaskGroup) -> None:
        """Takes a task group in. Raises DefinitionError when its id is taken."""
        other = self._groups.get(group.group_id)
        if other is not None:
            raise DefinitionError(
                f"task group id {group.group_id!r} is used twice in DAG {self.dag_id!r}, first on line "
                f"{other.place.line}: give each task group an id of its own",
                group.place,
            )
        self._groups[group.group_id] = group

    def __enter__(self) -> DAG:
        push_dag(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.take_unused()
                self._wire_groups()
        finally:
            pop_dag()

    def take_unused(self, since: int = 0) -> None:
        """A `@task` defined in the DAG's own body and never called or wired is a task without edges."""
        for function in self.defined_here[since:]:
            if not function.is_used_in(self):
                function.as_task()
        del self.defined_here[since:]

    def _wire_groups(self) -> None:
        """Inner groups first: what an outer group starts and ends with depends on the edges in it."""
        waiting, self.later = self.later, []
        for before, after in sorted(waiting, key=lambda pair: -max(_depth(side) for side in pair)):
            link(before, after)

    def __repr__(self) -> str:
        return f"<DAG {self.dag_id}>"


def _depth(side: Wirable) -> int:
    return side.depth if isinstance(side, TaskGroup) else 0


class DagFunction:
    """A function decorated with `@dag`. Calling it builds the DAG; in a loaded file it need not be called."""

    def __init__(self, function: Callable[..., Any], dag_id: str, options: Mapping[str, Any], place: Place) -> None:
        functools.update_wrapper(self, function)
        self.function, self.dag_id, self.place = function, dag_id, place
        self._options = dict(options)
        self._built: DAG | None = None
        registry = loading()
        self._registry = registry if registry is not None and registry.owns_running_code() else None
        if self._registry is not None:
            self._registry.functions.append(self)

    @property
    def is_built(self) -> bool:
        """Whether the function has run."""
        return self._built is not None

    def __call__(self, *args: Any, **kwargs: Any) -> DAG:
        """The DAG. Arguments become the defaults of its params, and can be given only once: it is built once."""
        if self._built is not None:
            if args or kwargs:
                raise DefinitionError(f"DAG {self.dag_id!r} is built already: call it with arguments only once")
            return self._built
        dag = self._begin()
        values = self._declare_params(dag, args, kwargs)
        with dag:
            self.function(**values)
        self._built = dag
        if self._registry is not None:
            self._registry.add(dag)
        return dag

    def _begin(self) -> DAG:
        options = dict(self._options)
        text = self.function.__doc__
        if text and text.strip() and not options.keys() & {"doc", "doc_md"}:
            options["doc"] = inspect.cleandoc(text)
        return DAG.unregistered(self.dag_id, options, self.place)

    def _declare_params(self, dag: DAG, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, ParamValue]:
        signature = inspect.signature(self.function)
        try:
            given = signature.bind_partial(*args, **kwargs).arguments
        except TypeError as problem:
            raise DefinitionError(f"DAG {self.dag_id!r}: {problem}") from None
        for name, parameter in signature.parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise DefinitionError(
                    f"DAG {self.dag_id!r}: a @dag function takes single params, not {parameter}", self.place
                )
            if name not in dag.params:
                if name in CONTEXT_FIELDS:
                    raise DefinitionError(
                        f"DAG {self.dag_id!r}: {name} is known to tasks only: make it a parameter of a task", self.place
                    )
                default = parameter.default
                dag.declare_param(name, Param() if default is parameter.empty else Param(default))
            if name in given:
                old = dag.params[name]
                dag.params[name] = Param(given[name], description=old.description, **old.rules)
        return {name: ParamValue(name) for name in signature.parameters}

    def __repr__(self) -> str:
        return f"<@dag {self.dag_id}>"


@overload
def dag(function: Callable[..., Any], /) -> DagFunction:
    """Bare: `@dag`."""


@overload
def dag(
    function: None = None, /, *, dag_id: str | None = None, **options: Unpack[DagOptions]
) -> Callable[[Callable[..., Any]], DagFunction]:
    """With arguments: `@dag(schedule="@daily")`."""


def dag(
    function: Callable[..., Any] | None = None, /, *, dag_id: str | None = None, **options: Unpack[DagOptions]
) -> DagFunction | Callable[[Callable[..., Any]], DagFunction]:
    """Makes a function a DAG: its name is the DAG's id, its docstring the DAG's doc, its parameters the DAG's params.

    Raises DefinitionError for impossible arguments.
    """
    place = user_place()

    def decorate(given: Callable[..., Any]) -> DagFunction:
        if not inspect.isfunction(given):
            raise DefinitionError(f"@dag: {shown(given)} is not a function", place)
        name = given.__name__ if dag_id is None else dag_id
        try:
            DAG.unregistered(name, options, place)
        except ParamError as problem:
            raise DefinitionError(f"DAG {name!r}: {problem}", place) from None
        return DagFunction(given, name, options, place)

    return decorate if function is None else decorate(function)
