"""Backfills: a line each with its progress, and below them the gaps that one could fill. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.figures import coarse, date
from console.model.backfills import BackfillCard, Backfills, GapCard
from console.model.snapshot import Scene
from console.view.spans import BAD, DIM, LIVE, OK, TEXT, WAIT, WARN, Line, Spans, crop
from console.view.words import ago_words, interval_words
from engine.model.moments import Micros, to_datetime

Row = tuple[Hashable, Spans]

_STATES = {
    "running": LIVE,
    "paused": WAIT,
    "stopping": WARN,
    "completed": OK,
    "cancelled": DIM,
    "stopped_by_failures": BAD,
}
_WAITS = {
    "dag_paused": "DAG paused",
    "dag_inactive": "file gone",
    "dag_broken": "file broken",
    "hold": "held",
    "not_during": "quiet time",
}
WHYS = {
    "catchup": "due before the DAG was enabled",
    "missed": "missed while no engine ran",
    "overlap": "another run was under way",
    "schedule": "the schedule was changed",
}


def rows(scene: Scene, found: Backfills, width: int) -> list[Row]:
    """Backfills, newest first, then gaps."""
    lines: list[Row] = []
    if found.cards:
        lines.append((None, crop(_titles(width), width)))
        lines += [(("backfill", card.id), crop(_row(scene, card, width), width)) for card in found.cards]
    if found.gaps:
        lines += [(None, ())] if lines else []
        lines.append((None, ((" gaps: intervals that were left out", DIM),)))
        lines += [(("gap", gap.dag_id, gap.first), crop(_gap(scene, gap, width), width)) for gap in found.gaps]
    return lines


def _name(width: int) -> int:
    return 28 if width >= 120 else 18


def _bar(width: int) -> int:
    return 24 if width >= 120 else 10


def _titles(width: int) -> Spans:
    line = Line().gap(1).figure("#", 4, DIM).gap(2).cell("DAG", _name(width), DIM).gap(2).cell("dates", 25, DIM)
    line.gap(2).cell("progress", _bar(width), DIM).gap(1).figure("done", 11, DIM).gap(2).figure("failed", 6, DIM)
    return line.gap(2).cell("state", 20, DIM).gap(2).add("left", DIM).done()


def _row(scene: Scene, card: BackfillCard, width: int) -> Spans:
    line = Line().gap(1).figure(str(card.id), 4, TEXT).gap(2).cell(card.dag_id, _name(width), TEXT, cut="middle").gap(2)
    line.cell(span_words(card.start, card.stop, _zone(scene, card.dag_id)), 25, TEXT).gap(2)
    line.spans(progress_bar(card, _bar(width)), _bar(width)).gap(1)
    line.figure(f"{card.done}/{card.total}", 11, TEXT).gap(2)
    line.figure(str(card.failed) if card.failed else "", 6, BAD).gap(2)
    words = card.state.replace("_", " ")
    if card.waits_for is not None:
        words = f"waits: {_WAITS.get(card.waits_for, card.waits_for)}"
    line.cell(words, 20, WARN if card.waits_for else _STATES.get(card.state, TEXT)).gap(2)
    return line.add(left_words(card, scene.now), DIM).done()


def progress_bar(card: BackfillCard, width: int) -> Spans:
    """How much of it is done, what failed apart; a begun cell counts once a date of it is over."""
    if card.total == 0:
        return ((" " * width, DIM),)
    cells = {
        name: count * width // card.total
        for name, count in (("failed", card.failed), ("done", card.done - card.failed))
    }
    if card.failed and not cells["failed"]:
        cells["failed"], cells["done"] = 1, min(cells["done"], width - 1)
    done, failed = cells["done"], cells["failed"]
    return (("█" * done, OK), ("█" * failed, BAD), ("░" * (width - done - failed), DIM))


def left_words(card: BackfillCard, now: Micros) -> str:
    """What is left of it, and about how long that takes; how long ago it ended."""
    if card.ended_at is not None:
        return f"{ago_words(card.ended_at, now)} ago"
    words = f"{card.left} left"
    time = card.time_left
    if time is None:
        return words
    low, high = (coarse(each) for each in time)
    return f"{words}, {low}" if low == high else f"{words}, {low}–{high}"


def span_words(start: Micros, stop: Micros, zone: str) -> str:
    """The dates of a backfill or a gap: whole days as days, with both years where they differ."""
    first, last = to_datetime(start, zone), to_datetime(stop, zone)
    if first.year != last.year:
        return f"{date(start, zone)} {first.year} – {date(stop, zone)} {last.year}"
    return interval_words(start, stop + 1, zone)


def _gap(scene: Scene, gap: GapCard, width: int) -> Spans:
    zone = _zone(scene, gap.dag_id)
    line = Line().gap(1).cell("_", 4, WARN, align="right").gap(2).cell(gap.dag_id, _name(width), TEXT, cut="middle")
    line.gap(2).cell(span_words(gap.first, gap.until - 1, zone), 25, TEXT).gap(2)
    count = f"{gap.runs} run{'s' if gap.runs != 1 else ''}" if gap.runs else "no whole interval"
    return line.cell(count, 18, TEXT).gap(2).add(WHYS.get(gap.why, gap.why), DIM).done()


def _zone(scene: Scene, dag_id: str) -> str:
    card = scene.snapshot.by_id.get(dag_id)
    return "UTC" if card is None else card.timezone


def summary(found: Backfills) -> str:
    """How much there is."""
    active = sum(card.active for card in found.cards)
    gaps = sum(bool(gap.runs) for gap in found.gaps)
    parts = [f"{active} under way"] if active else []
    return ", ".join([*parts, f"{len(found.cards)} backfills", f"{gaps} gaps"])


def range_of(gap: GapCard) -> tuple[Micros, Micros]:
    """The range of a backfill that fills a gap."""
    return gap.first, gap.until - 1
