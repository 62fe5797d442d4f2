"""What mapped tasks are mapped over: how many items there are, the item of an index, and results put together."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from math import prod
from typing import Protocol, TypeAlias

from engine.authoring.exceptions import PermanentError
from engine.authoring.lazy import PARAM, PATH, RESULT, Scope, evaluate
from engine.authoring.mapping import ELEMENT, items_of, place_in
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import InputRef
from engine.model.dag import Json, MapSource
from engine.model.rows import UNMAPPED, TaskInstance
from engine.model.states import TaskState

ResultKey: TypeAlias = tuple[str, int]
"""Task id and map index."""
Keys: TypeAlias = tuple[str | int, ...]
"""The way to a part of a result: `result["files"]` is `("files",)`."""
DEFAULT_MOST = 10_000
"""Indexes of one mapped task, unless the home says otherwise."""
_BETWEEN = re.compile(r"[\s,]*")


class Listed(Protocol):
    """Items that have been found, by place."""

    def __len__(self) -> int: ...

    def at(self, place: int) -> InputRef:
        """One item. Raises LookupError."""


class InMemory:
    """Items of a small result, a param, or a list in the DAG file."""

    def __init__(self, values: list[Json]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def at(self, place: int) -> InputRef:
        """One item."""
        return InputRef(self._values[place])


class InFile:
    """Items of a large result: only their places in its file are kept."""

    def __init__(self, path: str, spans: list[tuple[int, int]]) -> None:
        self._path, self._spans = path, spans

    def __len__(self) -> int:
        return len(self._spans)

    def at(self, place: int) -> InputRef:
        """One item. Raises ValueError when the file is not what it was."""
        start, end = self._spans[place]
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return InputRef(json.loads(os.pread(descriptor, end - start, start)))
        finally:
            os.close(descriptor)


class Collected:
    """The results of a mapped task, as items of another one."""

    def __init__(self, refs: list[InputRef]) -> None:
        self._refs = refs

    def __len__(self) -> int:
        return len(self._refs)

    def at(self, place: int) -> InputRef:
        """One result."""
        return self._refs[place]


class Unreadable:
    """A large result in which there are no items: asked for them, it is read again and says why."""

    def __init__(self, path: str, keys: Keys) -> None:
        self._path, self._keys = path, keys

    def __len__(self) -> int:
        return len(read_file(self._path, self._keys))

    def at(self, place: int) -> InputRef:
        """One item, should there be one by now."""
        return read_file(self._path, self._keys).at(place)


def read_file(path: str, keys: Keys) -> Listed:
    """The items of a large result. Blocking. Raises OSError, ValueError, or TypeError and LookupError as `items_of`."""
    with open(path, "rb") as source:
        data = source.read()
    try:
        if not keys and data.isascii() and data.lstrip()[:1] == b"[":
            return InFile(path, list(_spans(data.decode())))
        return InMemory(items_of(_walk(json.loads(data), keys)))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _spans(text: str) -> Iterator[tuple[int, int]]:
    decode = json.JSONDecoder().raw_decode
    at = _skip(text, text.index("[") + 1)
    while text[at] != "]":
        _, end = decode(text, at)
        yield at, end
        at = _skip(text, end)


def _skip(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _walk(value: Json, keys: Keys) -> Json:
    for key in keys:
        value = value[key]
    return value


class RunItems:
    """The items of one run's mapped tasks, by what its results and params are now."""

    def __init__(
        self, memory: RunMemory, results: Mapping[ResultKey, InputRef], ids: Iterator[int], most: int = DEFAULT_MOST
    ) -> None:
        self._memory, self._results, self._ids, self._most = memory, results, ids, most
        self._known: dict[tuple[str, str], tuple[InputRef, Listed]] = {}
        """By mapped task and argument, with the result that they are items of."""
        self.files: dict[tuple[str, Keys], Listed] = {}
        """Large results that have been read already, by path and what of them is mapped over."""

    def new_id(self) -> int:
        """The next key of a task instance."""
        return next(self._ids)

    def wanted_of(self, task_id: str) -> set[Keys]:
        """Which parts of a task's result other tasks are mapped over."""
        tasks = self._memory.plan.tasks
        return {
            tuple(source.ref.get(PATH, ()))
            for below in self._memory.plan.downstream[task_id]
            for source in tasks[below].mapped
            if source.ref is not None and source.ref.get(RESULT) == task_id
        }

    def size(self, task_id: str) -> int | str:
        """How many items a mapped task has, or why it has none."""
        lengths = []
        for source in self._memory.plan.tasks[task_id].mapped:
            try:
                lengths.append(self._length(task_id, source))
            except (TypeError, LookupError, OSError, ValueError, PermanentError) as problem:
                return f"{source.name}= cannot be mapped over: {_origin(source)} {_say(problem)}"
        count = prod(lengths)
        if count > self._most:
            return f"it is mapped over {count} items, and {self._most} are allowed: raise max_mapped in dagdeck.toml"
        return count

    def inputs(self, instance: TaskInstance) -> dict[str, InputRef]:
        """All that an attempt of the instance is given. Raises LookupError when its item is gone."""
        task = self._memory.plan.tasks[instance.task_id]
        found = {name: self.result(name) for name in task.inputs}
        if not task.mapped:
            return found
        lengths = [self._length(task.task_id, source) for source in task.mapped]
        if instance.map_index >= prod(lengths):
            raise PermanentError(f"there is no item {instance.map_index} any more: {prod(lengths)} are left")
        in_code: dict[str, int] = {}
        for source, place in zip(task.mapped, place_in(lengths, instance.map_index), strict=True):
            if source.ref is None and source.values is None:
                in_code[source.name] = place
            else:
                found[ELEMENT + source.name] = self._items(task.task_id, source).at(place)
        if in_code:
            found[ELEMENT] = InputRef(in_code)
        return found

    def result(self, task_id: str) -> InputRef:
        """A task's result; of a mapped task those of all its indexes, in their order."""
        group = self._memory.groups.get(task_id)
        if group is None:
            return self._results.get((task_id, UNMAPPED), InputRef())
        return InputRef(items=self._indexes(task_id))

    def _indexes(self, task_id: str) -> list[InputRef]:
        live = [node.ti for node in self._memory.groups[task_id].members if node.ti.state is not TaskState.REMOVED]
        nothing = InputRef()
        return [
            self._results.get((task_id, ti.map_index), nothing) if ti.state is TaskState.SUCCESS else nothing
            for ti in live
        ]

    def _length(self, task_id: str, source: MapSource) -> int:
        if source.ref is None:
            return source.length
        group = self._memory.groups.get(source.ref.get(RESULT, ""))
        if group is not None and PATH not in source.ref:
            return group.live
        return len(self._items(task_id, source))

    def _items(self, task_id: str, source: MapSource) -> Listed:
        if source.ref is None:
            return InMemory(source.values or [])
        if PARAM in source.ref:
            scope = Scope(tokens={}, params=self._memory.run.params)
            return InMemory(items_of(evaluate(source.ref, scope)))
        above, keys = source.ref[RESULT], tuple(source.ref.get(PATH, ()))
        if above in self._memory.groups:
            refs = self._indexes(above)
            return Collected(refs) if not keys else InMemory(items_of(_walk([ref.value for ref in refs], keys)))
        ref = self._results.get((above, UNMAPPED), _NOTHING)
        known = self._known.get((task_id, source.name))
        if known is None or known[0] is not ref:
            known = self._known[task_id, source.name] = (ref, self._read(ref, keys))
        return known[1]

    def _read(self, ref: InputRef, keys: Keys) -> Listed:
        if ref.path is None:
            return InMemory(items_of(_walk(ref.value, keys)))
        known = self.files.get((ref.path, keys))
        return read_file(ref.path, keys) if known is None else known


_NOTHING = InputRef()


def _origin(source: MapSource) -> str:
    if PARAM in source.ref:
        return f"param {source.ref[PARAM]}"
    return f"the result of {source.ref[RESULT]}"


def _say(problem: Exception) -> str:
    if isinstance(problem, TypeError):
        return f"is {problem}, not a list or a dict"
    return f"cannot be read: {problem}"
