"""The run's tasks as bars over time, on the rows of the table: waiting, running, tries; the critical path is marked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from console.figures import clock, duration
from console.model.critical import critical_path
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Scene
from console.view.frame import GROUP, Frame, folded_group, summed_state
from console.view.run import RunRows
from console.view.sorting import Order
from console.view.spans import ACCENT, BAD, DIM, LIVE, OK, TEXT, WARN, Line, Spans, crop
from console.view.words import took_words
from engine.model.moments import HOUR, MINUTE, SECOND, Micros

WAIT, CRITICAL, OTHER, TRIED = "░", "█", "▅", "▃"
_STEPS = tuple(
    unit * size
    for unit, sizes in (
        (SECOND, (2, 5, 10, 20, 30)),
        (MINUTE, (1, 2, 5, 10, 20, 30)),
        (HOUR, (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720)),
    )
    for size in sizes
)


class Piece(NamedTuple):
    """A stretch of time of one row: what is drawn, and in which token."""

    start: Micros
    end: Micros
    sign: str
    token: str


class Axis(NamedTuple):
    """The time that the bars are drawn on. It grows in steps, so that bars stay where they are while time goes on."""

    start: Micros
    length: Micros

    @classmethod
    def of(cls, run: RunDetail, now: Micros) -> Axis:
        """From the start of the present episode to a little after its end."""
        start = run.mark.started_at if run.mark.started_at is not None else run.created_at
        end = now if run.mark.ended_at is None else run.mark.ended_at
        took = max(end - start, 10_000)
        if run.mark.ended_at is not None:
            return cls(start, took)
        return cls(start, next((step for step in _STEPS if step >= took), took))

    def cell(self, at: Micros, cells: int) -> int:
        """The cell that a moment falls into."""
        return max(0, min((at - self.start) * cells // self.length, cells))


class Columns(NamedTuple):
    """Widths of the columns, in cells."""

    graph: int
    name: int
    bars: int
    time: int
    wait: int


def columns(width: int, graph: int, longest: int) -> Columns:
    """Columns for rows of `width` cells."""
    graph = max(min(graph, 13 if width < 100 else 23), 5)
    name = max(min(longest, 14 if width < 100 else 20 if width < 140 else 28), 8)
    wait = 8 if width >= 100 else 0
    return Columns(graph, name, max(width - graph - name - 18 - (wait + 2 if wait else 0), 8), 8, wait)


class GanttRows(RunRows):
    """The rows of the table with bars in place of its figures."""

    def __init__(
        self,
        scene: Scene,
        run: RunDetail,
        before: RunRows | None = None,
        cursor: Hashable = None,
        frame: Frame | None = None,
        path: frozenset[str] | None = None,
        order: Order[TaskCard] | None = None,
    ) -> None:
        super().__init__(scene, run, before if isinstance(before, GanttRows) else None, cursor, frame, order=order)
        self.axis = Axis.of(run, scene.now)
        reopened = run.tasks if run.episode > 1 else ()
        earlier = {card.task_id for card in reopened if _ended_before(card, self.axis.start)}
        self.path = (critical_path(run, scene.now) if path is None else path) - earlier

    def row(self, index: int, width: int) -> Spans:
        """The content of a row; the same object as before while it reads the same."""
        wide = columns(width, self.frame.rail.width, self.frame.longest)
        spans = crop(self._ruler(wide) if index == 0 else self._bar_row(index, wide), width)
        key = ("gantt", index, width)
        known = self._cache.get(key)
        if known == spans:
            return known
        self._cache[key] = spans
        return spans

    def _ruler(self, wide: Columns) -> Spans:
        """Moments above the bars, as many as have room."""
        line = Line().cell("graph", wide.graph, DIM).gap(2).cell("task", wide.name, DIM).gap(4)
        first = line.width
        parts = max(wide.bars // 20, 1)
        for part in range(parts):
            at = self.axis.start + self.axis.length * part // parts
            line.pad(first + wide.bars * part // parts)
            line.add(self._moment(at), DIM)
        line.pad(first + wide.bars).gap(2).figure("time", wide.time, DIM)
        titles = (line.gap(2).figure("waited", wide.wait, DIM) if wide.wait else line).done()
        return titles if self.order is None else self.order.titled(titles)

    def _moment(self, at: Micros) -> str:
        """A moment of the axis: since its start where it is short, else the time of day."""
        if self.axis.length <= MINUTE:
            return "0" if at == self.axis.start else f"+{took_words(at - self.axis.start)}"
        return clock(at, self.run.timezone, seconds=self.axis.length < 10 * MINUTE)

    def _bar_row(self, index: int, wide: Columns) -> Spans:
        place, card = self.place(index), self.card(index)
        counts = self.counts(card)
        if counts:
            card = card._replace(state=summed_state(counts))
        cards = [card] if counts is None else list(self._inside(card))
        critical = bool(self.path & {each.task_id for each in cards})
        line = Line().spans(self._graph(place, card, wide.graph), wide.graph).gap(2)
        name = card.name if counts is None else f"{self._fold_mark(card)} {card.name}"
        line.cell(name, wide.name, TEXT, cut="middle").gap(2)
        line.add("•" if critical else " ", ACCENT).gap(1)
        pieces = [piece for each in cards for piece in self._pieces(each, critical)]
        if not pieces and counts is None and _ended_before(card, self.axis.start):
            line.spans(self._earlier(card), wide.bars)
        else:
            line.spans(self._draw(pieces, wide.bars), wide.bars)
        elapsed = card.elapsed(self.scene.now) if counts is None else _whole(pieces)
        live = card.state in ("running", "killing")
        words = "" if elapsed is None else duration(elapsed, tenths=False) if live else took_words(elapsed)
        line.gap(2).figure(words, wide.time)
        if wide.wait:
            waited = sum(piece.end - piece.start for piece in pieces if piece.sign == WAIT) if counts is None else 0
            line.gap(2).figure(took_words(waited) if waited else "", wide.wait, DIM)
        return line.done()

    def _earlier(self, card: TaskCard) -> Spans:
        """Of a task that has not run since the run was reopened, when it did: that is left of what is drawn."""
        latest = card.latest
        assert latest is not None and latest.started_at is not None and latest.ended_at is not None
        begun, ended = (clock(at, self.run.timezone) for at in (latest.started_at, latest.ended_at))
        return (("◂", DIM), (f" {begun}–{ended}, before the run was reopened", DIM))

    def _inside(self, card: TaskCard) -> Iterable[TaskCard]:
        """What is folded into a row."""
        if card.reason == GROUP:
            names = {task.task_id for task in self.run.plan if folded_group(task, {card.task_id})}
        else:
            names = {card.task_id}
        return (self.run.tasks[at] for name in names for at in self.frame.places.get(name, ()))

    def _pieces(self, card: TaskCard, critical: bool) -> list[Piece]:
        """Waiting for a slot, and running, for each try of this episode."""
        now, found = self.scene.now, []
        body = CRITICAL if critical else OTHER
        for attempt in card.attempts:
            begun = attempt.started_at or now
            queued = (
                min(card.scheduled_at or begun, attempt.queued_at or begun)
                if attempt is card.latest
                else (attempt.queued_at or begun)
            )
            if begun < self.axis.start:
                continue
            if queued < begun:
                found.append(Piece(max(queued, self.axis.start), begun, WAIT, DIM))
            if attempt.started_at is None:
                continue
            live = attempt.ended_at is None
            well = attempt.outcome == "success"
            token = LIVE if live else OK if well else BAD if card.state == "failed" else WARN
            end = now if attempt.ended_at is None else attempt.ended_at
            found.append(
                Piece(begun, max(end, begun), body if live or well or attempt is card.latest else TRIED, token)
            )
        return found

    def _draw(self, pieces: list[Piece], cells: int) -> Spans:
        drawn: list[tuple[str, str]] = [(" ", f"{TEXT} still")] * cells
        for piece in sorted(pieces, key=lambda piece: (piece.sign != WAIT, piece.start)):
            first = min(self.axis.cell(piece.start, cells), cells - 1)
            last = self.axis.cell(piece.end, cells)
            if piece.sign == WAIT and last == first:
                continue
            for at in range(first, max(last, first + 1)):
                drawn[at] = piece.sign, f"{piece.token} still"
        line = Line()
        for character, token in drawn:
            line.add(character, token)
        return line.done()


def _ended_before(card: TaskCard, start: Micros) -> bool:
    latest = card.latest
    return latest is not None and latest.started_at is not None and (latest.ended_at or start) < start


def _whole(pieces: list[Piece]) -> Micros | None:
    """From the first start to the last end of what is folded into a row."""
    ran = [piece for piece in pieces if piece.sign != WAIT]
    return max(piece.end for piece in ran) - min(piece.start for piece in ran) if ran else None


def legend(run: RunDetail, rows: GanttRows) -> Spans:
    """What the rule says of the signs that are drawn, and how long the critical path is."""
    signs: list[tuple[str, str]] = [
        ("•", ACCENT),
        (f" critical path, {len(rows.path)} of {len(run.plan)} task{'s' if len(run.plan) != 1 else ''}   ", DIM),
        (WAIT, DIM),
        (" waits", DIM),
    ]
    if any(len(card.attempts) > 1 for card in run.tasks):
        signs += [("   ", DIM), (TRIED, WARN), (" earlier try", DIM)]
    return tuple(signs)
