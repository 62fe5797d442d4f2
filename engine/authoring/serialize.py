"""A DAG as data: `DAG` to `DagSpec`, the only form of user code that the engine ever sees."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from engine.authoring.checks import shown
from engine.authoring.connections import names_in
from engine.authoring.dag import DAG
from engine.authoring.exceptions import DefinitionError
from engine.authoring.lazy import Lazy, reference_of
from engine.authoring.mapping import sources_of
from engine.authoring.schedules import ends_by_itself
from engine.authoring.wiring import Task
from engine.model.dag import CallbackFlags, DagSpec, Json, RetryPolicy, ScheduleSpec, TaskSpec
from engine.model.states import TriggerRule

_RETRY_FIELDS = {
    "retries": "retries", "retry_delay": "delay", "retry_jitter": "jitter", "max_retry_delay": "max_delay",
    "retry_rules": "rules", "on_lost": "on_lost",
}  # fmt: skip
_SAME_NAME = (
    "execution_timeout", "grace", "pool", "pool_slots", "priority_weight",
    "max_active_tis", "breaker",
    "isolate", "memory_limit", "owner", "doc", "runbook", "sla", "depends_on_past", "allow_failure",
)  # fmt: skip


def serialize(dag: DAG, file: str, default_zone: str = "UTC") -> DagSpec:
    """The DAG's serialized form. `file` is the DAG file relative to `dags/`; `default_zone` the home's zone.

    Raises DefinitionError for what shows only in the whole: an unknown zone, dates, values of the environment.
    """
    options = dag.options
    return DagSpec(
        dag_id=dag.dag_id,
        file=file,
        tasks=[_task(task) for task in dag.tasks],
        schedule=_schedule(dag, default_zone),
        params={name: param.spec() for name, param in dag.params.items()},
        extra_params=options.get("extra_params", False),
        tags=options.get("tags", []),
        owner=options.get("owner") or dag.default_args.get("owner"),
        doc=options.get("doc") or options.get("description"),
        runbook=options.get("runbook"),
        max_active_runs=options.get("max_active_runs", 16),
        max_active_tasks=options.get("max_active_tasks"),
        max_active_tasks_per_run=options.get("max_active_tasks_per_run"),
        run_timeout=options.get("run_timeout"),
        max_failed_runs=options.get("max_consecutive_failed_runs"),
        breaker_cooldown=options.get("resume_after"),
        outcome=options.get("outcome", "any_failed"),
        paused_upon_creation=options.get("paused", False),
        on_broken=options.get("on_broken", "keep"),
        python=options.get("python"),
        env={name: value for name, value in _dag_env(dag).items() if isinstance(value, str)},
        callbacks=_callbacks(options),
        line=dag.place.line,
    )


def warnings_of(dag: DAG) -> list[str]:
    """What is allowed, but not what the author may expect."""
    found = []
    if not dag.tasks:
        found.append(f"DAG {dag.dag_id!r} has no tasks")
    if "sla_miss_callback" in dag.options:
        found.append(f"DAG {dag.dag_id!r}: sla_miss_callback is not called by this version")
    return found


def _task(task: Task) -> TaskSpec:
    options = task.options
    given = {name: options[name] for name in _SAME_NAME if name in options}
    return TaskSpec(
        task_id=task.task_id,
        kind=task.kind,
        upstream=task.upstream_in_order(),
        inputs=task.inputs,
        mapped=sources_of(task),
        group=task.group.group_id if task.group else None,
        trigger_rule=_trigger_rule(task),
        retry=_retry(options, task),
        command=task.command,
        approval=task.approval,
        env=_task_env(task),
        connections=_connections(task),
        callbacks=_callbacks(options),
        line=task.place.line,
        role=task.role,
        setups=[name for name in task.upstream_in_order() if _cleans_up_after(task, name)],
        on_failure_fail_run=task.on_failure_fail_run,
        decides=task.decides,
        skips_all_below=task.skips_all_below,
        **given,
    )


def _connections(task: Task) -> list[str]:
    """Those it says it needs, and those that its function asks for by name."""
    asked = names_in(task.function) if task.function is not None else []
    return list(dict.fromkeys([*task.options.get("connections", ()), *asked]))


def _trigger_rule(task: Task) -> TriggerRule:
    if task.role == "teardown":
        return TriggerRule.ALL_DONE_SETUP_SUCCESS
    return TriggerRule(task.options.get("trigger_rule", TriggerRule.ALL_SUCCESS))


def _cleans_up_after(task: Task, upstream: str) -> bool:
    return task.role == "teardown" and task.dag.get_task(upstream).role == "setup"


def _retry(options: dict[str, Any], task: Task) -> RetryPolicy:
    given = {_RETRY_FIELDS[name]: options[name] for name in _RETRY_FIELDS if name in options}
    if isinstance(given.get("delay"), list):
        given["delays"] = given["delay"]
        given["delay"] = given["delays"][0]
    policy = RetryPolicy(**given)
    multiplier = options.get("retry_exponential_backoff")
    if multiplier is not None and policy.delays:
        raise DefinitionError(
            f"task {task.task_id!r}: retry_delay= is a list, so retry_exponential_backoff= has no say: leave one out",
            task.place,
        )
    if multiplier is not None:
        policy.exponential, policy.multiplier = True, multiplier
    return policy


def _callbacks(options: dict[str, Any]) -> CallbackFlags:
    return CallbackFlags(
        on_success="on_success_callback" in options,
        on_failure="on_failure_callback" in options,
        on_retry="on_retry_callback" in options,
    )


def _dag_env(dag: DAG) -> dict[str, Json]:
    return _env(dag.options.get("env", {}), dag, f"DAG {dag.dag_id!r}")


def _task_env(task: Task) -> dict[str, Json]:
    """The task's own environment, and what of the DAG's is known only when an attempt starts."""
    own = _env(task.options.get("env", {}), task.dag, f"task {task.task_id!r}")
    return {name: value for name, value in _dag_env(task.dag).items() if not isinstance(value, str)} | own


def _env(env: dict[str, Any], dag: DAG, what: str) -> dict[str, Json]:
    return {name: _env_value(name, value, dag, what) for name, value in env.items()}


def _env_value(name: str, value: Any, dag: DAG, what: str) -> Json:
    if isinstance(value, Lazy):
        return reference_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or "\0" in value:
        raise DefinitionError(f"{what}: env {name}={shown(value)} is not allowed: use text, a number or a lazy value")
    dag.check_tokens(value, what)
    return reference_of(value)


def _schedule(dag: DAG, default_zone: str) -> ScheduleSpec:
    options = dag.options
    name = options.get("timezone", default_zone)
    zone = _zone(dag, name)
    expression = options.get("schedule")
    catchup, window = options.get("catchup", ("none", None))
    return ScheduleSpec(
        expression=expression,
        timezone=name,
        kind=options.get("kind", "trigger" if ends_by_itself(expression) else "interval"),
        start_date=_moment(dag, "start_date", zone),
        end_date=_moment(dag, "end_date", zone),
        catchup=catchup,
        on_missed=options.get("on_missed"),
        exclude=options.get("exclude", []),
        day_and=options.get("day_and", False),
        catchup_window=window,
        missed_grace=options.get("missed_grace"),
        overlap=options.get("overlap", "queue"),
    )


def _zone(dag: DAG, name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise DefinitionError(
            f'DAG {dag.dag_id!r}: timezone={name!r} is not known: use an IANA name, such as "Europe/Berlin"', dag.place
        ) from None


def _moment(dag: DAG, argument: str, zone: tzinfo) -> str | None:
    """ISO 8601 with an offset; what has none is read in the DAG's zone."""
    value = dag.options.get(argument, dag.default_args.get(argument))
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return str((value if value.tzinfo is not None else value.replace(tzinfo=zone)).isoformat())
