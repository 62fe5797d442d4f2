"""What stands over a run's rows: which run it is, how it goes, and its tasks by state."""

from __future__ import annotations

from console.figures import clock, duration
from console.model.dags import FAILURES_ALLOWED
from console.model.runs import RunDetail
from console.model.snapshot import Scene
from console.text import cut_end
from console.view.spans import BAD, DIM, TEXT, Line, Spans, join, width_of
from console.view.words import (
    counts_words,
    intent_words,
    interval_words,
    logical_words,
    mention_words,
    sign,
    took_words,
    usual_words,
)
from engine.model.moments import Micros


def title(scene: Scene, run: RunDetail, width: int, likely: tuple[Micros, Micros] | None = None) -> tuple[Spans, Spans]:
    """The line under the header: which run this is, how it goes, and when it will likely be done."""
    mark, wide = run.mark, width >= 100
    words = interval_words(run.interval_start, run.interval_end, run.timezone)
    left = Line().add(" ").add(mark.dag_id, f"{TEXT} bold").add(" > ", DIM).add(mark.run_type, DIM).add(f" {words}")
    right: list[Spans] = [_state(scene, run)]
    if run.run_p95 is not None and wide:
        right.append((("p95 ", DIM), (usual_words(run.run_p95), TEXT)))
    if likely is not None:
        low, high = clock(likely[0], seconds=False), clock(likely[1], seconds=False)
        right.append((("ETA ", DIM), (low if low == high else f"{low}–{high}", TEXT)))
    if run.version is not None and wide:
        right.append((("version ", DIM), (str(run.version), TEXT)))
    if run.episode > 1:
        right.append(((f"episode {run.episode}", DIM),))
    said = (*join(right, "   "), (" ", TEXT))
    logical = logical_words(mark.logical_date, run.timezone)
    more = f"  (logical {logical})"
    if words != logical and left.width + len(more) + width_of(said) + 2 <= width:
        left.add(more, DIM)
    return left.done(), said


def _state(scene: Scene, run: RunDetail) -> Spans:
    mark, now = run.mark, scene.now
    took = mark.duration(now)
    words = mark.state
    if mark.state != "queued" and took is not None:
        words = f"{mark.state} {duration(took, tenths=False) if mark.active else took_words(took)}"
    if mark.sign == FAILURES_ALLOWED:
        words += f", {run.counts.get('failed', 0) + run.counts.get('upstream_failed', 0)} allowed to fail"
    asked = intent_words(scene.intents.of((mark.run_id, "", -1)))
    return (sign(mark.sign), (f" {words}", BAD if mark.state == "failed" else TEXT), *asked)


def summary(scene: Scene, run: RunDetail) -> Spans:
    """What the rule says: tasks by state, and who changed the run of late."""
    total = sum(run.counts.values())
    words: Spans = ((f"{total} task{'s' if total != 1 else ''}  ", DIM), *counts_words(run.counts))
    note: Spans = ((cut_end(run.note, 40), DIM),) if run.note else ()
    return join((note, mention_words(run.mention, scene.now), words))
