"""What filters can hold against rows: the facts of DAGs, runs, task instances and what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from console.model.attention import Attention
from console.model.dags import DagCard, Failure, RunMark
from console.model.runs import RunDetail, TaskCard, TaskPlan
from console.model.snapshot import Snapshot
from engine.model.terms import Facts


def dag_facts(card: DagCard, failed: Failure | None) -> Facts:
    """A DAG: the states are those of its last run, of what is under way, and of a failure nobody has seen to."""
    last = card.last_run
    live = [task for run in card.active for task in run.live]
    states = {task.state for task in live} | {run.mark.state for run in card.active}
    if last is not None:
        states |= {last.state, last.sign}
    if failed is not None:
        states.add("failed")
    if card.paused_at is not None:
        states.add("paused")
    errors = [failed.error if failed else "", *(task.last_error or "" for task in live)]
    fields = {
        "dag": (card.dag_id,),
        "state": tuple(states),
        "tag": card.tags,
        "owner": (card.owner,) if card.owner else (),
        "task": tuple({task.task_id for task in live} | ({failed.task_id} if failed else set())),
        "pool": _pools(code for task in live for code in task.blockers),
        "error": tuple(filter(None, errors)),
        "type": () if last is None else (last.run_type,),
        "by": tuple(filter(None, (card.paused_by, last and last.created_by))),
        "run": tuple(mark.run_id for mark in card.recent),
    }
    moment = None if last is None else last.ended_at or last.started_at
    text = " ".join((*card.tags, card.owner or "", *fields["error"]))
    return Facts((card.dag_id,), fields, text, moment, None if last is None else last.logical_date)


def attention_facts(row: Attention) -> Facts:
    """A row of what needs a person."""
    states = [state for state, count in (("failed", row.failed), ("up_for_retry", row.retrying)) if count]
    states += ["awaiting_input"] if row.kind == "question" else []
    fields = {
        "state": tuple(states),
        "dag": row.dags,
        "run": tuple(run for _, run, _, _ in row.where if run),
        "task": tuple(task for _, _, task, _ in row.where if task),
        "error": (row.text,),
        "type": (row.kind,),
    }
    return Facts(row.dags, fields, f"{row.text} {row.detail}", row.since)


def failure_facts(failure: Failure, snapshot: Snapshot) -> Facts:
    """An instance that failed or waits for its next try."""
    card = snapshot.by_id.get(failure.dag_id)
    fields = {
        "dag": (failure.dag_id,),
        "run": (failure.run_id,),
        "task": (failure.task_id,),
        "state": (failure.state,),
        "error": (failure.error,),
        "tag": () if card is None else card.tags,
        "owner": (card.owner,) if card is not None and card.owner else (),
    }
    return Facts((failure.dag_id, failure.task_id), fields, failure.error, failure.at)


def run_facts(mark: RunMark) -> Facts:
    """A run."""
    fields = {
        "dag": (mark.dag_id,),
        "run": (mark.run_id,),
        "state": (mark.state, mark.sign),
        "type": (mark.run_type,),
        "by": (mark.created_by,) if mark.created_by else (),
        "error": (mark.reason,),
    }
    moment = mark.ended_at or mark.started_at
    return Facts((mark.run_id,), fields, f"{mark.run_type} {mark.reason}", moment, mark.logical_date)


def task_facts(card: TaskCard, counts: Mapping[str, int] | None, plan: TaskPlan | None, run: RunDetail) -> Facts:
    """A task instance, or what is folded into one row."""
    states = (card.state,) if counts is None else tuple(state for state, count in counts.items() if count)
    error = card.last_error or ""
    fields = {
        "dag": (run.mark.dag_id,),
        "run": (run.mark.run_id,),
        "task": (card.name,),
        "state": states,
        "pool": _pools(card.blockers) or (() if plan is None else (plan.pool,)),
        "owner": (plan.owner,) if plan is not None and plan.owner else (),
        "error": (error,) if error else (),
        "by": (card.mention.who,) if card.mention is not None else (),
        "type": () if plan is None else (plan.kind,),
    }
    text = " ".join((error, card.reason or "", *card.blockers))
    return Facts((card.name,), fields, text, card.ended_at or card.started_at, run.mark.logical_date)


def _pools(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple({name for kind, _, name in (code.partition(":") for code in codes) if kind == "pool" and name})
