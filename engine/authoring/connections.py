"""`connection("name")` in a task: where something is, and what it takes to get in. At import there is none."""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any
from urllib.parse import quote

from engine.authoring.exceptions import PermanentError

_given: dict[str, dict[str, Any]] = {}


class Connection(Mapping[str, Any]):
    """Its fields by key or as attributes: `host`, `port`, `user`, `password`, `database` and whatever else was said.

    `uri` is the field of that name, or put together from the others. A `repr` shows no secrets.
    """

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        self._name = name
        self._fields = dict(fields)

    def __getitem__(self, key: str) -> Any:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(
                f"connection {self._name!r} has no {name!r}; it has {', '.join(self._fields)}"
            ) from None

    @property
    def uri(self) -> str:
        """`kind://user:password@host:port/database`, as far as these are known."""
        found = self._fields
        if "uri" in found:
            return str(found["uri"])
        who = quote(str(found["user"]), safe="") if "user" in found else ""
        if "password" in found:
            who += f":{quote(str(found['password']), safe='')}"
        port = f":{found['port']}" if "port" in found else ""
        path = f"/{found['database']}" if "database" in found else ""
        return f"{found.get('kind', 'tcp')}://{who}{'@' if who else ''}{found.get('host', '')}{port}{path}"

    def __repr__(self) -> str:
        return f"<connection {self._name}: {', '.join(self._fields)}>"


def connection(name: str) -> Connection:
    """A connection of this home, in a task that was given it: by calling this with its name written out, or by
    `connections=["name"]`. Raises PermanentError where it was not.
    """
    found = _given.get(name)
    if found is None:
        raise PermanentError(
            f'connection {name!r} was not given to this task: say connections=["{name}"] where the task is made'
        )
    return Connection(name, found)


def give(connections: Mapping[str, Mapping[str, Any]]) -> None:
    """Puts the connections of this process's attempt in place."""
    _given.clear()
    _given.update((name, dict(fields)) for name, fields in connections.items())


def variables(connections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The same for a shell's environment: `DAGDECK_CONN_NAME` is the URI, `DAGDECK_CONN_NAME_PASSWORD` a field."""
    found = {}
    for name, fields in connections.items():
        prefix = "DAGDECK_CONN_" + "".join(letter if letter.isalnum() else "_" for letter in name).upper()
        found[prefix] = Connection(name, fields).uri
        found.update((f"{prefix}_{key.upper()}", str(value)) for key, value in fields.items())
    return found


def names_in(function: Callable[..., Any]) -> list[str]:
    """The connections that a function asks for by a name that is written out."""
    code = getattr(function, "__code__", None)
    return list(dict.fromkeys(_names(code))) if isinstance(code, CodeType) else []


def _names(code: CodeType) -> Iterator[str]:
    asked = False
    for step in dis.get_instructions(code):
        if asked and step.opname == "LOAD_CONST" and isinstance(step.argval, str):
            yield step.argval
        if step.opname not in ("PUSH_NULL", "PRECALL", "CACHE"):
            asked = step.opname.startswith("LOAD_") and step.argval == connection.__name__
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
