"""The calendar: a row for each month with a cell for each day, or for each day with a cell for each hour. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import date, timedelta
from typing import NamedTuple

from console.model.asks import PreviewCard
from console.model.calendar import Calendar
from console.text import wrap
from console.view.backfills import WHYS, gap_token
from console.view.spans import ACCENT, BAD, DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import interval_words, sign, took_words
from engine.model.moments import HOUR

Row = tuple[Hashable, Spans]
LABEL = 11
"""Cells of a row's name."""
_FIGURES = 100
"""Rows this wide have room for what they add up to."""
AGAIN = ("none", "failed", "completed")
"""What runs again, of dates that have a run: nothing, what failed, everything."""
_AGAIN_WORDS = {"none": "nothing", "failed": "what failed", "completed": "all"}
PANEL = 5


class Chosen(NamedTuple):
    """The cell under the cursor, the other end of what is selected, the newest cell that has begun, and the newest
    with a date that is due."""

    cursor: int
    anchor: int | None
    last: int
    due: int

    @property
    def ends(self) -> tuple[int, int]:
        """The first and last cell that are meant."""
        other = self.cursor if self.anchor is None else self.anchor
        return min(self.cursor, other), max(self.cursor, other)


class CalendarRows:
    """Rows made on demand; those that say the same as before are the same objects."""

    def __init__(self, page: Calendar, chosen: Chosen, before: CalendarRows | None = None) -> None:
        self.page, self.chosen = page, chosen
        self.starts = row_starts(page, chosen.last)
        self._at = {start: at for at, start in enumerate(self.starts)}
        same = before is not None and before.page is page and before.chosen[2:] == chosen[2:]
        self._cache: dict[tuple[object, ...], Spans] = before._cache if same and before is not None else {}

    def __len__(self) -> int:
        return len(self.starts)

    def key(self, index: int) -> Hashable:
        """The first cell of a row."""
        return "from", self.starts[index]

    def index(self, key: Hashable | None) -> int | None:
        """Where a row stands."""
        return self._at.get(key[1]) if isinstance(key, tuple) and len(key) == 2 else None

    def row(self, index: int, width: int) -> Spans:
        """The content of a row."""
        start, until = self.starts[index], row_end(self.page, self.starts[index])
        low, high = self.chosen.ends
        shown = (max(low, start), min(high, until)) if low < until and high >= start else None
        cursor = self.chosen.cursor if start <= self.chosen.cursor < until else None
        key = (start, width, shown, cursor)
        spans = self._cache.get(key)
        if spans is None:
            spans = self._cache[key] = crop(self._made(start, until, width), max(width, 1))
        return spans

    def _made(self, start: int, until: int, width: int) -> Spans:
        page, (low, high) = self.page, self.chosen.ends
        line = Line().cell(_name(page, start), LABEL, TEXT)
        states: Counter[str] = Counter()
        for cell in range(start, until):
            state = page.state(cell, self.chosen.due)
            states.update(() if state is None else (state,))
            inside = low <= cell <= high
            edge = "[" if cell == low else "]" if cell == high + 1 else " "
            mark, token = (" ", DIM) if state is None else _sign(page, cell, state)
            line.add(edge, f"{ACCENT} bold" if edge != " " else f"{token} reverse" if inside else TEXT)
            line.add(mark, f"{token} reverse" if inside else token)
        if high == until - 1:
            line.add("]", f"{ACCENT} bold")
        if width >= _FIGURES:
            line.pad(LABEL + 2 * (31 if page.unit == "day" else 24) + 2)
            line.figure(str(states["success"] or ""), 5, DIM).add(" ✓ " if states["success"] else "   ", DIM)
            line.figure(str(states["failed"] or ""), 4, BAD).add(" ✘ " if states["failed"] else "   ", BAD)
            gaps = _worst(page, range(start, until))
            line.figure(str(states["gap"] or ""), 4, gaps).add(" _" if states["gap"] else "", gaps)
        return line.done()


def _sign(page: Calendar, cell: int, state: str) -> tuple[str, str]:
    """The sign of a cell; a gap that was meant is quiet."""
    mark, token = sign(state)
    gap = page.gap_cells.get(cell) if state == "gap" else None
    return mark, token if gap is None else gap_token(gap)


def _worst(page: Calendar, cells: range) -> str:
    """The token of the gaps among some cells: that of one that was not meant, if there is one."""
    return WARN if any(gap_token(page.gap_cells[cell]) == WARN for cell in cells if cell in page.gap_cells) else DIM


def row_starts(page: Calendar, last: int) -> list[int]:
    """The first cell of each row that has begun, oldest first."""
    until = min(page.until, last + 1)
    if page.unit == "hour":
        return list(range(page.first, until, 24))
    days = (date.fromordinal(cell) for cell in range(page.first, until))
    return [day.toordinal() for day in days if day.day == 1]


def row_end(page: Calendar, start: int) -> int:
    """The cell after the last of a row."""
    if page.unit == "hour":
        return start + 24
    return ((date.fromordinal(start) + timedelta(days=31)).replace(day=1)).toordinal()


def row_of(page: Calendar, cell: int) -> int:
    """The first cell of the row that a cell is in."""
    if page.unit == "hour":
        return cell - cell % 24
    return date.fromordinal(cell).replace(day=1).toordinal()


def _name(page: Calendar, start: int) -> str:
    day = page.day(start)
    return f" {day:%b %Y}" if page.unit == "day" else f" {day:%a} {day.day:>2} {day:%b}"


def heads(page: Calendar, width: int) -> Spans:
    """What stands above the columns: days of the month, or hours."""
    line = Line()
    for number in range(1, 32, 5) if page.unit == "day" else range(0, 24, 3):
        at = LABEL + 2 * (number - (page.unit == "day")) + 1
        line.pad(at if number < 10 else at - 1).add(str(number), DIM)
    return crop(line.done(), width)


def about(page: Calendar, chosen: Chosen) -> Spans:
    """The cell under the cursor: its date, and how its run went."""
    cell = chosen.cursor
    start, until = page.starts(cell), page.starts(cell + 1)
    hours = (until - start) / HOUR
    day = page.day(cell)
    words = interval_words(start, until, page.timezone)
    line = Line().add(f"{day:%a} ", DIM).add(words if page.unit == "day" else f"{day.day} {day:%b} {words}", TEXT)
    if page.unit == "day" and hours != 24:
        line.add(f" of {hours:g} h", ACCENT)
    state, found = page.state(cell, chosen.due), (page.cells or {}).get(cell)
    if state is None:
        return line.add("  not due yet" if cell in page.dates else "  no date of the schedule", DIM).done()
    line.add("  ").add(*_sign(page, cell, state))
    gap = page.gap_cells.get(cell)
    if found is None:
        why = "left out: " + WHYS.get(gap.why, gap.why) if gap is not None else "never run"
        return line.add(f" {why}", DIM if gap is None else gap_token(gap)).done()
    line.add(f" {found.state}", TEXT)
    if found.runs > 1:
        line.add(f"  {found.runs} runs{f', {found.failed} failed' if found.failed else ''}", DIM)
    elif found.took is not None:
        line.add(f"  {took_words(found.took)}", DIM)
    return line.add(f"  {found.run_id}", DIM).done()


def selected(page: Calendar, chosen: Chosen) -> Spans:
    """The range that is meant, and what stands in it."""
    low, high = chosen.ends
    start, last = page.span(low, high)
    count = high - low + 1
    words = f"{count} {page.unit}{'s' if count > 1 else ''}"
    line = Line().add(" selected  ", DIM).add(interval_words(start, last + 1, page.timezone), f"{ACCENT} bold")
    line.add(f"  {words}  ", TEXT)
    states = Counter(page.state(cell, chosen.due) for cell in range(low, high + 1))
    for state in ("success", "failed", "running", "queued", "paused", "cancelled", "gap", "none"):
        if states[state]:
            mark, token = sign(state)
            token = _worst(page, range(low, high + 1)) if state == "gap" else token
            line.add(f"  {mark} {states[state]}", token)
    return line.done()


def panel(
    page: Calendar, chosen: Chosen, plan: PreviewCard | str, choices: tuple[str, str, int | None],
    width: int,
) -> list[Spans]:  # fmt: skip
    """What is selected, what a backfill of it would do, and how; before anything is selected what stands here."""
    if chosen.anchor is None:
        gap = page.gap_cells.get(chosen.cursor)
        hint = "shift+arrows or V select a range: its plan is seen here before it starts"
        if gap is not None:
            hint = f"b fills this gap: {gap.runs} run{'s' if gap.runs != 1 else ''}"
        legend = Line().add(" ")
        for state, word in (("success", "success"), ("failed", "failed"), ("gap", "left out"), ("none", "never run")):
            legend.add(f"{sign(state)[0]} {word}   ", DIM)
        return [crop(((f" {hint}", DIM),), width), crop(legend.done(), width)]
    order, again, most = choices
    lines = [crop(selected(page, chosen), width)]
    if isinstance(plan, str):
        lines += [crop(((f" {text}", DIM),), width) for text in wrap(plan, max(width - 2, 20))[: PANEL - 2]]
    else:
        said = [(text, TEXT) for text in wrap(plan.sentence, max(width - 2, 20))]
        said += [(text, WARN) for words in plan.warnings for text in wrap(words, max(width - 2, 20))]
        lines += [crop(((f" {text}", token),), width) for text, token in said[: PANEL - 2]]
    how = Line().add(" order ", DIM).add(f"{order} first", TEXT).add("   runs again ", DIM)
    how.add(_AGAIN_WORDS[again], TEXT).add("   at a time ", DIM).add(
        "as many as the DAG may" if most is None else str(most)
    )
    return [*lines, crop(how.done(), width)]
