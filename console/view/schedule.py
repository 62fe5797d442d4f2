"""A DAG's schedule: in words, the next runs in UTC and in its zone, its policies, and its gaps. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.figures import coarse
from console.model.backfills import GapCard
from console.model.schedule_page import SchedulePage
from console.model.snapshot import Scene
from console.text import wrap
from console.view.backfills import WHYS, gap_token, span_words
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans, crop
from console.view.words import interval_words
from engine.model.moments import Micros, to_datetime, to_local

Row = tuple[Hashable, Spans]

_MISSED = {
    "all": "missed runs are all made, 24 at most",
    "latest": "of missed runs the latest is made",
    "skip": "runs that are late are left out",
}
_OVERLAPS = {
    "queue": "a run waits while an earlier one is under way",
    "skip": "a run is left out while an earlier one is under way",
    "cancel_previous": "a run cancels an earlier one that is under way",
    "latest_only": "of runs that wait only the latest is kept",
}


def rows(scene: Scene, page: SchedulePage, width: int) -> list[Row]:
    """Everything there is to say."""
    if not page.words:
        return [(None, ((" this DAG has no schedule: t starts a run by hand", DIM),))]
    lines: list[Row] = [(None, ((f" {text}", TEXT),)) for text in wrap(page.words, max(width - 2, 20))]
    lines += [(None, ((f" {limits}", DIM),))] if (limits := _limits(page)) else []
    policies = f"catchup {page.catchup}; {_MISSED.get(page.on_missed, '')}; {_OVERLAPS.get(page.overlap, '')}"
    lines += [(None, ((f" {text}", DIM),)) for text in wrap(policies, max(width - 2, 20))]
    lines.append((None, ()))
    lines.append((None, crop(_titles(page), width)))
    lines += [(("coming", run.start), crop(_run(scene, page, run.start, run.end, run.due), width)) for run in page.runs]
    if not page.runs:
        why = ": the end date has passed" if page.last is not None and page.last < scene.now else ""
        lines.append((None, ((f" no run comes any more{why}", DIM),)))
    if page.gaps:
        lines += [(None, ()), (None, ((" gaps: intervals that were left out; b fills one", DIM),))]
        lines += [(("gap", gap.dag_id, gap.first), crop(_gap(page, gap), width)) for gap in page.gaps]
    return lines


def _limits(page: SchedulePage) -> str:
    """From when to when intervals begin, where that is limited."""
    first, last = (None if at is None else to_local(at, page.timezone) for at in (page.first, page.last))
    if first is None:
        return f"up to {last}" if last is not None else ""
    return f"from {first} to {last}" if last is not None else f"from {first} on"


def _titles(page: SchedulePage) -> Spans:
    line = Line().gap(1).cell("due, UTC", 21 if page.timezone == "UTC" else 17, DIM).gap(2)
    if page.timezone != "UTC":
        line.cell(f"due, {page.timezone.rpartition('/')[2].replace('_', ' ')}", 26, DIM).gap(2)
    line.figure("in", 7, DIM)
    return line.gap(2).add("covers" if page.kind == "interval" else "point", DIM).done()


def _run(scene: Scene, page: SchedulePage, start: Micros, end: Micros, due: Micros) -> Spans:
    left = due - scene.now
    if page.timezone == "UTC":
        line = Line().gap(1).cell(to_datetime(due).strftime("%a %Y-%m-%d %H:%M"), 21, TEXT).gap(2)
    else:
        line = Line().gap(1).cell(to_datetime(due).strftime("%Y-%m-%d %H:%M"), 17, TEXT).gap(2)
        line.cell(to_datetime(due, page.timezone).strftime("%a %Y-%m-%d %H:%M %Z"), 26, TEXT).gap(2)
    line.figure(coarse(left) if left > 0 else "due", 7, ACCENT if left <= 0 else DIM).gap(2)
    return line.add(interval_words(start, end, page.timezone), DIM).done()


def _gap(page: SchedulePage, gap: GapCard) -> Spans:
    line = (
        Line()
        .gap(1)
        .cell("_", 2, gap_token(gap))
        .cell(span_words(gap.first, gap.until - 1, page.timezone), 34, TEXT)
        .gap(2)
    )
    count = f"{gap.runs:,} run{'s' if gap.runs != 1 else ''}" if gap.runs else "no whole interval"
    return line.cell(count, 18, TEXT).gap(2).add(WHYS.get(gap.why, gap.why), DIM).done()
