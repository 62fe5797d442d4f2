"""What comes next: due runs of all DAGs and retries that wait for their time, in the order in which they come. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from console.figures import clock, coarse, countdown, date
from console.model.dags import DagCard
from console.model.keys import UNMAPPED
from console.model.snapshot import Scene
from console.view.facts import dag_facts
from console.view.sorting import Order
from console.view.spans import DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import interval_words, logical_words, sign, usual_words
from engine.model.moments import DAY, HOUR, Micros
from engine.model.terms import Terms

Row = tuple[Hashable, Spans]
_WIDE = 100


class Coming(NamedTuple):
    """One thing that will happen by itself, and when."""

    at: Micros
    card: DagCard
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = UNMAPPED
    note: str = ""

    @property
    def key(self) -> Hashable:
        """What identifies its row."""
        return "coming", self.card.dag_id, self.run_id, self.task_id, self.map_index


def coming(scene: Scene, terms: Terms | None = None) -> list[Coming]:
    """Everything that is known to come, soonest first; of DAGs that fit the terms."""
    found: list[Coming] = []
    for card in scene.snapshot.dags:
        if terms is not None and not terms.hold(dag_facts(card, None)):
            continue
        if card.next_run_after is not None and card.paused_at is None and card.state == "active":
            found.append(Coming(card.next_run_after, card))
        for run in card.active:
            for task in run.live:
                if task.state == "up_for_retry" and task.retry_at is not None:
                    of = f" of {task.max_tries}" if task.max_tries else ""
                    note = f"try {task.attempt + 1 - task.epoch_start}{of}"
                    found.append(Coming(task.retry_at, card, run.mark.run_id, task.task_id, task.map_index, note))
    return sorted(found, key=lambda each: (each.at, each.card.dag_id))


def rows(scene: Scene, found: list[Coming], width: int, order: Order[Coming] | None = None) -> list[Row]:
    """A line each, with a heading for every other day where they stand in the order of time."""
    zone = scene.snapshot.home.timezone
    titles = _titles(width, zone)
    if order is not None:
        sorted_rows: list[Row] = [(None, crop(order.titled(titles), width))]
        return sorted_rows + [(each.key, crop(_row(each, scene, width, zone), width)) for each in found]
    lines: list[Row] = [(None, crop(titles, width))]
    today = shown = date(scene.now, zone)
    for each in found:
        day = date(each.at, zone)
        if day != shown and each.at > scene.now:
            shown = day
            lines.append((None, ((f" {day}", f"{TEXT} bold" if day != today else DIM),)))
        lines.append((each.key, crop(_row(each, scene, width, zone), width)))
    return lines


def _titles(width: int, zone: str) -> Spans:
    line = Line().gap(1).cell("when", 8, DIM).gap(2).figure("in", 8, DIM).gap(2).cell("DAG", _name(width), DIM)
    line.gap(2).cell("what", _what(width), DIM).gap(2).figure("p50", 7, DIM)
    return line.gap(2).figure("done by", 8, DIM).gap(2).add(zone, DIM).done() if width >= _WIDE else line.done()


def _name(width: int) -> int:
    return 40 if width >= 140 else 28 if width >= _WIDE else 20


def _what(width: int) -> int:
    return 34 if width >= _WIDE else 25


def _row(each: Coming, scene: Scene, width: int, zone: str) -> Spans:
    now, card = scene.now, each.card
    line = Line().gap(1).cell(clock(each.at, zone, seconds=each.at - now < HOUR), 8, TEXT).gap(2)
    left = each.at - now
    words = "due" if left <= 0 else countdown(each.at, now) if left < HOUR else coarse(left)
    line.figure(words, 8, WARN if each.task_id else TEXT if left < HOUR else DIM).gap(2)
    name = card.dag_id if each.task_id is None else f"{card.dag_id}/{each.task_id}"
    line.cell(name, _name(width), TEXT, cut="middle").gap(2)
    what = _what(width)
    if each.task_id is not None:
        line.spans((sign("up_for_retry"), (f" {each.note}", WARN)), what)
        return line.done()
    line.cell(_interval(card), what, DIM).gap(2)
    p50 = None if card.stats is None else card.stats.p50
    line.figure("" if p50 is None else usual_words(p50), 7, DIM)
    if width < _WIDE:
        return line.done()
    line.gap(2)
    done = "" if p50 is None else clock(each.at + p50, zone, seconds=False)
    line.figure(done, 8, DIM).gap(2)
    if card.active:
        line.add(*sign("running")).add(f" {len(card.active)} under way", DIM)
    return line.done()


def _interval(card: DagCard) -> str:
    """The interval of the run that is due, or its moment."""
    start, end = card.next_logical, card.next_run_after
    if start is None or end is None:
        return ""
    if start == end or end - start > 400 * DAY:
        return logical_words(start, card.timezone)
    return interval_words(start, end, card.timezone)
