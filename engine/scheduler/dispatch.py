"""From a granted task instance to what its attempt is given: command, context, environment, inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.authoring.exceptions import PermanentError
from engine.authoring.mapping import ELEMENT
from engine.authoring.references import resolve_item, resolve_text
from engine.authoring.templates import to_text
from engine.config import Settings, task_environment
from engine.execution.directory import path_of
from engine.execution.port import LaunchOrder
from engine.home import Home
from engine.lifecycle.plan import DagPlan
from engine.model.attempt_files import RESULT, AttemptSpec, Context, InputRef
from engine.model.dag import DagSpec, TaskSpec
from engine.model.moments import to_datetime, to_iso
from engine.model.rows import UNMAPPED, Attempt, Run, TaskInstance


@dataclass(slots=True)
class Version:
    """One DAG version as the scheduler needs it: its compiled plan, and the bundle its code lives in."""

    id: int
    plan: DagPlan
    bundle: str
    """Content hash: the folder below `versions/`."""
    number: int = 0
    """1, 2, 3 … per DAG: what people call it."""

    @property
    def spec(self) -> DagSpec:
        return self.plan.spec


@dataclass(frozen=True, slots=True)
class CallbackCall:
    """A callback that has to be run: which function, of which task (None: of the DAG itself), about which failure."""

    id: str
    name: str
    task_id: str | None
    error: str | None
    map_index: int = UNMAPPED


@dataclass(frozen=True, slots=True)
class Places:
    """Where a home keeps bundles and results, and which interpreter its tasks use."""

    home: Home
    python: str
    """Interpreter of DAGs that name none of their own."""

    def bundle(self, content_hash: str) -> Path:
        """The folder of a DAG version's code."""
        return self.home.versions / content_hash

    def result(self, attempt_id: str) -> Path:
        """The result file of an attempt."""
        return Path(path_of(str(self.home.attempts), attempt_id)) / RESULT

    def python_of(self, dag: DagSpec) -> str:
        """The interpreter of a DAG's tasks."""
        return dag.python or self.python


class Dispatcher:
    """Builds launch orders for one home."""

    def __init__(self, places: Places, settings: Settings) -> None:
        self._home = places.home
        self._places = places
        self._base_env = task_environment(places.home, settings)
        self._connections_of_home = settings.environments.known_connections()

    def order(
        self,
        version: Version,
        run: Run,
        instance: TaskInstance,
        attempt: Attempt,
        given: Mapping[str, InputRef],
    ) -> LaunchOrder:
        """The order for one attempt. `given` holds results of upstream tasks by task id, and the items of its index."""
        task = version.plan.tasks[instance.task_id]
        assert task.kind != "approval"  # it waits for a person, and is never started
        inputs = {name: given.get(name, InputRef()) for name in task.inputs}
        if task.mapped:
            inputs.update((name, ref) for name, ref in given.items() if name.startswith(ELEMENT))
        context = self._context(version.spec, run, task)
        if instance.retries is not None:
            context.max_tries = 1 + instance.retries
        if instance.failed_keys is not None:
            context.failed_keys = json.loads(instance.failed_keys)
        spec = AttemptSpec(
            attempt_id=attempt.id,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=task.task_id,
            map_index=instance.map_index,
            number=attempt.number,
            kind=task.kind,
            context=context,
            bundle=str(self._places.bundle(version.bundle)),
            file=version.spec.file,
            argv=_argv(task),
            cwd=str((self._home.dags / version.spec.file).parent),
            inputs=inputs,
            memory_limit=task.memory_limit,
        )
        spec.env = self._env(version.spec, run, spec, task.env)
        if instance.failed_keys is not None:
            spec.env["DAGDECK_FAILED_KEYS"] = instance.failed_keys
        if task.kind == "shell":
            spec.env.update(
                (source.name, resolve_item(source, spec.inputs[ELEMENT + source.name], spec)) for source in task.mapped
            )
        return LaunchOrder(
            spec,
            self._places.python_of(version.spec),
            cold=task.isolate or bool(task.connections),  # no process that others are forked from ever has a secret
            connections=self._connections(run, task),
            grace=task.grace,
        )

    def _connections(self, run: Run, task: TaskSpec) -> dict[str, Mapping[str, Any]]:
        """As they were configured when the run was made; later ones for a task that asks for more since then."""
        if not task.connections:
            return {}
        known = {**self._connections_of_home, **run.config.get("connections", {})}
        missing = [name for name in task.connections if name not in known]
        if missing:
            raise PermanentError(f"connection {missing[0]!r} does not stand in dagdeck.toml")
        return {name: known[name] for name in task.connections}

    def callback(self, version: Version, run: Run, call: CallbackCall) -> LaunchOrder:
        """The order for a callback: it runs as a short attempt of its own."""
        spec = AttemptSpec(
            attempt_id=call.id,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=call.task_id or "",
            map_index=call.map_index,
            number=0,
            kind="callback",
            context=self._context(version.spec, run, None),
            bundle=str(self._places.bundle(version.bundle)),
            file=version.spec.file,
            callback=call.name,
            error=call.error,
            cwd=str((self._home.dags / version.spec.file).parent),
        )
        spec.env = self._env(version.spec, run, spec, {})
        return LaunchOrder(spec, self._places.python_of(version.spec), cold=False, grace=10.0)

    def _context(self, dag: DagSpec, run: Run, task: TaskSpec | None) -> Context:
        return Context(
            logical_date=to_iso(run.logical_date),
            data_interval_start=to_iso(run.interval_start),
            data_interval_end=to_iso(run.interval_end),
            run_after=to_iso(run.run_after),
            timezone=dag.schedule.timezone,
            run_type=run.run_type.value,
            params=run.params,
            config=run.config.get("config", {}),
            environment=run.config.get("environment"),
            max_tries=1 + (task.retry.retries if task else 0),
        )

    def _env(self, dag: DagSpec, run: Run, spec: AttemptSpec, task_env: Mapping[str, Any]) -> dict[str, str]:
        """Configuration, then the home's, the DAG's and the task's own, then what dagdeck says of the attempt."""
        zone = dag.schedule.timezone
        local = to_datetime(run.logical_date, zone)
        env = {**self._base_env, **run.config.get("variables", {}), **dag.env}
        for name, value in task_env.items():
            env[name] = resolve_text(value, spec)
        for name, value in run.params.items():
            env[f"DAGDECK_PARAM_{name.upper()}"] = to_text(value)
        env.update(
            DAGDECK_DAG_ID=run.dag_id,
            DAGDECK_RUN_ID=run.run_id,
            DAGDECK_TASK_ID=spec.task_id,
            DAGDECK_MAP_INDEX=str(spec.map_index),
            DAGDECK_TRY_NUMBER=str(spec.number),
            DAGDECK_ATTEMPT_ID=spec.attempt_id,
            DAGDECK_RUN_TYPE=run.run_type.value,
            DAGDECK_LOGICAL_DATE=spec.context.logical_date,
            DAGDECK_DATA_INTERVAL_START=spec.context.data_interval_start,
            DAGDECK_DATA_INTERVAL_END=spec.context.data_interval_end,
            DAGDECK_EXECUTION_DATE=spec.context.logical_date,
            DAGDECK_RUN_AFTER=spec.context.run_after,
            DAGDECK_LOGICAL_DATE_LOCAL=local.isoformat(),
            DAGDECK_DATA_INTERVAL_START_LOCAL=to_datetime(run.interval_start, zone).isoformat(),
            DAGDECK_DATA_INTERVAL_END_LOCAL=to_datetime(run.interval_end, zone).isoformat(),
            DAGDECK_DS=local.date().isoformat(),
            DAGDECK_DS_NODASH=local.date().isoformat().replace("-", ""),
            DAGDECK_ENVIRONMENT=run.config.get("environment") or "",
            DAGDECK_CONFIG=json.dumps(run.config.get("config", {})),
            TRACEPARENT=_traceparent(run.run_id, spec.attempt_id),
        )
        return env


def _argv(task: TaskSpec) -> list[str]:
    if task.kind != "shell":
        return []
    return ["/bin/sh", "-c", task.command] if isinstance(task.command, str) else list(task.command or ())


def _traceparent(run_id: str, attempt_id: str) -> str:
    """W3C trace context: one trace per run, one span per attempt, so that a task's own tracing joins up."""
    trace = hashlib.sha256(run_id.encode()).hexdigest()[:32]
    span = hashlib.sha256(attempt_id.encode()).hexdigest()[:16]
    return f"00-{trace}-{span}-01"
