"""The run: its graph as a rail, and the task table on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from console.figures import bytes_, duration, silence
from console.model.keys import UNMAPPED, TaskRef
from console.model.runs import RunDetail, TaskCard, TaskPlan
from console.model.snapshot import Scene
from console.view.facts import task_facts
from console.view.frame import FAILURES, Frame, summed_state
from console.view.run_order import Arranged, arranged, card_of, counts_of
from console.view.sorting import Order
from console.view.spans import ACCENT, BAD, DIM, SMALLEST, TEXT, WARN, Line, Spans, crop, join
from console.view.words import (
    blocker_words,
    counts_words,
    intent_words,
    mention_words,
    over_usual,
    sign,
    task_words,
    took_words,
    usual_words,
)
from engine.model.moments import MINUTE, SECOND, Micros
from engine.model.terms import Facts

_TICKING = frozenset({"running", "killing", "up_for_retry"})
_WAITING = frozenset({"none", "scheduled", "upstream_failed", "up_for_retry"})
LONG_IDLE: Micros = 10 * MINUTE
"""A task that has written nothing and used no processor for so long deserves a look."""
_RUN_AGAIN = frozenset({"clear", "rerun", "retry", "recover"})
_OVER = ("success", "failed", "upstream_failed", "skipped", "cancelled")
SETTLED = frozenset({"success", "skipped", "removed"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths of the columns, in cells; 0 leaves a column out."""

    graph: int
    name: int
    state: int
    tries: int
    time: int
    p50: int
    p95: int
    queue: int
    cpu: int
    mem: int
    waits: int


def layout(width: int, graph: int, longest: int, *, uncut: bool = False) -> Layout:
    """Columns for rows of `width` cells, with a rail of `graph` cells and names of at most `longest`.

    Names that are `uncut` leave room for fewer figures.
    """
    if uncut:
        graph, state, figures = min(graph, 13), 20, (3, 6, 0, 6, 0, 0, 0)
        name = max(min(longest, width - max(graph, 5) - state - 33), 8)
    elif width < 100:
        graph, name, state, figures = min(graph, 13), max(min(longest, 18), 8), 20, (3, 6, 0, 6, 0, 0, 0)
    elif width < 140:
        graph, name, state, figures = min(graph, 23), max(min(longest, 24), 10), 22, (3, 7, 6, 6, 6, 6, 5)
    else:
        graph, name, state, figures = min(graph, 23), max(min(longest, 36), 12), 28, (4, 7, 7, 7, 7, 7, 6)
    graph = max(graph, 5)
    fixed = graph + name + state + 4 + sum(part + 2 for part in figures if part)
    tries, time, p50, p95, queue, cpu, mem = figures
    return Layout(graph, name, state, tries, time, p50, p95, queue, cpu, mem, max(width - fixed - 2, 6))


class _Stamp(NamedTuple):
    """What a row is made from: while that is the same, the row need not be made again."""

    width: int
    beat: Micros
    card: TaskCard
    others: object
    intents: object
    lit: tuple[int, ...]
    """The wires through the row that lead to the cursor's task or on from it."""

    def fits(self, other: _Stamp) -> bool:
        """Whether the two make the same row: by identity, for comparing thousands of cards would cost more."""
        numbers = self.width == other.width and self.beat == other.beat and self.lit == other.lit
        return numbers and all(a is b for a, b in zip(self[2:-1], other[2:-1], strict=True))


class RunRows:
    """The rows of a run's tasks, made on demand; the rail is laid out once for each structure."""

    def __init__(
        self,
        scene: Scene,
        run: RunDetail,
        before: RunRows | None = None,
        cursor: Hashable = None,
        frame: Frame | None = None,
        *,
        uncut: bool = False,
        order: Order[TaskCard] | None = None,
    ) -> None:
        self.scene, self.run, self.uncut, self.order = scene, run, uncut, order
        if before is not None and (before.uncut != uncut or before.order != order):
            before = None
        same = before is not None and before.frame.fits(run, None if frame is None else frame.folds)
        self.frame: Frame = before.frame if before is not None and same else frame or Frame(run)
        self._cache: dict[Hashable, Spans] = before._cache if before is not None and same else {}
        self._made: dict[Hashable, tuple[_Stamp, Spans]] = before._made if before is not None and same else {}
        self._lit = self._lit_by(cursor)
        self._arranged: Arranged = arranged(
            self.frame, run, order, scene.now, None if before is None else before._arranged
        )

    def __len__(self) -> int:
        return len(self._arranged.rows) + 1

    def key(self, index: int) -> Hashable | None:
        """The task instance of a row; None for the titles."""
        return None if index == 0 else self.card(index).key

    def plan(self, card: TaskCard) -> TaskPlan | None:
        """What the run's version of the DAG says of a task."""
        number = self.frame.numbers.get(card.task_id)
        return None if number is None else self.run.plan[number]

    def card(self, index: int) -> TaskCard:
        """The task instance on a row; for a folded task group, a card that stands for it."""
        return card_of(self.run, self._arranged.rows[index - 1])

    def place(self, index: int) -> int | None:
        """The row of the rail that stands beside a row; None where it has none, or where rows are sorted otherwise."""
        return self._arranged.rows[index - 1].place if self.order is None else None

    def counts(self, card: TaskCard) -> Mapping[str, int] | None:
        """For a mapped task's summary row and for a folded group: how many instances are in which state."""
        return counts_of(self.run, card)

    def is_failure(self, index: int) -> bool:
        """Whether a row, or what is folded into it, has failed or waits for a retry."""
        card = self.card(index)
        return any((self.counts(card) or {card.state: 1}).get(state) for state in FAILURES)

    def facts(self, index: int) -> tuple[object, Callable[[], Facts]]:
        """What a filter can hold against a task instance, or against what is folded into its row."""
        card = self.card(index)
        counts = self.counts(card)
        return card if counts is None else counts, partial(task_facts, card, counts, self.plan(card), self.run)

    @property
    def whole(self) -> tuple[object, ...]:
        """What all rows' facts and places depend on."""
        return self.run, self.frame, self._arranged.rows

    def index(self, key: Hashable | None) -> int | None:
        """Where a task instance stands."""
        return self._arranged.where.get(key)

    def row(self, index: int, width: int) -> Spans:
        """The content of a row; the same object as before while it reads the same."""
        columns = layout(width, self.frame.rail.width, self.frame.longest, uncut=self.uncut)
        if index == 0:
            key: Hashable = ("titles", width)
            spans = _titles(columns) if self.order is None else self.order.titled(_titles(columns))
        else:
            place, card = self.place(index), self.card(index)
            key = card.key
            stamp = self._stamp(place, card, width)
            made = self._made.get(key)
            if made is not None and made[0].fits(stamp):
                return made[1]
            spans = self._task_row(place, card, columns)
        if width < SMALLEST:
            spans = crop(spans, width)
        known = self._cache.get(key)
        if known == spans:
            spans = known
        self._cache[key] = spans
        if index:
            self._made[key] = (stamp, spans)
        return spans

    def _stamp(self, place: int | None, card: TaskCard, width: int) -> _Stamp:
        ticks = card.state in _TICKING or card.mention is not None
        others: object = self.run.tasks if card.state in _WAITING and self._above(card) else None
        if card.map_index == UNMAPPED and card.task_id in self.run.index_counts:
            others = self.run.index_counts[card.task_id]
        return _Stamp(
            width, self.scene.now // SECOND if ticks else 0, card, others, self.scene.intents, self._lit_at(place)
        )

    def _lit_at(self, place: int | None) -> tuple[int, ...]:
        if place is None or not self._lit:
            return ()
        wires = (wire for through in self.frame.rail.row(place).lines for wire in through)
        return tuple(wire for wire in wires if wire in self._lit and self._lit[wire][0] <= place <= self._lit[wire][1])

    def _lit_by(self, cursor: Hashable) -> Mapping[int, tuple[int, int]]:
        return self.frame.lit(cursor[1]) if isinstance(cursor, tuple) and len(cursor) > 1 else {}

    def _task_row(self, place: int | None, card: TaskCard, columns: Layout) -> Spans:
        now = self.scene.now
        counts = self.counts(card)
        if counts:
            card = card._replace(state=summed_state(counts))
        line = Line().spans(self._graph(place, card, columns.graph), columns.graph).gap(2)
        name = card.name if counts is None else f"{self._fold_mark(card)} {card.name}"
        line.cell(name, columns.name, DIM if card.state in ("removed", "skipped") else TEXT, cut="middle").gap(2)
        intent = self.scene.intents.of(self._ref(card)) or self.scene.intents.of((self.run.mark.run_id, "", -1))
        words = task_words(card, now) if counts is None else _done_words(counts)
        state: Spans = (sign(card.state), (f" {words}", _word_token(card)))
        if intent is not None:
            state = (sign(card.state), *intent_words(intent))
        line.spans(state, columns.state)
        _figures(line, card, columns, now)
        line.gap(2).spans(self._notes(card, now) if counts is None else counts_words(counts), columns.waits)
        return line.done()

    def _fold_mark(self, card: TaskCard) -> str:
        """Whether a row can be unfolded, or is."""
        return "▾" if card.task_id in self.frame.folds.unfolded else "▸"

    def _ref(self, card: TaskCard) -> TaskRef:
        return self.run.mark.run_id, card.task_id, card.map_index

    def _graph(self, place: int | None, card: TaskCard, width: int) -> Spans:
        """The rail's row with the task's glyph; lines to and from the cursor's task are brighter."""
        if place is None:
            alone = self.order is not None or card.task_id not in self.frame.numbers
            return (sign(card.state),) if alone else ()
        row = self.frame.rail.row(place)
        line = Line()
        for at, character in enumerate(row.text):
            if at == row.node or (at == width - 1 and row.node >= width):
                line.add(*sign(card.state))
            else:
                line.add(character, self._line_token(row.lines[at], place))
            if line.width == width:
                break
        return line.done()

    def _line_token(self, wires: tuple[int, ...], place: int) -> str:
        for wire in wires:
            first, last = self._lit.get(wire, (1, 0))
            if first <= place <= last:
                return ACCENT
        return DIM

    def _notes(self, card: TaskCard, now: Micros) -> Spans:
        """What the row waits for, or what is worth saying about it."""
        who = mention_words(card.mention, now)
        if card.state in ("running", "killing") and card.reason == "unkillable" and card.last_error:
            return join((((card.last_error, BAD),), who))
        if card.state == "running":
            usual = over_usual(card.elapsed(now) or 0, None if card.usual is None else card.usual.p95)
            return join((tuple((text.strip(), token) for text, token in usual), quiet_words(self.scene, card), who))
        if card.state in ("none", "scheduled", "up_for_retry"):
            waits = blocker_words(card.blockers, self._missing(card))
            return join((((waits, DIM),) if waits else (), who))
        if card.state == "failed" and card.last_error:
            said = ((card.last_error[:200], BAD),)
            again = card.mention is not None and card.mention.verb in _RUN_AGAIN
            return join((said, who) if again else (who, said))  # who let it run again did not have it fail
        if card.state == "upstream_failed":
            return join((((", ".join(self._failed_above(card)), DIM),), who))
        return who

    def _missing(self, card: TaskCard) -> list[str]:
        """Tasks above that have not ended well."""
        return [name for name in self._above(card) if not self._all_in(name, SETTLED)]

    def _failed_above(self, card: TaskCard) -> list[str]:
        return [name for name in self._above(card) if not self._all_in(name, SETTLED)]

    def _above(self, card: TaskCard) -> tuple[str, ...]:
        number = self.frame.numbers.get(card.task_id)
        return () if number is None else self.run.plan[number].upstream

    def _all_in(self, name: str, states: frozenset[str]) -> bool:
        return all(self.run.tasks[at].state in states for at in self.frame.places.get(name, ()))


def quiet_words(scene: Scene, card: TaskCard) -> Spans:
    """`silent 38m  cpu 0%` for a running task that has written nothing for a while; a gauge, gone with the link."""
    gauges, latest = scene.link.gauges, card.latest
    quiet = None if gauges is None or latest is None or not scene.link.up else gauges.quiet.get(latest.id)
    if quiet is None:
        return ()
    since, cpu = quiet
    idle = cpu is not None and cpu < 1 and scene.now - since >= LONG_IDLE
    return ((silence(since, cpu, scene.now), WARN if idle else DIM),)


def _done_words(counts: Mapping[str, int]) -> str:
    """`212/300 done`: how many instances are over, of those that have an item."""
    total = sum(count for state, count in counts.items() if state != "removed")
    over = sum(counts.get(state, 0) for state in _OVER)
    return f"{over}/{total} done"


def _word_token(card: TaskCard) -> str:
    if card.state in ("failed", "upstream_failed") or card.reason == "unkillable":
        return BAD
    if card.state in ("up_for_retry", "killing"):
        return WARN
    return TEXT if card.state == "running" else DIM


def _figures(line: Line, card: TaskCard, columns: Layout, now: Micros) -> None:
    latest, usual = card.newest, card.usual
    elapsed = card.elapsed(now)
    live = card.state in ("running", "killing")
    time = "" if elapsed is None else duration(elapsed, tenths=False) if live else took_words(elapsed)
    queue = None if latest is None else card.waited(latest)
    cpu = None if latest is None or latest.cpu_seconds is None else int(latest.cpu_seconds * SECOND)
    peak = None if latest is None else latest.peak_bytes
    p50, p95 = (None, None) if usual is None else (usual.p50, usual.p95)
    for text, width, token in (
        (str(card.attempt) if card.attempt else "", columns.tries, WARN if card.tries > 1 and live else TEXT),
        (time, columns.time, TEXT),
        ("" if p50 is None else usual_words(p50), columns.p50, DIM),
        ("" if p95 is None else usual_words(p95), columns.p95, DIM),
        ("" if queue is None else usual_words(queue), columns.queue, DIM),
        ("" if cpu is None else usual_words(cpu), columns.cpu, DIM),
        ("" if peak is None else bytes_(peak), columns.mem, DIM),
    ):
        if width:
            line.gap(2).figure(text, width, token)


def _titles(columns: Layout) -> Spans:
    line = Line().cell("graph", columns.graph, DIM).gap(2).cell("task", columns.name, DIM).gap(2)
    line.cell("state", columns.state, DIM)
    for title, width in (
        ("try", columns.tries),
        ("time", columns.time),
        ("p50", columns.p50),
        ("p95", columns.p95),
        ("queue", columns.queue),
        ("cpu", columns.cpu),
        ("mem", columns.mem),
    ):
        if width:
            line.gap(2).figure(title, width, DIM)
    return line.gap(2).cell("waits for", columns.waits, DIM).done()
