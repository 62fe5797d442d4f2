"""What a task is told about its run: the fields it may ask for by parameter name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.authoring.lazy import Scope, evaluate
from engine.authoring.templates import TOKENS, param_variable, to_text
from engine.model.attempt_files import AttemptSpec
from engine.model.dag import Json

CONTEXT_FIELDS = (
    "logical_date",
    "execution_date",
    "data_interval_start",
    "data_interval_end",
    "ds",
    "params",
    "run_id",
    "dag_id",
    "task_id",
    "try_number",
    "max_tries",
    "map_index",
    "run_type",
    "run_after",
)


class TaskContext(dict[str, Any]):
    """All fields, by key or as attributes: `ctx["ds"]`, `ctx.ds`. Datetimes are aware, in the DAG's zone."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the context has no {name!r}; it has {', '.join(self)}") from None


def build_context(spec: AttemptSpec) -> TaskContext:
    """The context of an attempt. Raises ZoneInfoNotFoundError when this interpreter does not know the DAG's zone."""
    about = spec.context
    zone = UTC if about.timezone == "UTC" else ZoneInfo(about.timezone)

    def local(moment: str) -> datetime:
        return datetime.fromisoformat(moment).astimezone(zone)

    logical_date = local(about.logical_date)
    return TaskContext(
        logical_date=logical_date,
        execution_date=logical_date,
        data_interval_start=local(about.data_interval_start),
        data_interval_end=local(about.data_interval_end),
        ds=logical_date.date().isoformat(),
        params=dict(about.params),
        run_id=spec.run_id,
        dag_id=spec.dag_id,
        task_id=spec.task_id,
        try_number=spec.number,
        max_tries=about.max_tries,
        map_index=spec.map_index,
        run_type=about.run_type,
        run_after=local(about.run_after),
    )


def build_scope(context: TaskContext, results: Mapping[str, Any]) -> Scope:
    """What lazy values and placeholders of an attempt are evaluated against."""
    tokens = {name: _as_text(context[name]) for name in TOKENS}
    return Scope(tokens=tokens, params=context["params"], results=results)


def context_variables(spec: AttemptSpec) -> Iterator[tuple[str, str]]:
    """The `DAGDECK_*` variables that tell an attempt its place: moments in ISO 8601 UTC, params as text."""
    context, about = build_context(spec), spec.context
    yield from (
        ("DAGDECK_DAG_ID", spec.dag_id),
        ("DAGDECK_RUN_ID", spec.run_id),
        ("DAGDECK_TASK_ID", spec.task_id),
        ("DAGDECK_MAP_INDEX", str(spec.map_index)),
        ("DAGDECK_TRY_NUMBER", str(spec.number)),
        ("DAGDECK_RUN_TYPE", about.run_type),
        ("DAGDECK_LOGICAL_DATE", about.logical_date),
        ("DAGDECK_LOGICAL_DATE_LOCAL", context["logical_date"].isoformat()),
        ("DAGDECK_DS", context["ds"]),
        ("DAGDECK_DATA_INTERVAL_START", about.data_interval_start),
        ("DAGDECK_DATA_INTERVAL_END", about.data_interval_end),
    )
    for name, value in about.params.items():
        yield param_variable(name), to_text(value)


def resolve_env(env: Mapping[str, Json], spec: AttemptSpec, results: Mapping[str, Any]) -> dict[str, str]:
    """A DAG's or task's `env` with its references and placeholders replaced by values, as text.

    `results` holds the results of upstream tasks by id. Raises PermanentError when a reference has no value.
    """
    scope = build_scope(build_context(spec), results)
    return {name: to_text(evaluate(reference, scope)) for name, reference in env.items()}


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
