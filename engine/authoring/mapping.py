"""Mapped tasks: one task, and as many instances of it as a list has items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.authoring.checks import shown
from engine.authoring.exceptions import DefinitionError
from engine.authoring.lazy import Lazy, reference_of
from engine.model.dag import Json, MapSource

if TYPE_CHECKING:
    from engine.authoring.tasks import TaskFunction
    from engine.authoring.wiring import Task

ELEMENT = "expand:"
"""Prefix of the name under which an attempt's inputs hold an item; no task id can contain it."""


class PartialTask:
    """A `@task` function with the arguments that are the same for every index: `.expand(...)` makes the task."""

    def __init__(self, function: TaskFunction, arguments: Mapping[str, Any]) -> None:
        self._function, self._arguments = function, dict(arguments)

    def expand(self, **lists: Any) -> Task:
        """The mapped task: an instance for each item. Raises DefinitionError when it cannot be mapped."""
        return self._function._mapped(self._arguments, lists)

    def __repr__(self) -> str:
        return f"<@task {self._function.task_id} with {', '.join(self._arguments) or 'no arguments'}, not expanded>"


def check_lists(what: str, lists: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """What `expand` was given. Raises DefinitionError when there is nothing in it to map over."""
    if not lists:
        raise DefinitionError(f"{what}: expand() needs a list, or the result of a task, by argument name")
    for name, value in lists.items():
        if name in fixed:
            raise DefinitionError(f"{what}: {name}= is given to partial() and to expand()")
        if not isinstance(value, Lazy | list | tuple | dict):
            raise DefinitionError(
                f"{what}: expand({name}={shown(value)}) is not allowed: use a list, a dict, a param, or what calling a "
                "task returns"
            )
    return {name: items_of(value) if not isinstance(value, Lazy) else value for name, value in lists.items()}


def items_of(value: Any) -> list[Any]:
    """The items of a list, or of a dict its pairs of key and value. Raises TypeError for anything else."""
    if isinstance(value, dict):
        return [[key, item] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return list(value)
    raise TypeError("nothing" if value is None else shown(value))


def sources_of(task: Task) -> list[MapSource]:
    """What the serialized task is mapped over. Raises DefinitionError where the task cannot be many."""
    if task.lists and (task.role != "task" or task.decides is not None):
        part = f"is a {task.role}" if task.role != "task" else "decides what runs below it"
        raise DefinitionError(f"task {task.task_id!r} {part}, so it cannot be mapped", task.place)
    return [_source(name, value, task.kind == "shell") for name, value in task.lists.items()]


def _source(name: str, value: Any, with_values: bool) -> MapSource:
    if isinstance(value, Lazy):
        return MapSource(name, ref=value._reference())
    if not with_values:
        return MapSource(name, length=len(value))
    values: list[Json] = [reference_of(item) for item in value]
    for item in values:
        try:
            json.dumps(item, allow_nan=False)
        except (TypeError, ValueError):
            raise DefinitionError(
                f"expand({name}=...) of a shell task: {shown(item)} cannot be given to a command: use text, numbers, "
                "lazy values, or lists and dicts of text and numbers"
            ) from None
    return MapSource(name, length=len(value), values=values)


def place_in(lengths: list[int], map_index: int) -> list[int]:
    """Which item of each source an index means: all combinations are counted through, the last source fastest."""
    found = []
    for length in reversed(lengths):
        map_index, item = divmod(map_index, length)
        found.append(item)
    return found[::-1]
