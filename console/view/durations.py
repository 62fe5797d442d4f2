"""Durations of a DAG: percentiles, waiting, trend and the last ones as bars, for its runs and for each task. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.figures import duration
from console.glyphs import bar
from console.model.durations import SURE_P99, Durations, Series, in_order
from console.model.snapshot import Scene
from console.view.spans import DIM, LIVE, TEXT, Line, Spans, crop
from console.view.words import over_usual, trend_words, usual_words
from engine.model.moments import Micros

Row = tuple[Hashable, Spans]
_TREND = 20
_NOW = 18
_EITHER = 15
"""Cells for the trend, or for what runs now, where there is no room for both."""


def rows(scene: Scene, page: Durations, order: str, width: int) -> list[Row]:
    """Runs first, then the tasks in their order; a task that runs now says for how long."""
    lines: list[Row] = [(None, crop(_titles("run", width), width))]
    for series in (page.runs, page.whole, page.delay):
        lines.append((("runs", series.name), crop(_row(series, width, ()), width)))
    lines += [(None, ()), (None, crop(_titles("task", width), width))]
    running = _running(scene, page)
    for series in in_order(page.tasks, order):
        lines.append((("task", series.name), crop(_row(series, width, running.get(series.name, ())), width)))
    return lines


def _name(width: int) -> int:
    return 28 if width >= 140 else 20 if width >= 100 else 16


def _titles(what: str, width: int) -> Spans:
    line = Line().gap(1).cell(what, _name(width), DIM).gap(1).figure("n", 4, DIM)
    for name in ("p50", "p95", "p99"):
        line.gap(1).figure(name, 7, DIM)
    if what == "task":
        line.gap(1).figure("waits", 7, DIM)
        if width >= 100:
            line.gap(1).figure("p95", 7, DIM)
    else:
        line.gap(16 if width >= 100 else 8)
    line.gap(2).cell("trend", _TREND if width >= 100 else _EITHER, DIM)
    if width >= 100:
        line.gap(1).cell("now" if what == "task" else "", _NOW, DIM)
    return line.gap(1).add("last", DIM).done()


def _row(series: Series, width: int, now: Spans) -> Spans:
    line = Line().gap(1).cell(series.name, _name(width), TEXT, cut="middle").gap(1)
    line.figure(str(len(series.took)), 4, DIM)
    for share in (0.5, 0.95, 0.99):
        unsure = share == 0.99 and len(series.took) < SURE_P99
        line.gap(1).figure(_time(series.at(share)), 7, DIM if unsure else TEXT)
    line.gap(1).figure("" if not series.waits else _time(series.waited(0.5)), 7, DIM)
    if width >= 100:
        line.gap(1).figure("" if not series.waits else _time(series.waited(0.95)), 7, DIM)
    trend = trend_words(series.took)
    if width < 100:
        line.gap(2).spans(now or trend, _EITHER).gap(1)
    else:
        line.gap(2).spans(trend, _TREND).gap(1).spans(now, _NOW).gap(1)
    shown = series.took[-max(width - line.width - 1, 0) :] if width - line.width > 1 else ()
    most = max(shown, default=0)
    return line.add("".join(bar(value * 7, most * 7) for value in shown), DIM).done()


def _time(value: Micros | None) -> str:
    return "–" if value is None else usual_words(value)


def _running(scene: Scene, page: Durations) -> dict[str, Spans]:
    """By task, for how long it has been running in the newest active run, and against its p95."""
    card = scene.snapshot.by_id.get(page.dag_id)
    p95 = {series.name: series.at(0.95) for series in page.tasks}
    found: dict[str, Spans] = {}
    for active in () if card is None else card.active:
        for task in active.live:
            if task.state == "running" and task.started_at is not None:
                elapsed = max(scene.now - task.started_at, 0)
                words = duration(elapsed, tenths=False)
                found[task.task_id] = (("► ", LIVE), (words, TEXT), *over_usual(elapsed, p95.get(task.task_id)))
    return found
