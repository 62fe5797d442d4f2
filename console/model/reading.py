"""Rows of a store as cards. This is the border at which text that others wrote is made safe to draw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from console.model.dags import DagCard, DagStats, Failure, ImportProblem, LiveTask, ParamCard, RunMark
from console.model.figures import durations, percentile
from console.model.home import HoldCard, RecoveryCard
from console.model.runs import AttemptCard, Mention, TaskCard, TaskPlan, Usual
from console.text import sanitise, sanitise_lines
from engine.model.causes import cause, cause_key
from engine.model.moments import Micros, to_iso
from engine.model.states import Reason

Row = Sequence[Any]
MOST_LINES = 200
_REASONS = frozenset(reason.value for reason in Reason)


def safe(text: object) -> str:
    """Any value as one line that may be drawn."""
    return sanitise(text if isinstance(text, str) else str(text))


_word = lru_cache(maxsize=8192)(safe)
"""The same for words that come again and again: states, types, names of DAGs."""


def maybe(text: object) -> str | None:
    """The same for a value that may be missing."""
    return None if text is None else safe(text)


def one_line(text: object) -> str:
    """Text of several lines as one: line ends become blanks."""
    return safe(" ".join(str(text).split()))


@lru_cache(maxsize=2048)
def _words(encoded: object) -> tuple[str, ...]:
    """A JSON list of text; anything else is empty: a damaged cell must not hide the row."""
    if not isinstance(encoded, str) or not encoded:
        return ()
    try:
        found = json.loads(encoded)
    except ValueError:
        return ()
    return tuple(safe(word) for word in found) if isinstance(found, list) else ()


def run_mark(row: Row) -> RunMark:
    """From the columns of the `*_runs` statements."""
    return RunMark(
        row[0], safe(row[1]), _word(row[2]), row[3], _word(row[4]), _word(row[5]), _word(row[6]), row[7], row[8],
        row[9], row[10], None if row[11] is None else _word(row[11]), row[13] if len(row) > 13 else 0,
    )  # fmt: skip


def dag_card(row: Row) -> DagCard:
    """From the columns of `dags`."""
    return DagCard(
        dag_id=safe(row[0]),
        file=safe(row[1]),
        state=_word(row[2]),
        timezone=_word(row[4]),
        schedule=None if row[5] is None else _word(row[5]),
        owner=None if row[6] is None else _word(row[6]),
        tags=_words(row[7]),
        broken_since=row[8],
        next_logical=row[9],
        next_run_after=row[10],
        paused_at=row[12],
        paused_by=maybe(row[13]),
        pause_reason=maybe(row[14]),
    )


def live_task(row: Row, plan: TaskPlan | None, p95: Micros | None) -> LiveTask:
    """From the columns of `live_tasks`, and what the DAG version says of the task."""
    return LiveTask(
        id=row[0], run=row[1], task_id=safe(row[3]), map_index=row[4], state=safe(row[5]), attempt=row[7],
        epoch_start=row[8], max_tries=None if plan is None else plan.retries + 1, retry_at=row[9], scheduled_at=row[10],
        started_at=row[11], blockers=_words(row[13]), last_error=None if row[14] is None else one_line(row[14]),
        p95=p95, asks=None if plan is None else plan.asks,
    )  # fmt: skip


def dag_stats(row: Row) -> DagStats:
    """From the columns of `run_durations`."""
    ordered = durations(row[1])
    return DagStats(percentile(ordered, 0.5), percentile(ordered, 0.95), len(ordered), row[2], row[3])


def usual(joined: str | None) -> Usual:
    """From the durations of `task_durations`."""
    ordered = durations(joined)
    return Usual(percentile(ordered, 0.5), percentile(ordered, 0.95), len(ordered))


def failure(row: Row) -> Failure:
    """From the columns of `unresolved`. Its cause comes from the error as it is stored, not as it is drawn."""
    error = row[9] or row[6]
    return Failure(
        dag_id=_word(row[1]), run=row[2], run_id=safe(row[3]), task_id=_word(row[4]), map_index=row[5],
        state=_word(row[6]), error=one_line(_spoken(error)), at=row[8], retry_at=row[12], cause=_key(row[9]),
    )  # fmt: skip


@lru_cache(maxsize=2048)
def _key(error: str) -> str:
    return cause_key(cause(error))


def _spoken(error: str) -> str:
    """A reason code, which stands where there is no error, in words."""
    return error.replace("_", " ") if error in _REASONS else error


def import_problem(row: Row) -> ImportProblem:
    """From the columns of `import_errors`."""
    trace = tuple(sanitise_lines(row[4], MOST_LINES)) if row[4] else ()
    return ImportProblem(safe(row[0]), maybe(row[1]), one_line(row[2]), row[3], row[5], trace)


def task_card(
    row: Row, plan: TaskPlan | None, attempts: Sequence[Row], figures: Usual | None, who: Mention | None
) -> TaskCard:
    """From the columns of `instances`, and those of `attempts` for each of its attempts, oldest first."""
    return TaskCard(
        id=row[0], task_id=safe(row[3]), map_index=row[4], state=safe(row[5]), reason=maybe(row[6]), attempt=row[7],
        epoch_start=row[8], max_tries=_tries(plan, row), then_state=maybe(row[11]),
        retry_at=row[12], scheduled_at=row[13], started_at=row[14], ended_at=row[15], blockers=_words(row[17]),
        last_error=None if row[18] is None else one_line(row[18]), changed_seq=row[19],
        attempts=tuple(attempt_card(attempt) for attempt in attempts), usual=figures, mention=who,
    )  # fmt: skip


def _tries(plan: TaskPlan | None, row: Row) -> int | None:
    """Tries that the task has in its present epoch: a clear may have given another number than the DAG does."""
    if row[20] is not None:
        return int(row[20]) + 1
    return None if plan is None else plan.retries + 1


def attempt_card(row: Row) -> AttemptCard:
    """From the columns of `attempts`."""
    return AttemptCard(
        safe(row[0]), row[2], safe(row[3]), row[4], row[5], row[6], maybe(row[7]), maybe(row[8]), maybe(row[9]),
        row[10], row[11], None if row[12] is None else one_line(row[12]), row[13], row[14], row[15], row[16],
        None if row[18] is None else one_line(row[18]),
    )  # fmt: skip


def mention(row: Row) -> Mention:
    """From the columns of `mentions`."""
    return Mention(safe(row[1]), safe(row[2]), row[3])


def task_plans(spec: Mapping[str, Any]) -> tuple[TaskPlan, ...]:
    """The tasks of a serialized DAG, in declaration order."""
    plans: list[TaskPlan] = []
    for task in spec.get("tasks", ()):
        retry = task.get("retry") or {}
        plans.append(
            TaskPlan(
                task_id=safe(task["task_id"]),
                upstream=tuple(safe(name) for name in task.get("upstream", ())),
                kind=safe(task.get("kind", "")),
                trigger_rule=safe(task.get("trigger_rule", "all_success")),
                retries=int(retry.get("retries", 0)),
                retry_delay=float(retry.get("delay", 300.0)),
                exponential=bool(retry.get("exponential", False)),
                multiplier=float(retry.get("multiplier", 2.0)),
                max_delay=float(retry.get("max_delay", 86_400.0)),
                pool=safe(task.get("pool", "default")),
                execution_timeout=task.get("execution_timeout"),
                runbook=maybe(task.get("runbook")),
                doc=None if task.get("doc") is None else one_line(task["doc"]),
                owner=maybe(task.get("owner")),
                memory_limit=task.get("memory_limit"),
                rules=len(retry.get("rules") or ()),
                group=maybe(task.get("group")),
                pool_slots=int(task.get("pool_slots", 1)),
                asks=one_line(asked) if (asked := (task.get("approval") or {}).get("message")) else None,
            )
        )
    return tuple(plans)


def param_cards(spec: Mapping[str, Any]) -> tuple[ParamCard, ...]:
    """The declared parameters of a serialized DAG."""
    return tuple(
        ParamCard(
            name=safe(name),
            default=param.get("default"),
            required=bool(param.get("required", False)),
            schema=dict(param.get("schema") or {}),
            description=None if param.get("description") is None else one_line(param["description"]),
        )
        for name, param in (spec.get("params") or {}).items()
    )


def hold_card(row: Row) -> HoldCard:
    """From the columns of `open_holds`."""
    return HoldCard(row[0], _word(row[1]), safe(row[2]), safe(row[3]), maybe(row[4]), row[5], row[6])


def recovery_card(row: Row) -> RecoveryCard:
    """From the columns of `open_report`: lists of names by heading, and counts."""
    try:
        report = json.loads(row[3])
    except ValueError:
        report = {"report": row[3]}
    if not isinstance(report, dict):
        report = {"report": report}
    lines: list[str] = []
    heads: list[str] = []
    for heading, value in report.items():
        words = safe(heading).replace("_", " ")
        if heading.endswith("_at") and isinstance(value, int):
            lines.append(f"{words.removesuffix(' at')}: {to_iso(value)}")
        elif isinstance(value, bool):
            lines.extend([f"{words}: yes"] if value else [])
        elif isinstance(value, list):
            if value:
                heads.append(f"{len(value)} {words}")
                lines.append(words)
                lines.extend(f"  {one_line(_item(item))}" for item in value[:MOST_LINES])
        elif value not in (None, "", 0):
            heads.append(f"{words} {one_line(value)}")
            lines.append(f"{words}: {one_line(value)}")
    return RecoveryCard(row[0], row[2], ", ".join(heads) or "nothing was running", tuple(lines))


def _item(item: object) -> str:
    if isinstance(item, dict):
        return "  ".join(f"{value}" for value in item.values() if value is not None)
    return str(item)


def config_lines(row: Row | None) -> dict[str, str] | None:
    """A run's effective configuration, as lines by name; None where nothing was configured."""
    if row is None:
        return None
    found = json.loads(row[0])
    lines = {"environment": one_line(found.get("environment") or "")}
    came = found.get("params_from", {})
    lines["params from"] = one_line(", ".join(f"{name}: {source}" for name, source in came.items()))
    lines["config"] = one_line(json.dumps(found["config"])) if "config" in found else ""
    lines["variables"] = one_line(", ".join(found.get("variables", {})))
    lines["connections"] = one_line(", ".join(found.get("connections", {})))
    return {name: text for name, text in lines.items() if text}
