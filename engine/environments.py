"""The environments of a home: what `[env.NAME]` in `dagdeck.toml` lays over everything else, and the effective
configuration of a run.

The order, the strongest first: what the run was given, the environment, the DAG, the home.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model.dag import DagSpec, Json


class UnknownEnvironment(ValueError):
    """`dagdeck.toml` knows no environment of that name."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, as far as runs are concerned; its settings of the engine have been merged already."""

    name: str
    production: bool = False
    params: Mapping[str, Json] = field(default_factory=dict)
    config: Mapping[str, Json] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environments:
    """What the home says for all runs, and its environments by name; `active` is the one that is used by default."""

    active: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    config: Mapping[str, Json] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_name: Mapping[str, Environment] = field(default_factory=dict)

    def chosen(self, name: str | None) -> Environment | None:
        """The environment of a run: the one named, else the active one, if there is one. Raises UnknownEnvironment."""
        wanted = name or self.active
        if wanted is None:
            return None
        found = self.by_name.get(wanted)
        if found is None:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise UnknownEnvironment(f"there is no environment {wanted!r} in dagdeck.toml; there are: {known}")
        return found

    def defaults(self, spec: DagSpec, given: Mapping[str, Json], name: str | None = None) -> dict[str, Json]:
        """The values of a run's params that were not given: of the environment, the DAG, the home. Raises
        UnknownEnvironment.
        """
        layer = self.chosen(name)
        found: dict[str, Json] = dict(given)
        for param, declared in spec.params.items():
            if param in found:
                continue
            if layer is not None and param in layer.params:
                found[param] = layer.params[param]
            elif declared.default is not None:
                found[param] = declared.default
            elif param in self.params:
                found[param] = self.params[param]
        return found

    def effective(self, spec: DagSpec, given: Mapping[str, Json], name: str | None = None) -> dict[str, Json]:
        """What is kept of a run's configuration: its environment, where each param came from, the merged `config`, the
        environment's variables, and its connections by reference. Empty where nothing is configured. No secrets.
        """
        layer = self.chosen(name)
        sources = {param: self._source(spec, given, layer, param) for param in spec.params}
        record: dict[str, Json] = {}
        if layer is not None:
            record["environment"] = layer.name
            if layer.production:
                record["production"] = True
            if layer.variables:
                record["variables"] = dict(layer.variables)
        if sources and (layer is not None or self.params):
            record["params_from"] = sources
        if config := merged(self.config, layer.config if layer is not None else {}):
            record["config"] = config
        used = {connection for task in spec.tasks for connection in task.connections}
        connections = {key: dict(value) for key, value in self.known_connections(name).items() if key in used}
        if connections:
            record["connections"] = connections
        return record

    def known_connections(self, name: str | None = None) -> dict[str, Mapping[str, Any]]:
        """The connections of the home, with those of an environment over them. Raises UnknownEnvironment."""
        layer = self.chosen(name)
        return {**self.connections, **(layer.connections if layer is not None else {})}

    def _source(self, spec: DagSpec, given: Mapping[str, Json], layer: Environment | None, param: str) -> str:
        if param in given:
            return "run"
        if layer is not None and param in layer.params:
            return f"env {layer.name}"
        if spec.params[param].default is not None or param not in self.params:
            return "dag"
        return "home"


def merged(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Two tables, the second over the first; tables inside are merged alike."""
    found = dict(below)
    for key, value in above.items():
        before = found.get(key)
        found[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def json_table(what: str, value: Any) -> dict[str, Json]:
    """A table whose values are JSON. Raises ValueError naming the key that is not."""
    if not isinstance(value, dict):
        raise ValueError(f"[{what}] should be a table")
    for key, each in value.items():
        try:
            json.dumps(each, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(f"[{what}] {key} = {each!r} is not a JSON value: write dates as text") from None
    return value
