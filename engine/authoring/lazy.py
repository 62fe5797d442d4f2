"""Values that are known only when an attempt starts: params, results of other tasks, and parts of them.

A lazy value is a reference, in JSON, that `evaluate` turns into the value. The same references stand in a serialized
task's environment, so the engine evaluates them for a shell as the task's process does for Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from engine.authoring.checks import shown
from engine.authoring.exceptions import DefinitionError, PermanentError
from engine.authoring.templates import fill, has_tokens, param_token

PARAM, RESULT, LOOKUP, FORMAT, PATH = "$param", "$result", "$lookup", "$format", "$path"
_DEEPEST = 40


@dataclass(slots=True)
class Scope:
    """What references are evaluated against: template tokens, params, and results by task id."""

    tokens: Mapping[str, Any]
    params: Mapping[str, Any]
    results: Mapping[str, Any] = field(default_factory=dict)


class Lazy:
    """A value that is not known while the DAG is being built. Pass it to a task, index it, or format it into text."""

    def _reference(self) -> dict[str, Any]:
        raise NotImplementedError

    def _named(self) -> str:
        raise NotImplementedError

    def _source(self) -> Lazy:
        """What it is a part of, in the end."""
        return self

    def __getitem__(self, key: object) -> Item:
        return Item(self, key)

    def __iter__(self) -> Iterator[Any]:
        self._refuse("be iterated over or unpacked")

    def __format__(self, spec: str) -> str:
        self._refuse("be put into text")

    def _refuse(self, what: str) -> NoReturn:
        raise DefinitionError(
            f"{self._named()} is not known while the DAG is being built, so it cannot {what}: "
            "pass it to a task and use it there"
        )


class UnknownYet(Lazy):
    """A lazy value that also refuses to be compared or tested: both would silently give a wrong answer."""

    def __bool__(self) -> bool:
        self._refuse("be tested for truth")

    def __eq__(self, other: object) -> bool:
        self._refuse("be compared")

    def __hash__(self) -> int:
        self._refuse("be a key (param.lookup(table) looks it up when the attempt starts)")


class Item(UnknownYet):
    """One item of a lazy value: `result["rows"]`."""

    def __init__(self, source: Lazy, key: object) -> None:
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise DefinitionError(f"{source._named()} cannot be indexed by {shown(key)}: use text or a whole number")
        self._whole, self._key = source, key

    def _reference(self) -> dict[str, Any]:
        inner = self._whole._reference()
        return {**inner, PATH: [*inner.get(PATH, []), self._key]}

    def _named(self) -> str:
        return f"{self._whole._named()}[{self._key!r}]"

    def _source(self) -> Lazy:
        return self._whole._source()


class ParamValue(UnknownYet):
    """The value that a run gives to a param of its DAG."""

    def __init__(self, name: str) -> None:
        self.name = name

    def lookup(self, table: Mapping[str, Any]) -> Lookup:
        """What `table` holds under this param's value: settings by environment, for instance."""
        return Lookup(self, table)

    def _reference(self) -> dict[str, Any]:
        return {PARAM: self.name}

    def _named(self) -> str:
        return f"param {self.name!r}"

    def __str__(self) -> str:
        return param_token(self.name)

    def __repr__(self) -> str:
        return param_token(self.name)

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse(f"be formatted as {spec!r}")
        return str(self)

    def __add__(self, other: object) -> str:
        return str(self) + other if isinstance(other, str) else NotImplemented

    def __radd__(self, other: object) -> str:
        return other + str(self) if isinstance(other, str) else NotImplemented


class Lookup(UnknownYet):
    """What a table holds under the value of a param."""

    def __init__(self, by: ParamValue, table: Mapping[str, Any]) -> None:
        if not isinstance(table, Mapping) or not table:
            raise DefinitionError(f"param {by.name!r}: lookup() takes a dict by value, not {shown(table)}")
        self._by, self._table = by, dict(table)

    def _reference(self) -> dict[str, Any]:
        return {LOOKUP: self._table, PARAM: self._by.name}

    def _named(self) -> str:
        return f"lookup by param {self._by.name!r}"


def walk(value: object, depth: int = 0) -> Iterator[object]:
    """Every leaf of a structure of lists, tuples, sets and dicts. Raises DefinitionError when it is bottomless."""
    if depth > _DEEPEST:
        raise DefinitionError(f"an argument is nested deeper than {_DEEPEST} levels, or contains itself")
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, Lazy):
                raise DefinitionError(f"{key._named()} cannot be a key of a dict: it is not known yet")
            yield from walk(item, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from walk(item, depth + 1)
    else:
        yield value


def resolve(value: Any, scope: Scope) -> Any:
    """The structure with every lazy value replaced by its value, and every text's tokens filled in."""
    if isinstance(value, Lazy):
        return evaluate(value._reference(), scope)
    if isinstance(value, str):
        return fill(value, scope.tokens, scope.params)
    if type(value) is dict:
        return {key: resolve(item, scope) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(resolve(item, scope) for item in value)
    return value


def reference_of(value: Any) -> Any:
    """The JSON form of one value of an environment: text, or a reference."""
    if isinstance(value, Lazy):
        return value._reference()
    return {FORMAT: value} if has_tokens(value) else value


def evaluate(reference: Any, scope: Scope) -> Any:
    """The value of a reference; anything else is its own value. Raises PermanentError when it has none."""
    if not isinstance(reference, dict):
        return reference
    if FORMAT in reference:
        return fill(reference[FORMAT], scope.tokens, scope.params)
    value: Any
    if RESULT in reference:
        what, value = f"the result of {reference[RESULT]!r}", scope.results.get(reference[RESULT])
    else:
        name = reference[PARAM]
        if name not in scope.params:
            raise PermanentError(f"the run has no param {name!r}")
        what, value = f"param {name!r}", scope.params[name]
        if LOOKUP in reference:
            what, value = _look_up(name, value, reference[LOOKUP], scope)
    for key in reference.get(PATH, []):
        try:
            value = value[key]
        except (LookupError, TypeError):
            raise PermanentError(f"{what} has no [{key!r}]: it is {shown(value)}") from None
    return value


def _look_up(name: str, value: Any, table: Mapping[str, Any], scope: Scope) -> tuple[str, Any]:
    if not isinstance(value, str) or value not in table:
        raise PermanentError(f"param {name!r} is {shown(value)}, which the table does not hold: {', '.join(table)}")
    return f"the entry {value!r}", resolve(table[value], scope)
