"""What a task is told about its run: the fields it may ask for by parameter name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.authoring.lazy import Scope
from engine.authoring.templates import TOKENS

if TYPE_CHECKING:
    from engine.model.attempt_files import AttemptSpec

CONTEXT_FIELDS = (
    "logical_date",
    "execution_date",
    "data_interval_start",
    "data_interval_end",
    "ds",
    "ds_nodash",
    "params",
    "config",
    "environment",
    "run_id",
    "dag_id",
    "task_id",
    "try_number",
    "max_tries",
    "map_index",
    "run_type",
    "run_after",
    "failed_keys",
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
        ds_nodash=logical_date.date().isoformat().replace("-", ""),
        params=dict(about.params),
        config=dict(about.config),
        environment=about.environment,
        run_id=spec.run_id,
        dag_id=spec.dag_id,
        task_id=spec.task_id,
        try_number=spec.number,
        max_tries=about.max_tries,
        map_index=spec.map_index,
        run_type=about.run_type,
        run_after=local(about.run_after),
        failed_keys=about.failed_keys,
    )


def build_scope(context: TaskContext, results: Mapping[str, Any]) -> Scope:
    """What lazy values and placeholders of an attempt are evaluated against."""
    tokens = {name: _as_text(context[name]) for name in TOKENS}
    return Scope(tokens=tokens, params=context["params"], results=results)


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
