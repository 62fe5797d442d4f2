"""Details: all that is known of what the cursor stands on, as it is, with names and absolute times."""

from __future__ import annotations

from console.model.attention import Attention, attention
from console.model.dags import DagCard
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Scene
from console.model.targets import Target
from console.view.spans import DIM, TEXT
from engine.model.moments import SECOND, Micros, to_iso

Parts = list[tuple[str, str]]


def details(scene: Scene, target: Target) -> tuple[str, Parts]:
    """Title and lines for what needs a person, for a task, a run or a DAG."""
    snapshot = scene.snapshot
    row = next((row for row in attention(snapshot) if row.key == target.attention), None)
    if row is not None:
        return row.text, _attention(row)
    run = snapshot.run if snapshot.run is not None and snapshot.run.mark.run_id == target.run_id else None
    if run is not None and target.task_id:
        card = run.task(target.task_id, target.map_index)
        if card is not None:
            return f"{card.name} of {run.mark.run_id}", _task(run, card)
    if run is not None:
        return run.mark.run_id, _run(run)
    dag = snapshot.by_id.get(target.dag_id or "")
    if dag is not None:
        return dag.dag_id, _dag(dag)
    return "Details", [("nothing more is known of this row", DIM)]


def _lines(pairs: list[tuple[str, object]]) -> Parts:
    width = max(len(name) for name, _ in pairs) + 2
    return [(f"{name:<{width}}{value}", TEXT) for name, value in pairs if value not in (None, "", ())]


def _at(moment: Micros | None) -> str | None:
    return None if moment is None else to_iso(moment // SECOND * SECOND)


_LISTED = 20


def _attention(row: Attention) -> Parts:
    """What is the matter, whole, and where."""
    parts = _lines(
        [
            ("failed", row.failed or None),
            ("in retry", row.retrying or None),
            ("DAGs", ", ".join(row.dags[:_LISTED]) + (" …" if len(row.dags) > _LISTED else "")),
            ("since", _at(row.since)),
            ("known", row.detail),
        ]
    )
    parts += [("", TEXT), (row.text, TEXT), ("", TEXT)]
    names = (f"{run or dag}{f' / {task}' if task else ''}" for dag, run, task, _ in row.where)
    parts += [(name, DIM) for _, name in zip(range(_LISTED), names, strict=False)]
    left = len(row.where) - _LISTED
    return [*parts, (f"… and {left} more", DIM)] if left > 0 else parts


def _dag(card: DagCard) -> Parts:
    return _lines(
        [
            ("file", card.file),
            ("state", card.state),
            ("schedule", card.schedule),
            ("timezone", card.timezone),
            ("owner", card.owner),
            ("tags", " ".join(card.tags)),
            ("next logical date", _at(card.next_logical)),
            ("next run after", _at(card.next_run_after)),
            ("broken since", _at(card.broken_since)),
            ("paused since", _at(card.paused_at)),
            ("paused by", card.paused_by),
            ("pause reason", card.pause_reason),
        ]
    )


def _run(run: RunDetail) -> Parts:
    mark = run.mark
    return _lines(
        [
            ("run", mark.run_id),
            ("type", mark.run_type),
            ("state", mark.state),
            ("reason", mark.reason.replace("_", " ")),
            ("logical date", to_iso(mark.logical_date) + (" (inferred)" if run.inferred else "")),
            ("interval", f"{_at(run.interval_start)} to {_at(run.interval_end)}"),
            ("run after", _at(mark.run_after)),
            ("created", _at(run.created_at)),
            ("created by", mark.created_by),
            ("started", _at(mark.started_at)),
            ("ended", _at(mark.ended_at)),
            ("episode", run.episode),
            ("version", run.version),
            ("params", run.params),
            *(run.config or {}).items(),
            ("note", run.note),
        ]
    )


def task_settings(run: RunDetail, card: TaskCard) -> Parts:
    """A task instance's settings and identities, a line each."""
    return _task(run, card)


def _attempts(card: TaskCard) -> str:
    before = card.attempt - card.tries
    return f"{card.attempt}, {card.tries} of them since it was last cleared" if before else str(card.attempt)


def _task(run: RunDetail, card: TaskCard) -> Parts:
    plan = next((task for task in run.plan if task.task_id == card.task_id), None)
    latest = card.latest
    pairs: list[tuple[str, object]] = [
        ("state", card.state),
        ("reason", (card.reason or "").replace("_", " ")),
        ("attempts", _attempts(card)),
        ("retry at", _at(card.retry_at)),
        ("last error", card.last_error),
        ("attempt id", None if latest is None else latest.id),
        ("process", None if latest is None else latest.pid),
        ("exit code", None if latest is None else latest.exit_code),
        ("late result", None if latest is None else latest.late_result),
    ]
    if plan is not None:
        pairs += [
            ("kind", plan.kind),
            ("upstream", ", ".join(plan.upstream)),
            ("trigger rule", plan.trigger_rule),
            ("pool", plan.pool),
            ("retries", plan.retries),
            ("timeout", None if plan.execution_timeout is None else f"{plan.execution_timeout:g} s"),
            ("owner", plan.owner),
            ("runbook", plan.runbook or run.runbook),
        ]
    parts = _lines(pairs)
    if plan is not None and plan.doc:
        parts += [("", TEXT), (plan.doc, DIM)]
    return parts
