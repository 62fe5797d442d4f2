"""One task instance, whole: attempts, durations against history, why, parameters, result, resources, settings. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from console.figures import bytes_, clock, duration
from console.glyphs import bar
from console.model.figures import percentile
from console.model.runs import AttemptCard, RunDetail, TaskCard
from console.model.snapshot import Scene
from console.model.task_page import TaskPage
from console.text import wrap
from console.view.details import task_settings
from console.view.spans import BAD, DIM, OK, TEXT, WARN, Line, Spans, crop
from console.view.why import why_task
from console.view.words import (
    interval_words,
    mention_words,
    over_usual,
    sign,
    task_words,
    took_words,
    trend_words,
    usual_words,
)
from engine.model.moments import SECOND, Micros

Row = tuple[Hashable, Spans]


def rows(scene: Scene, run: RunDetail, card: TaskCard, page: TaskPage | None, width: int) -> list[Row]:
    """All lines of the view, each with a key, so that the cursor goes through them; attempts have their number."""
    lines: list[Row] = [(None, heading("attempts", width)), (None, _titles(width))]
    lines += [(("attempt", a.number), _attempt(card, a, scene.now, width)) for a in reversed(card.attempts)]
    if not card.attempts:
        words = "not started" if card.stands_for_itself else "mapped: each index has its own (space in the run)"
        lines.append((None, ((f" {words}", DIM),)))
    parts = [] if card.state == "success" else [*why_task(scene, run, card)[1]]
    _section(lines, "why", [_words(text, token, width) for text, token in parts], width)
    if page is not None and (card.stands_for_itself or page.took):
        _section(lines, "durations", [_durations(scene, card, page, width)], width)
    _section(lines, "parameters", [_words(run.params, TEXT, width)] if run.params not in ("", "{}") else [], width)
    if run.config:
        _section(lines, "configured", [_words(f"{k}  {v}", TEXT, width) for k, v in run.config.items()], width)
    if page is not None and page.result_bytes is not None:
        size = bytes_(page.result_bytes)
        text = page.result if page.result is not None else f"{size}, kept as result.json in the attempt's directory"
        _section(lines, f"result, {size}", [_words(text, TEXT, width)], width)
    _section(lines, "settings", [_words(text, token, width) for text, token in task_settings(run, card)], width)
    keyed = [(("line", at) if key is None and spans else key, spans) for at, (key, spans) in enumerate(lines)]
    return [(key, crop(spans, width)) for key, spans in keyed]


def _section(lines: list[Row], name: str, blocks: Sequence[list[Spans]], width: int) -> None:
    if any(blocks):
        lines.append((None, ()))
        lines.append((None, heading(name, width)))
        lines += [(None, spans) for block in blocks for spans in block]


def heading(name: str, width: int) -> Spans:
    """A title in a line of its own."""
    return (f"{name} ", f"{TEXT} bold"), ("─" * max(width - len(name) - 1, 0), "rule")


def _words(text: str, token: str, width: int) -> list[Spans]:
    return [((f" {line}", token),) for line in wrap(text, max(width - 2, 10))]


def _titles(width: int) -> Spans:
    line = Line().gap(1).cell("try", 4, DIM, align="right").gap(2).cell("state", 14, DIM).gap(2)
    line.cell("started (UTC)", 13, DIM).gap(1).figure("took", 8, DIM).gap(2).figure("waited", 7, DIM)
    if width >= 100:
        line.gap(2).figure("cpu", 7, DIM).gap(2).figure("mem", 6, DIM).gap(2).figure("exit", 5, DIM)
    return line.gap(2).add("how it ended", DIM).done()


def _attempt(card: TaskCard, attempt: AttemptCard, now: Micros, width: int) -> Spans:
    line = Line().gap(1).figure(str(attempt.number), 4).gap(2)
    outcome = attempt.outcome or attempt.state
    line.spans((sign(attempt.glyph_state), (f" {outcome}", TEXT)), 14).gap(2)
    line.cell("" if attempt.started_at is None else clock(attempt.started_at), 13, TEXT).gap(1)
    took = attempt.took
    if took is None and attempt.started_at is not None and attempt.ended_at is None:
        took = max(now - attempt.started_at, 0) // SECOND * SECOND
    line.figure("" if took is None else took_words(took), 8).gap(2)
    waited = card.waited(attempt)
    line.figure("" if waited is None else took_words(waited), 7, DIM)
    if width >= 100:
        cpu = "" if attempt.cpu_seconds is None else took_words(int(attempt.cpu_seconds * SECOND))
        line.gap(2).figure(cpu, 7, DIM).gap(2)
        line.figure("" if attempt.peak_bytes is None else bytes_(attempt.peak_bytes), 6, DIM).gap(2)
        line.figure("" if attempt.exit_code is None else str(attempt.exit_code), 5, DIM)
    line.gap(2)
    bad = attempt.outcome in ("failed", "timeout", "lost")
    kind = (attempt.failure_class or "").replace("_", " ")
    line.add(f"{kind}  " if kind else "", DIM).add(attempt.error or "", BAD if bad else TEXT)
    if attempt.late_result:
        line.add(f"  late result: {attempt.late_result}", WARN)
    return line.done()


def _durations(scene: Scene, card: TaskCard, page: TaskPage, width: int) -> list[Spans]:
    """The last successes as bars, percentiles, and how this one compares."""
    took = [each.duration for each in page.took]
    if not took:
        return [((" no run of this task has succeeded in the last thirty days", DIM),)]
    shown = took[-max(width - 4, 10) :]
    ordered = sorted(took)
    figures = Line().gap(1)
    if percentile(ordered, 0.5) is None:
        return [_bars(shown), ((f" of {len(took)}: too few for p50 and p95", DIM),)]
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = percentile(ordered, share)
        unsure = share == 0.99 and len(ordered) < 100
        words = "–" if value is None else usual_words(value)
        figures.add(f"{name} ", DIM).add(words, DIM if unsure else TEXT).gap(3)
    figures.add("of ", DIM).add(str(len(ordered)), TEXT).gap(3)
    figures.spans(trend_words(took), 24)
    lines = [_bars(shown), figures.done()]
    elapsed = card.elapsed(scene.now)
    p50, p95 = percentile(ordered, 0.5), percentile(ordered, 0.95)
    if elapsed is not None and p50:
        this = Line().add(" this one ", DIM).add(took_words(elapsed), TEXT)
        this.add(f"   {int(elapsed / p50 * 10) / 10:g}× p50", DIM)
        this.spans(over_usual(elapsed, p95), 14)
        lines.append(this.done())
    return lines


def _bars(took: Sequence[Micros]) -> Spans:
    line, most = Line().gap(1), max(took)
    for value in took:
        line.add(bar(value * 7, most * 7), OK)
    return line.done()


def title(scene: Scene, run: RunDetail, card: TaskCard, width: int) -> tuple[Spans, Spans]:
    """DAG, interval and task; how it stands, and who changed it of late."""
    words = interval_words(run.interval_start, run.interval_end, run.timezone)
    left = Line().add(" ").add(run.mark.dag_id, f"{TEXT} bold").add(" > ", DIM).add(words).add(" > ", DIM)
    left.add(card.name, f"{TEXT} bold")
    elapsed = card.elapsed(scene.now)
    right = Line().add(*sign(card.state)).add(f" {task_words(card, scene.now) or card.state}", TEXT)
    if elapsed is not None:
        live = card.state in ("running", "killing")
        right.add(f"  {duration(elapsed, tenths=False) if live else took_words(elapsed)}", TEXT)
    for text, token in mention_words(card.mention, scene.now):
        right.add(f"   {text}", token)
    return left.done(), right.add(" ").done()
