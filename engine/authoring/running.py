"""Running one task, or one callback, of a loaded DAG in this process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.authoring.checks import shown
from engine.authoring.context import TaskContext, build_context, build_scope
from engine.authoring.dag import DAG
from engine.authoring.exceptions import PermanentError, TaskMissing
from engine.authoring.lazy import Scope, resolve
from engine.authoring.mapping import ELEMENT
from engine.authoring.tasks import WHOLE_CONTEXT
from engine.authoring.wiring import Task

if TYPE_CHECKING:
    from engine.model.attempt_files import AttemptSpec


def call_task(dag: DAG, spec: AttemptSpec, inputs: Mapping[str, Any]) -> Any:
    """Runs the Python task that `spec` names and returns what it returns.

    `inputs` holds the results of its upstream tasks by task id; one that is not there is passed as None. Raises
    TaskMissing when the DAG has no such Python task, otherwise whatever the task raises.
    """
    task = _find(dag, spec.task_id)
    if task.function is None:
        raise TaskMissing(f"task {spec.task_id!r} of DAG {dag.dag_id!r} is not a Python task any more")
    if not _signature(task.function).parameters:
        return _call(task.function, [], {})
    context = build_context(spec)
    scope = build_scope(context, inputs)
    args = [resolve(value, scope) for value in task.args]
    kwargs = {name: resolve(value, scope) for name, value in task.kwargs.items()}
    if task.lists:
        kwargs |= _items(task, spec, inputs, scope)
    return _call(task.function, args, fill_in(task.function, args, kwargs, context))


def _items(task: Task, spec: AttemptSpec, inputs: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The items of the attempt's index: from its inputs, or out of the lists in the DAG file."""
    found: dict[str, Any] = {}
    places = inputs.get(ELEMENT, {})
    for name, value in task.lists.items():
        if ELEMENT + name in inputs:
            found[name] = inputs[ELEMENT + name]
        else:
            try:
                found[name] = resolve(value[places[name]], scope)
            except (LookupError, TypeError):
                raise TaskMissing(
                    f"task {spec.task_id!r} has no item {spec.map_index} to run with: its list is another one now"
                ) from None
    return found


def followed(dag: DAG, task_id: str, value: Any) -> list[str] | None:
    """What a decider's result means: the tasks directly below it that are to run, or None when nothing is left out.

    Raises PermanentError when a branch returns something that is not a task directly below it.
    """
    task = dag.get_task(task_id)
    if task.decides is None:
        return None
    if task.decides == "short_circuit":
        return None if value else []
    chosen = [] if value is None else [value] if isinstance(value, str) else value
    below = task.downstream_task_ids
    if not isinstance(chosen, list | tuple) or not all(isinstance(name, str) and name in below for name in chosen):
        known = ", ".join(sorted(below)) or "none"
        raise PermanentError(
            f"branch {task_id!r} returned {shown(value)}: return the id of a task directly below it, or a list of "
            f"such ids, or None (there are: {known})"
        )
    return list(dict.fromkeys(chosen))


def prepare(dag: DAG) -> None:
    """Looks at the signatures of a DAG's functions ahead of the attempts that will be forked from this process."""
    for task in dag.tasks:
        if task.function is not None:
            _signature(task.function)


def call_callback(dag: DAG, spec: AttemptSpec) -> None:
    """Runs the callbacks that `spec` names, of a task or (without a task id) of the DAG, each with the context.

    The context also holds `error`, and `exception` under the same text, as Airflow's does. All of them run; the first
    exception is raised at the end. Raises TaskMissing when there are none.
    """
    options = _find(dag, spec.task_id).options if spec.task_id else dag.options
    functions: tuple[Callable[..., Any], ...] = options.get(f"{spec.callback}_callback", ())
    if not functions:
        raise TaskMissing(f"{spec.callback}_callback is not defined any more in DAG {dag.dag_id!r}")
    context = TaskContext(build_context(spec), error=spec.error, exception=spec.error)
    problems: list[Exception] = []
    for function in functions:
        try:
            _call(function, [context], {})
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def fill_in(
    function: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any], context: TaskContext
) -> dict[str, Any]:
    """The keyword arguments of a call: the given ones, and the context for parameters that are left over."""
    signature = _signature(function)
    taken = signature.bind_partial(*args, **kwargs).arguments
    filled = dict(kwargs)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            named = signature.parameters.keys()
            filled |= {field: value for field, value in context.items() if field not in named and field not in filled}
        elif name not in taken and parameter.kind is not parameter.VAR_POSITIONAL:
            if name in context:
                filled[name] = context[name]
            elif name in WHOLE_CONTEXT and parameter.default in (parameter.empty, None):
                filled[name] = context
    return filled


_signature_of = lru_cache(maxsize=None)(inspect.signature)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return _signature_of(function)
    except TypeError:
        return inspect.signature(function)


def _call(function: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    result = function(*args, **kwargs)
    if result is not None and inspect.iscoroutine(result):
        import asyncio  # only here: in a host it would make every fork of every task dearer

        return asyncio.run(result)
    return result


def _find(dag: DAG, task_id: str) -> Task:
    try:
        return dag.get_task(task_id)
    except KeyError as problem:
        raise TaskMissing(str(problem.args[0])) from None
