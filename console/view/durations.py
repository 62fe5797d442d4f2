"""Durations of a DAG: percentiles, waiting, trend and the last ones as bars, for its runs and for each task. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.figures import bytes_, duration, percent
from console.glyphs import bar
from console.model.durations import SURE_P99, Durations, Series
from console.model.reliability import CANCELLED, UPSTREAM, Use
from console.model.snapshot import Scene
from console.view.sorting import Order
from console.view.spans import BAD, DIM, LIVE, TEXT, Line, Spans, crop, width_of
from console.view.words import ago_words, over_usual, trend_words, usual_words
from engine.model.moments import Micros

Row = tuple[Hashable, Spans]
_TREND = 20
_NOW = 18
_EITHER = 15
"""Cells for the trend, or for what runs now, where there is no room for both."""


def rows(scene: Scene, page: Durations, order: Order[Series], width: int) -> list[Row]:
    """Runs first, then the tasks in their order; a task that runs now says for how long."""
    lines: list[Row] = [(None, crop(_titles("run", width), width))]
    for series in (page.runs, page.whole, page.delay):
        lines.append((("runs", series.name), crop(_row(series, width, ()), width)))
    if not page.runs.took:
        lines.append((("runs", "none"), crop(_nothing(page), width)))
    lines.append((None, ()))
    lines += _reliability(scene, page, width)
    lines += [(None, ()), (None, crop(order.titled(_titles("task", width)), width))]
    running = _running(scene, page)
    for series in order.of(page.tasks, scene.now):
        lines.append((("task", series.name), crop(_row(series, width, running.get(series.name, ())), width)))
    return lines


def _nothing(page: Durations) -> Spans:
    if not page.backfilled:
        return (("   no run succeeded in these 30 days", DIM),)
    runs = f"{page.backfilled:,} run{'s' if page.backfilled != 1 else ''}"
    return ((f"   only backfills succeeded in these 30 days, {runs}: they are left out here, `,` counts them", DIM),)


def _reliability(scene: Scene, page: Durations, width: int) -> list[Row]:
    """Incidents, attempts that failed, and what the DAG takes: a line each, or more where the window is narrow."""
    parts = (
        ("recovery", _recovery(page, scene.now)),
        ("failures", _failures(page)),
        ("takes", () if page.use is None else _takes(page.use)),
    )
    lines: list[Row] = []
    for name, groups in parts:
        line = Line().gap(1).cell(name, _name(width), DIM).gap(1)
        start = line.width
        for group in groups:
            if line.width > start and line.width + width_of(group) > width:
                lines.append((("runs", name, len(lines)), crop(line.done(), width)))
                line = Line().gap(start)
            for text, token in group:
                line.add(text, token)
            line.gap(3)
        if groups:
            lines.append((("runs", name, len(lines)), crop(line.done(), width)))
    return lines


def _recovery(page: Durations, now: Micros) -> tuple[Spans, ...]:
    """How long incidents lasted: mean and median of those that are over, and since when there is one."""
    found, parts = page.incidents, []
    if found.open_since is not None:
        parts.append((("✘ ", BAD), (f"failing for {ago_words(found.open_since, now)}", TEXT)))
    count = len(found.lasted)
    if not count:
        return *parts, (("no incident ended in 30 days", DIM),)
    if count == 1:
        return *parts, (("the one incident of 30 days lasted ", DIM), (usual_words(found.mean), TEXT))
    mean = (("mean ", DIM), (usual_words(found.mean), TEXT))
    median = (("median ", DIM), (usual_words(found.median), TEXT))
    return *parts, mean, median, ((f"of {count} incidents in 30 days", DIM),)


def _failures(page: Durations) -> tuple[Spans, ...]:
    """The share of attempts that failed, by kind; then what stayed failed."""
    found = page.failures
    if not found.attempts:
        return (((f"no attempt in {found.runs} runs" if found.runs else "no run ended in 30 days", DIM),),)
    runs = f"{found.runs} run{'s' if found.runs != 1 else ''}"
    failed = sum(found.failed.values())
    head = ((percent(failed, found.attempts), TEXT), (f" of {found.attempts:,} attempts, last {runs}", DIM))
    parts: list[Spans] = [head]

    def share(count: int) -> Spans:
        return ((f" ({percent(count, found.attempts)})", DIM),) if len(found.failed) > 1 else ()

    parts += [((f"{kind} ", DIM), (str(count), TEXT), *share(count)) for kind, count in found.failed.items()]
    for words, count in (("stayed failed", found.final), (UPSTREAM, found.upstream), (CANCELLED, found.cancelled)):
        if count:
            parts.append(((f"{words} ", DIM), (str(count), TEXT)))
    return tuple(parts)


def _takes(found: Use) -> tuple[Spans, ...]:
    """Slots on average over a day, and what the attempts used of the host."""
    if not found.pools:
        return ((("nothing in the last day", DIM),),)
    parts: list[Spans] = []
    for use in found.pools:
        share = "<0.1%" if use.average < use.slots / 1000 else percent(use.average, use.slots)
        share = f" ({share})" if use.slots > 0 else ""
        of = f" of {use.slots}" if use.slots > 0 else ""
        slots = f"{use.average:.2f}" if use.average >= 0.005 else "<0.01"
        parts.append(((slots, TEXT), (f"{of} slots of {use.pool}{share}", DIM)))
    parts.append((("on average over a day", DIM),))
    if found.cpu is not None:
        parts.append((("cpu ", DIM), (f"{found.cpu * 100:.0f}%", TEXT), (" of a core", DIM)))
    if found.memory is not None and found.most_memory is not None:
        parts.append((("mem ", DIM), (bytes_(found.memory), TEXT), (f", at most {bytes_(found.most_memory)}", DIM)))
    return tuple(parts)


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
    trend = trend_words(series.took, short=width < 100)
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
