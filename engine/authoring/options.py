"""The arguments of `@task`, `shell`, `@dag` and `DAG`: their names, which are Airflow's, and what each allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from engine.authoring import checks, retries, schedules
from engine.authoring.breakers import Breaker
from engine.authoring.checks import Check, shown
from engine.authoring.exceptions import DefinitionError
from engine.authoring.params import Param
from engine.authoring.places import Place
from engine.authoring.retries import RetryRule
from engine.model.breaker import BreakerSpec
from engine.model.states import TriggerRule

Duration: TypeAlias = timedelta | str
Callback: TypeAlias = Callable[..., Any]
Callbacks: TypeAlias = Callback | list[Callback]
Moment: TypeAlias = datetime | date | str


class TaskOptions(TypedDict, total=False):
    """Arguments that every task takes; `default_args` of a DAG gives them to all its tasks."""

    retries: int
    retry_delay: Duration | list[Duration]
    retry_exponential_backoff: bool | float
    max_retry_delay: Duration
    retry_jitter: float
    retry_rules: RetryRule | list[RetryRule]
    on_lost: str
    execution_timeout: Duration
    grace: Duration
    memory_limit: int | str
    pool: str
    pool_slots: int
    priority_weight: int
    trigger_rule: str
    max_active_tis: int
    max_active_tis_per_dag: int
    depends_on_past: bool
    allow_failure: bool
    isolate: bool
    breaker: Breaker | str
    connections: list[str]
    env: Mapping[str, Any]
    owner: str
    doc: str
    doc_md: str
    runbook: str
    sla: Duration
    on_success_callback: Callbacks
    on_failure_callback: Callbacks
    on_retry_callback: Callbacks


class DagOptions(TypedDict, total=False):
    """Arguments that a DAG takes."""

    schedule: str | timedelta | datetime | list[str] | list[datetime] | None
    timezone: str | tzinfo
    kind: str
    schedule_kind: str
    start_date: Moment | None
    end_date: Moment | None
    catchup: bool | Duration
    on_missed: str
    missed_grace: Duration
    overlap: str
    exclude: Sequence[date | str]
    day_and: bool
    params: Mapping[str, Any]
    extra_params: bool
    default_args: Mapping[str, Any]
    tags: list[str]
    owner: str
    doc: str
    doc_md: str
    description: str
    runbook: str
    max_active_runs: int
    max_active_tasks: int
    max_active_tasks_per_run: int
    max_consecutive_failed_runs: int
    max_consecutive_failed_dag_runs: int
    resume_after: Duration
    dagrun_timeout: Duration
    run_timeout: Duration
    outcome: str
    paused: bool
    is_paused_upon_creation: bool
    on_broken: str
    python: str | Path
    env: Mapping[str, Any]
    on_success_callback: Callbacks
    on_failure_callback: Callbacks
    sla_miss_callback: Callbacks


_RULES = tuple(rule.value for rule in TriggerRule if rule is not TriggerRule.ALL_DONE_SETUP_SUCCESS)


def _backoff(value: Any) -> float | None:
    """The multiplier, or None for a constant delay."""
    if isinstance(value, bool):
        return 2.0 if value else None
    if not isinstance(value, int | float) or not 1 <= value <= 100:
        raise ValueError("True, False, or the multiplier, a number from 1 to 100")
    return float(value)


def _zone(value: Any) -> str:
    name = getattr(value, "key", None) or getattr(value, "name", None) if isinstance(value, tzinfo) else value
    if not isinstance(name, str) or not name:
        raise ValueError('the name of a zone, such as "Europe/Berlin"')
    return name


def _moment(value: Any) -> Moment | None:
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise ValueError('a date, a datetime, or ISO 8601 text such as "2024-01-31"')


def _params(value: Any) -> dict[str, Param]:
    if not isinstance(value, Mapping):
        raise ValueError('a dict, such as {"env": Param("prod", enum=["dev", "prod"])}')
    return {name: given if isinstance(given, Param) else Param(given) for name, given in value.items()}


def _breaker(value: Any) -> BreakerSpec:
    if isinstance(value, str):
        value = Breaker(value)
    if not isinstance(value, Breaker):
        raise ValueError('a name, or Breaker("name", failures=5, cooldown="5m")')
    return value.spec


def _python(value: Any) -> str:
    path = str(value) if isinstance(value, Path) else value
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError("the absolute path of a Python 3.11 or newer")
    return path


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a dict of task arguments")
    return dict(value)


TASK_CHECKS: dict[str, Check] = {
    "retries": checks.whole(0, 100_000),
    "retry_delay": checks.durations,
    "retry_exponential_backoff": _backoff,
    "max_retry_delay": checks.duration(zero=False),
    "retry_jitter": checks.number(0, 1),
    "retry_rules": retries.rules,
    "on_lost": checks.choice("retry", "fail"),
    "execution_timeout": checks.duration(zero=False),
    "grace": checks.duration(zero=True),
    "memory_limit": checks.size,
    "pool": checks.text,
    "pool_slots": checks.whole(1),
    "priority_weight": checks.whole(-1_000_000),
    "trigger_rule": checks.choice(*_RULES),
    "max_active_tis": checks.whole(1),
    "depends_on_past": checks.boolean,
    "allow_failure": checks.boolean,
    "isolate": checks.boolean,
    "connections": checks.text_list,
    "breaker": _breaker,
    "env": checks.env_names,
    "owner": checks.text,
    "doc": checks.text,
    "runbook": checks.text,
    "sla": checks.duration(zero=False),
    "on_success_callback": checks.callbacks,
    "on_failure_callback": checks.callbacks,
    "on_retry_callback": checks.callbacks,
}
DAG_CHECKS: dict[str, Check] = {
    "schedule": schedules.schedule,
    "timezone": _zone,
    "kind": checks.choice("interval", "trigger"),
    "start_date": _moment,
    "end_date": _moment,
    "catchup": schedules.catchup,
    "on_missed": checks.choice("all", "latest", "skip"),
    "missed_grace": checks.duration(zero=True),
    "overlap": checks.choice("queue", "skip", "cancel_previous", "latest_only"),
    "exclude": schedules.excluded,
    "day_and": checks.boolean,
    "params": _params,
    "extra_params": checks.boolean,
    "default_args": _mapping,
    "tags": checks.text_list,
    "owner": checks.text,
    "doc": checks.text,
    "description": checks.text,
    "runbook": checks.text,
    "max_active_runs": checks.whole(1),
    "max_active_tasks": checks.whole(1),
    "max_active_tasks_per_run": checks.whole(1),
    "run_timeout": checks.duration(zero=False),
    "max_consecutive_failed_runs": checks.whole(1),
    "resume_after": checks.duration(zero=False),
    "outcome": checks.choice("any_failed", "leaves"),
    "paused": checks.boolean,
    "on_broken": checks.choice("keep", "hold"),
    "python": _python,
    "env": checks.env_names,
    "on_success_callback": checks.callbacks,
    "on_failure_callback": checks.callbacks,
    "sla_miss_callback": checks.callbacks,
}
DEFAULT_ARGS_CHECKS: dict[str, Check] = {**TASK_CHECKS, "start_date": _moment, "end_date": _moment}
_SAME_AS = {
    "doc_md": "doc",
    "max_active_tis_per_dag": "max_active_tis",
    "schedule_kind": "kind",
    "dagrun_timeout": "run_timeout",
    "max_consecutive_failed_dag_runs": "max_consecutive_failed_runs",
    "is_paused_upon_creation": "paused",
}


def checked(what: str, given: Mapping[str, Any], allowed: Mapping[str, Check], place: Place) -> dict[str, Any]:
    """The given arguments in their normal form; those given as None count as not given.

    Raises DefinitionError naming `what` is being defined, the argument, its value and what is allowed.
    """
    found: dict[str, Any] = {}
    for argument, value in given.items():
        name = _SAME_AS.get(argument, argument) if isinstance(argument, str) else argument
        if name not in allowed:
            raise DefinitionError(f"{what}: {_unknown(argument, allowed)}", place)
        if value is None:
            continue
        if name in found:
            raise DefinitionError(f"{what}: {argument}= and another name of the same argument are both given", place)
        try:
            found[name] = allowed[name](value)
        except ValueError as problem:
            raise DefinitionError(f"{what}: {argument}={shown(value)} is not allowed: use {problem}", place) from None
    return found


def _unknown(argument: object, allowed: Mapping[str, Check]) -> str:
    import difflib  # only where a name is wrong

    near = difflib.get_close_matches(str(argument), allowed, n=1)
    hint = f", do you mean {near[0]}=?" if near else f"; arguments: {', '.join(allowed)}"
    return f"{argument}= is not an argument{hint}"
