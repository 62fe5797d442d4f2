"""How the world in memory obeys: what each verb would touch, and what it makes of it. Simple, but never a lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.model.asks import EffectCard, PreviewCard, Receipt, Refused, Selection
from console.model.dags import ENDED_TASK
from console.model.runs import RunDetail, TaskCard
from engine.model.ids import manual_run_id
from engine.model.moments import from_iso

if TYPE_CHECKING:
    from tests.support.fake_backend import FakeBackend

_FAILED = ("failed", "upstream_failed", "cancelled")
_ALIVE = ("queued", "running", "killing")


def rehearse(world: FakeBackend, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
    """What a command would touch. Raises Refused."""
    rows = _dag_rows(world, verb, selection, args) if verb in ("trigger", "pause", "resume") else None
    if verb in ("pause", "resume") and selection.run_ids:
        rows = _paused_rows(world, verb, selection)
    if verb == "acknowledge":
        rows = [EffectCard("engine", "", None, None, -1, "unread", "acknowledged", "", False)]
    if verb == "prune":
        rows = [EffectCard("engine", "", None, None, -1, "kept", "pruned", "", False)]
    if rows is None:
        rows = _task_rows(world, verb, selection, args)
    if not rows:
        raise Refused("state", f"nothing to {verb}")
    counts: dict[str, int] = {}
    for row in [row for row in rows if row.kind == "task"] or rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    kills = sum(row.kills for row in rows)
    words = f"{len(rows)} row{'s' if len(rows) != 1 else ''}, {kills} processes killed"
    code = world.code if verb in ("clear", "rerun") else ()
    return PreviewCard("", world.seq, verb, words, len(rows), counts, tuple(rows), None, kills, code=code)


def _dag_rows(world: FakeBackend, verb: str, selection: Selection, args: Mapping[str, Any]) -> list[EffectCard]:
    rows: list[EffectCard] = []
    for dag_id in selection.dag_ids:
        card = world.dags.get(dag_id)
        if card is None:
            raise Refused("not_found", f"there is no DAG {dag_id}")
        state = "active" if card.paused_at is None else "paused"
        if verb == "trigger":
            _date(args)
            rows.append(EffectCard("dag", dag_id, None, None, -1, state, "new run", "", False))
        elif (verb == "pause") == (card.paused_at is None):
            becomes = "paused" if verb == "pause" else "active"
            rows.append(EffectCard("dag", dag_id, None, None, -1, state, becomes, "", False))
    return rows


def _paused_rows(world: FakeBackend, verb: str, selection: Selection) -> list[EffectCard]:
    source, becomes = ("running", "paused") if verb == "pause" else ("paused", "running")
    marks = [run.mark for run in _runs(world, selection) if run.mark.state == source]
    return [EffectCard("run", mark.dag_id, mark.run_id, None, -1, source, becomes, "", False) for mark in marks]


def _date(args: Mapping[str, Any]) -> int | None:
    text = args.get("logical_date")
    try:
        return None if text is None else from_iso(str(text))
    except ValueError as error:
        raise Refused("invalid", f"logical date {text!r} is not a date such as 2026-11-22") from error


def _runs(world: FakeBackend, selection: Selection) -> list[RunDetail]:
    for run_id in selection.run_ids:
        if run_id not in world.runs:
            raise Refused("not_found", f"there is no run {run_id}")
    return [world.runs[run_id] for run_id in selection.run_ids]


def _task_rows(world: FakeBackend, verb: str, selection: Selection, args: Mapping[str, Any]) -> list[EffectCard]:
    rows: list[EffectCard] = []
    for run in _runs(world, selection):
        if verb == "cancel" and run.mark.active:
            mark = run.mark
            rows.append(EffectCard("run", mark.dag_id, mark.run_id, None, -1, mark.state, "cancelled", "", False))
        for card in _chosen(run, verb, selection, args):
            becomes = _becomes(verb, args)
            alive = card.state in _ALIVE and verb != "retry"
            rows.append(
                EffectCard(
                    "task", run.mark.dag_id, run.mark.run_id, card.task_id, card.map_index, card.state, becomes,
                    "runs again" if becomes == "none" else "", alive,
                )
            )  # fmt: skip
    return rows


def _becomes(verb: str, args: Mapping[str, Any]) -> str:
    if verb == "mark":
        return str(args.get("state"))
    return {"kill": "failed", "cancel": "cancelled", "retry": "scheduled"}.get(verb, "none")


def _chosen(run: RunDetail, verb: str, selection: Selection, args: Mapping[str, Any]) -> list[TaskCard]:
    named = [name.rpartition("/") for name in selection.task_ids]
    names = {name for of, _, name in named if of in ("", run.mark.run_id)}
    names = names if selection.task_ids else {card.task_id for card in run.tasks}
    if unknown := sorted(names - {card.task_id for card in run.tasks}):
        raise Refused("not_found", f"run {run.mark.run_id} has no task {unknown[0]}")
    if verb == "clear" and args.get("downstream"):
        for plan in run.plan:
            if names & set(plan.upstream):
                names.add(plan.task_id)
    if verb == "clear" and args.get("upstream"):
        for plan in reversed(run.plan):
            if plan.task_id in names:
                names.update(plan.upstream)
    only_failed = args.get("only_failed") or (verb == "rerun" and args.get("failed"))
    found = [card for card in run.tasks if card.task_id in names]
    match verb:
        case "clear" | "rerun":
            return [card for card in found if not only_failed or card.state in _FAILED]
        case "retry":
            return [card for card in found if card.state == "up_for_retry"]
        case "kill":
            return [card for card in found if card.state in _ALIVE]
        case "cancel":
            return [card for card in found if card.state not in ENDED_TASK] if run.mark.active else []
        case _:
            return [card for card in found if card.state != args.get("state")]


def carry_out(world: FakeBackend, verb: str, selection: Selection, args: Mapping[str, Any]) -> Receipt:
    """Does it. Raises Refused; then nothing has changed."""
    preview = rehearse(world, verb, selection, args)
    if verb == "acknowledge":
        world.report = None
        return Receipt(0, "acknowledged the report", 1)
    if verb == "prune":
        return Receipt(0, "pruning has begun", 1)
    if verb in ("pause", "resume") and selection.run_ids:
        for run in _runs(world, selection):
            becomes = "paused" if verb == "pause" else "running"
            world.runs[run.mark.run_id] = replace(run, mark=run.mark._replace(state=becomes))
        return Receipt(0, f"{verb}d {preview.total} runs", preview.total)
    if verb in ("pause", "resume"):
        for dag_id in selection.dag_ids:
            paused = world.now() if verb == "pause" else None
            world.dags[dag_id] = world.dags[dag_id]._replace(paused_at=paused, paused_by="ops1" if paused else None)
        return Receipt(0, f"{verb}d {preview.total} DAGs", preview.total)
    if verb == "trigger":
        return _trigger(world, selection.dag_ids[0], _date(args))
    for run in _runs(world, selection):
        _change(world, run, verb, _chosen(run, verb, selection, args), args)
    return Receipt(0, f"{verb} of {preview.total} task instances requested", preview.total)


def _change(world: FakeBackend, run: RunDetail, verb: str, chosen: list[TaskCard], args: Mapping[str, Any]) -> None:
    ids = {card.id for card in chosen}
    becomes = _becomes(verb, args)
    tasks = tuple(
        card._replace(state=becomes, retry_at=None, changed_seq=world.seq + 1, epoch_start=card.attempt)
        if card.id in ids
        else card
        for card in run.tasks
    )
    state = "cancelled" if verb == "cancel" else "running" if becomes in ("none", "scheduled") else run.mark.state
    ended = world.now() if state == "cancelled" else None if state == "running" else run.mark.ended_at
    world.runs[run.mark.run_id] = replace(run, mark=run.mark._replace(state=state, ended_at=ended), tasks=tasks)


def _trigger(world: FakeBackend, dag_id: str, date: int | None) -> Receipt:
    now = world.now()
    before = [run for run in world.runs.values() if run.mark.dag_id == dag_id]
    if not before:
        raise Refused("invalid", f"{dag_id} has no tasks")
    number = max(run.mark.id for run in world.runs.values()) + 1
    logical = now if date is None else date
    run_id = manual_run_id(dag_id, logical, number.to_bytes(4, "big"))
    old = before[-1]
    mark = old.mark._replace(
        id=number, run_id=run_id, run_type="manual", state="running", logical_date=logical, started_at=now,
        ended_at=None, created_by="ops1",
    )  # fmt: skip
    tasks = tuple(
        card._replace(id=number * 1000 + at, state="none", attempt=0, attempts=(), retry_at=None, started_at=None,
                ended_at=None, last_error=None)
        for at, card in enumerate(old.tasks)
    )  # fmt: skip
    world.runs[run_id] = replace(old, mark=mark, tasks=tasks)
    return Receipt(0, f"triggered {run_id}", 1, run_id=run_id)
