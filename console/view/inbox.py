"""The failure inbox: what has failed and nobody has put right, by cause, each instance below its cause. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from console.figures import countdown
from console.model.attention import Attention, attention
from console.model.dags import Failure
from console.model.snapshot import Scene, Snapshot
from console.view.facts import failure_facts
from console.view.sorting import Order
from console.view.spans import BAD, DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import ago_words, intent_words, moment_words, run_words, sign
from engine.model.moments import Micros
from engine.model.terms import Terms

Row = tuple[Hashable, Spans]
Group: TypeAlias = tuple[Attention, list[Failure]]
"""A cause, and its instances."""
MEMBERS = 200
"""Instances listed under one cause."""


def groups(snapshot: Snapshot, terms: Terms | None = None) -> list[Group]:
    """Causes, the most pressing first, with their instances, newest first; of these only those that fit the terms."""
    by_place = {(f.dag_id, f.run_id, f.task_id, f.map_index): f for f in snapshot.failures}
    found = []
    for row in attention(snapshot):
        if row.kind not in ("failures", "retries"):
            continue
        members = [by_place[place] for place in row.where if place in by_place]
        if terms is not None:
            members = [failure for failure in members if terms.hold(failure_facts(failure, snapshot))]
        if members:
            found.append((row, members))
    return found


def in_order(found: list[Group], order: Order[Group] | None, now: Micros) -> list[Group]:
    """The causes in an order; sorted by DAGs, so are the instances of each."""
    if order is None:
        return found
    causes = order.of(found, now)
    if order.column.name != "dag":
        return causes
    return [
        (row, sorted(each, key=lambda failure: (failure.dag_id, failure.task_id), reverse=order.turned))
        for row, each in causes
    ]


def rows(scene: Scene, found: list[Group], width: int) -> list[Row]:
    """A line for each cause, and one for each instance."""
    lines: list[Row] = []
    figures = max((len(str(max(row.failed, row.retrying))) for row, _ in found), default=1)
    for row, members in found:
        if lines:
            lines.append((None, ()))
        lines.append((("cause", row.key), crop(_cause(row, members, scene, width, figures), width)))
        for failure in members[:MEMBERS]:
            key = ("failure", failure.run_id, failure.task_id, failure.map_index)
            lines.append((key, crop(_member(row, failure, scene, width), width)))
        if len(members) > MEMBERS:
            lines.append((None, ((f"     … and {len(members) - MEMBERS} more", DIM),)))
    return lines


def _cause(row: Attention, members: list[Failure], scene: Scene, width: int, figures: int) -> Spans:
    now = scene.now
    failed = sum(failure.state != "up_for_retry" for failure in members)
    retrying = len(members) - failed
    dags = len({failure.dag_id for failure in members})
    what = "task" if members[0].task_id else "run"
    reach = f"{len(members)} {what}{'s' if len(members) != 1 else ''} in {dags} DAG{'s' if dags != 1 else ''}"
    reach = row.detail or reach
    first, last = min(f.at for f in members), max(f.at for f in members)
    when = [f"first {moment_words(first, now)}", f"last {moment_words(last, now)}"]
    line = Line().gap(1)
    line.spans((sign("failed"), (f" {failed}", BAD)) if failed else (), figures + 2).gap(1)
    line.spans((sign("up_for_retry"), (f" {retrying}", WARN)) if retrying else (), figures + 2).gap(1)
    tail = 66 if width >= 150 else 50 if width >= 120 else 24
    words = "   ".join([f"{reach:<22}", *when]) if width >= 120 else reach
    if len(words) > tail:
        words = "   ".join([reach, when[0]]) if width >= 120 else reach
    line.cell(row.text, max(width - line.width - tail - 2, 10), f"{TEXT} bold").gap(2)
    return line.cell(words, tail, DIM).done()


def _member(row: Attention, failure: Failure, scene: Scene, width: int) -> Spans:
    now, wide = scene.now, width >= 100
    line = Line().gap(5).add(*sign(failure.state)).gap(1)
    index = "" if failure.map_index < 0 else f"[{failure.map_index}]"
    name = f"{failure.dag_id}/{failure.task_id}{index}" if failure.task_id else failure.dag_id
    line.cell(name, 44 if wide else 30, TEXT, cut="middle").gap(2)
    dag = scene.snapshot.by_id.get(failure.dag_id)
    line.cell(run_words(failure.run_id, now, "UTC" if dag is None else dag.timezone), 28 if wide else 17, DIM).gap(2)
    if failure.retry_at is not None:
        words = f"retry in {countdown(failure.retry_at, now)}" if failure.retry_at > now else "retry is due"
        line.cell(words, 16, WARN)
    else:
        line.cell(f"{ago_words(failure.at, now)} ago" if failure.at else "", 16, DIM)
    asked = scene.intents.of((failure.run_id, failure.task_id, failure.map_index))
    asked = asked or scene.intents.of((failure.run_id, "", -1))
    if asked is not None:
        return line.spans(intent_words(asked), max(width - line.width, 0)).done()
    other = failure.error if failure.error != row.text else ""
    return (line.gap(2).add(other, DIM) if other else line).done()


def summary(found: list[Group]) -> str:
    """How much there is."""
    members = [failure for _, each in found for failure in each]
    retrying = sum(failure.state == "up_for_retry" for failure in members)
    causes = f"{len(found)} cause{'s' if len(found) != 1 else ''}"
    counts = [
        f"{count} {what}" for count, what in ((len(members) - retrying, "failed"), (retrying, "in retry")) if count
    ]
    return ", ".join([*counts, causes]) if members else "nothing has failed"
