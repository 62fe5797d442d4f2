"""Backfills: a line each with its progress, and below them the gaps that one could fill. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from console.figures import coarse, date
from console.model.backfills import BackfillCard, Backfills, GapCard
from console.model.snapshot import Scene
from console.view.sorting import Order
from console.view.spans import BAD, DIM, LIVE, OK, TEXT, WAIT, WARN, Line, Spans, crop
from console.view.words import ago_words, interval_words, sign
from engine.model.moments import DAY, Micros, to_datetime

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
_WHYS_IN_SHORT = {"catchup": "no catchup", "schedule": "changed"}
WHYS = {
    "catchup": "due before the DAG was enabled",
    "missed": "missed while no engine ran",
    "overlap": "another run was under way",
    "schedule": "the schedule was changed",
}


def rows(scene: Scene, found: Backfills, width: int, order: Order[BackfillCard] | None = None) -> list[Row]:
    """Backfills, newest first or in another order, then gaps."""
    lines: list[Row] = []
    if found.cards:
        titles = _titles(width)
        lines.append((None, crop(titles if order is None else order.titled(titles), width)))
        cards = found.cards if order is None else order.of(found.cards, scene.now)
        lines += [(("backfill", card.id), crop(_row(scene, card, width), width)) for card in cards]
    if found.gaps:
        lines += [(None, ())] if lines else []
        lines.append((None, ((" gaps: intervals that were left out", DIM),)))
        lines += [(("gap", gap.dag_id, gap.first), crop(_gap(scene, gap, width), width)) for gap in found.gaps]
    return lines


class Columns(NamedTuple):
    """Widths of the columns, in cells; 0 leaves a column out."""

    number: int
    name: int
    dates: int
    bar: int
    done: int
    failed: int
    state: int


_NARROW = Columns(3, 14, 24, 6, 8, 0, 14)
_WIDE = Columns(4, 16, 25, 10, 9, 6, 14)
_WIDEST = Columns(4, 28, 25, 24, 11, 6, 20)


def columns(width: int) -> Columns:
    """Columns for rows of `width` cells."""
    return _NARROW if width < 100 else _WIDE if width < 140 else _WIDEST


def _titles(width: int) -> Spans:
    wide = columns(width)
    line = Line().gap(1).figure("#", wide.number, DIM).gap(2).cell("DAG", wide.name, DIM).gap(2)
    line.cell("dates", wide.dates, DIM).gap(2).cell("progress" if wide.failed else "", wide.bar + 1, DIM)
    line.figure("done", wide.done, DIM)
    if wide.failed:
        line.gap(2).figure("failed", wide.failed, DIM)
    line.gap(2).cell("state", wide.state, DIM)
    return (line.gap(2).add("left", DIM) if wide.failed else line).done()


def _row(scene: Scene, card: BackfillCard, width: int) -> Spans:
    wide = columns(width)
    line = Line().gap(1).figure(str(card.id), wide.number, TEXT).gap(2)
    line.cell(card.dag_id, wide.name, TEXT, cut="middle").gap(2)
    line.cell(span_words(card.start, card.stop, _zone(scene, card.dag_id)), wide.dates, TEXT).gap(2)
    line.spans(progress_bar(card, wide.bar), wide.bar).gap(1)
    line.figure(f"{card.done}/{card.total}", wide.done, TEXT).gap(2)
    if wide.failed:
        line.figure(str(card.failed) if card.failed else "", wide.failed, BAD).gap(2)
    line.spans(_state(card, wide), wide.state)
    return (line.gap(2).add(left_words(card, scene.now), DIM) if wide.failed else line).done()


def _state(card: BackfillCard, wide: Columns) -> Spans:
    """How it stands; also how much failed, where that has no column."""
    short = wide.state < _WIDEST.state
    failed: Spans = ((f"  {card.failed}", BAD), sign("failed")) if card.failed and not wide.failed else ()
    if card.waits_for is not None:
        words = _WAITS.get(card.waits_for, card.waits_for)
        return (words if short else f"waits: {words}", WARN), *failed
    words = card.state.partition("_by_")[0] if short else card.state.replace("_", " ")
    return (words, _STATES.get(card.state, TEXT)), *failed


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
    """The dates of a backfill or a gap: days alone where there are several, with both years where they differ."""
    first, last = to_datetime(start, zone), to_datetime(stop, zone)
    if first.year != last.year:
        return f"{date(start, zone)} {first.year} – {date(stop, zone)} {last.year}"
    if stop - start >= 3 * DAY:
        return f"{date(start, zone)} – {date(stop, zone)} {last.year}"
    return interval_words(start, stop + 1, zone)


def gap_token(gap: GapCard) -> str:
    """What nobody asked to be made up for is no fault."""
    return DIM if gap.why == "catchup" else WARN


def _gap(scene: Scene, gap: GapCard, width: int) -> Spans:
    zone, wide = _zone(scene, gap.dag_id), columns(width)
    line = Line().gap(1).cell("_", wide.number, gap_token(gap), align="right").gap(2)
    line.cell(gap.dag_id, wide.name, TEXT, cut="middle").gap(2)
    line.cell(span_words(gap.first, gap.until - 1, zone), max(wide.dates, 27), TEXT).gap(2)
    count = f"{gap.runs:,} run{'s' if gap.runs != 1 else ''}" if gap.runs else "no interval"
    line.figure(count, 14, TEXT).gap(2)
    return line.add((WHYS if wide.failed else _WHYS_IN_SHORT).get(gap.why, gap.why), DIM).done()


def _zone(scene: Scene, dag_id: str) -> str:
    card = scene.snapshot.by_id.get(dag_id)
    return "UTC" if card is None else card.timezone


def summary(found: Backfills) -> str:
    """How much there is."""
    active = sum(card.active for card in found.cards)
    gaps = sum(bool(gap.runs) for gap in found.gaps)
    parts = [f"{active} under way"] if active else []
    for count, word in ((len(found.cards), "backfill"), (gaps, "gap")):
        parts.append(f"{count} {word}{'s' if count != 1 else ''}")
    return ", ".join(parts)


def range_of(gap: GapCard) -> tuple[Micros, Micros]:
    """The range of a backfill that fills a gap."""
    return gap.first, gap.until - 1
