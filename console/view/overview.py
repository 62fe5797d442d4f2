"""The overview: what needs a person, then every DAG with its last runs, what it does now and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from console.figures import percent
from console.glyphs import bar
from console.model.attention import Attention, attention
from console.model.dags import ActiveRun, DagCard, Failure, LiveTask, RunMark
from console.model.intents import Intent
from console.model.snapshot import Scene, Snapshot
from console.view.attention_rows import attention_row, count_width
from console.view.facts import attention_facts, dag_facts
from console.view.notices import notices
from console.view.spans import BAD, DIM, SMALLEST, TEXT, WARN, Align, Line, Spans, crop, width_of
from console.view.words import ago_words, intent_words, live_words, moment_words, sign, until_words, usual_words
from engine.model.moments import SECOND, Micros
from engine.model.terms import Facts

if TYPE_CHECKING:
    from console.view.sorting import Order

WIDE = 100
"""Cells from which on there is room for words where there were figures."""
_SHOWN_FIRST = ("killing", "running", "up_for_retry", "awaiting_input", "queued", "scheduled", "deferred")


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths of the columns, in cells; 0 leaves a column out."""

    lead: int
    name: int
    bars: int
    now: int
    next: int
    p50: int
    p95: int
    ok: int
    tags: int
    gap: int


def layout(width: int, longest: int, *, uncut: bool = False) -> Layout:
    """Columns for rows of `width` cells, with names of at most `longest` cells; `uncut` names cost figures."""
    if uncut:
        name, bars, gap, rest = max(min(longest, width - 49), 8), 7, 2, (13, 6, 0, 0, 0)
    elif width < WIDE:
        name, bars, gap, rest = max(min(longest, 16), 8), 7, 2, (13, 6, 0, 0, 0)
    elif width < 140:
        name, bars, gap, rest = max(min(longest, 22), 12), 14, 2, (13, 6, 6, 5, 10 if width >= 110 else 7)
    elif width < 180:
        name, bars, gap, rest = max(min(longest, 32), 16), 24, 2, (13, 7, 7, 6, 16)
    else:
        name, bars, gap, rest = max(min(longest, 40), 16), 24, 2, (13, 7, 7, 6, 28)
    lead = 0 if width < WIDE else 2
    fixed = lead + name + bars + sum(part + gap for part in rest if part) + 2 * gap + 1
    return Layout(lead, name, bars, max(width - fixed, 10), *rest, gap)


class Overview:
    """The rows of the overview, made on demand; made once for each scene."""

    def __init__(
        self,
        scene: Scene,
        before: Overview | None = None,
        order: Order[DagCard] | None = None,
        *,
        uncut: bool = False,
    ) -> None:
        self.scene, self.uncut, self.order = scene, uncut, order
        self.rows: list[tuple[Hashable, object]] = []
        self._cache: dict[Hashable, Spans] = {} if before is None or before.uncut != uncut else before._cache
        self._made: dict[tuple[int, int], Spans] = {}
        """Rows of this scene: a cursor that moves asks for them again."""
        self.attention = attention(scene.snapshot)
        cards = in_order(scene.snapshot, order, scene.now)
        self._longest = max((len(card.dag_id) for card in cards), default=8)
        self._failed = _latest_failures(scene.snapshot.failures)
        self.rows += [(None, line) for line in notices(scene)]
        self.rows += [(("attention", row.key), row) for row in self.attention]
        if self.rows:
            self.rows.append((None, ""))
        if scene.snapshot.dags:
            self.rows.append((None, "titles"))
        elif not scene.loading:
            self.rows += [(None, words) for words in _nothing(scene)]
        self.rows += [(("dag", card.dag_id), card) for card in cards]
        self._index = {key: at for at, (key, _) in enumerate(self.rows) if key is not None}

    def __len__(self) -> int:
        return len(self.rows)

    def key(self, index: int) -> Hashable | None:
        """What the row at `index` is about."""
        return self.rows[index][0]

    def index(self, key: Hashable | None) -> int | None:
        """Where that row is."""
        return self._index.get(key)

    def facts(self, index: int) -> tuple[object, Callable[[], Facts]]:
        """What a filter can hold against a row: what is known of the DAG, or what the attention row says."""
        content = self.rows[index][1]
        if isinstance(content, DagCard):
            return content, partial(dag_facts, content, self._failed.get(content.dag_id))
        assert isinstance(content, Attention)
        return content, partial(attention_facts, content)

    def row(self, index: int, width: int) -> Spans:
        """The content of a row; the same object as before while it reads the same."""
        made = self._made.get((index, width))
        if made is None:
            made = self._made[index, width] = self._row(index, width)
        return made

    def _row(self, index: int, width: int) -> Spans:
        key, content = self.rows[index]
        columns = layout(width, self._longest, uncut=self.uncut)
        if isinstance(content, DagCard):
            spans = _dag_row(content, self.scene, columns, self._failed.get(content.dag_id))
        elif isinstance(content, Attention):
            wide = width >= WIDE
            counted = count_width(self.attention, wide=wide)
            spans = attention_row(content, self.scene, width, counted, wide=wide)
        elif isinstance(content, tuple):
            spans = content
        else:
            spans = _titles(columns) if content else ()
            spans = spans if self.order is None else self.order.titled(spans)
        slot = index if key is None else key
        if width < SMALLEST:
            spans = crop(spans, width)
        known = self._cache.get(slot)
        if known == spans:
            return known
        self._cache[slot] = spans
        return spans


def in_order(snapshot: Snapshot, order: Order[DagCard] | None = None, now: Micros = 0) -> list[DagCard]:
    """DAGs in an order, and where that says nothing by id; paused ones come last."""
    cards = sorted(snapshot.dags, key=lambda card: card.dag_id)
    if order is not None:
        cards = order.of(cards, now)
    return sorted(cards, key=lambda card: (card.paused_at is not None, card.state != "active"))


def best_run(card: DagCard) -> RunMark | None:
    """The run that a DAG's row is about: the active one that is most worth looking at, else the newest."""
    return min(card.active, key=_rank).mark if card.active else card.last_run


def summary(snapshot: Snapshot) -> str:
    """What the rule under the header says: how many DAGs there are."""
    total = len(snapshot.dags)
    paused = sum(card.paused_at is not None for card in snapshot.dags)
    words = f"{total} DAG{'s' if total != 1 else ''}"
    return f"{words}, {paused} paused" if paused else words


_READING: Micros = 5 * SECOND
"""After its start an engine may still be loading the first files."""
_FIRST = (
    "    from dagdeck import dag, shell",
    "",
    '    @dag(schedule="0 * * * *", start_date="2026-01-01", catchup=False)',
    "    def first():",
    '        shell("greet", "echo Hello")',
)
"""A DAG to begin with, as an empty home shows it."""


def _nothing(scene: Scene) -> list[Spans]:
    """What a home without DAGs says: why, and what to do."""
    snapshot = scene.snapshot
    if snapshot.trouble:
        lines = ["The console goes on looking: it will show the home as soon as it can be read."]
    elif scene.link.up and scene.now - (scene.link.started_at or 0) < _READING:
        lines = [f"The engine has just started, and reads the files in {snapshot.home.path}/dags."]
    else:
        lines = [
            "This home has no DAGs yet.",
            "",
            "A file such as this one is here within three seconds of being saved as",
            f"{snapshot.home.path}/dags/first.py:",
            "",
            *_FIRST,
            "",
            "`dagdeck dags validate` says what is wrong with one that does not appear.",
        ]
    return [
        ((f"  {line}" if line else "", TEXT if at == 0 or line in _FIRST else DIM),) for at, line in enumerate(lines)
    ]


def _latest_failures(failures: Sequence[Failure]) -> dict[str, Failure]:
    found: dict[str, Failure] = {}
    for failure in failures:
        if failure.state != "up_for_retry" and (failure.dag_id not in found or failure.at > found[failure.dag_id].at):
            found[failure.dag_id] = failure
    return found


def _titles(columns: Layout) -> Spans:
    line = Line().gap(columns.lead).cell("DAG", columns.name, DIM).gap(columns.gap)
    line.cell(f"last {columns.bars} runs" if columns.bars > 10 else "runs", columns.bars, DIM).gap(columns.gap)
    line.cell("now", columns.now, DIM)
    for title, width, align in _tail_titles(columns):
        line.gap(columns.gap).cell(title, width, DIM, align=align)
    return line.done()


def _tail_titles(columns: Layout) -> list[tuple[str, int, Align]]:
    titles: list[tuple[str, int, Align]] = [
        ("next", columns.next, "left"),
        ("p50", columns.p50, "right"),
        ("p95", columns.p95, "right"),
        ("ok 7d", columns.ok, "right"),
        ("tags", columns.tags, "left"),
    ]
    return [title for title in titles if title[1]]


def _dag_row(card: DagCard, scene: Scene, columns: Layout, failed: Failure | None) -> Spans:
    now = scene.now
    last = next((mark for mark in reversed(card.recent) if mark.state in ("success", "failed")), None)
    if last is not None and last.state == "success":
        failed = None
    quiet = card.paused_at is not None or card.state != "active"
    line = (
        Line().gap(columns.lead).cell(card.dag_id, columns.name, DIM if quiet else TEXT, cut="middle").gap(columns.gap)
    )
    line.spans(run_bars(card, columns.bars, now), columns.bars).gap(columns.gap)
    doing = _doing(card, scene, failed, compact=columns.lead == 0)
    while width_of(doing) > columns.now and doing[-1][0].startswith("  "):
        doing = doing[:-1]  # a figure that is cut would say something else
    line.spans(doing, columns.now)
    coming = "" if quiet or card.next_run_after is None else until_words(card.next_run_after, now)
    if not quiet and card.schedule is None:
        coming = "by hand"
    line.gap(columns.gap).cell(coming, columns.next, DIM)
    stats = card.stats
    for value, width in ((stats and stats.p50, columns.p50), (stats and stats.p95, columns.p95)):
        if width:
            line.gap(columns.gap).figure("" if value is None else usual_words(value), width, DIM if quiet else TEXT)
    if columns.ok:
        ended = 0 if stats is None else stats.succeeded + stats.failed
        line.gap(columns.gap).figure(
            "" if stats is None else percent(stats.succeeded, ended), columns.ok, DIM if quiet else TEXT
        )
    if columns.tags:
        line.gap(columns.gap).cell(" ".join(card.tags), columns.tags, DIM)
    return line.done()


def run_bars(card: DagCard, width: int, now: Micros) -> Spans:
    """The last runs, newest on the right: a bar as high as a success took, the state's glyph for everything else."""
    marks = card.recent[-width:]
    most = max((mark.duration(now) or 0 for mark in marks if mark.state == "success"), default=0)
    line = Line().gap(width - len(marks))
    for mark in marks:
        if mark.sign == "success":
            line.add(bar((mark.duration(now) or 0) * 6, most * 7), DIM)
        else:
            line.add(*sign(mark.sign))
    return line.done()


def _doing(card: DagCard, scene: Scene, failed: Failure | None, *, compact: bool) -> Spans:
    now = scene.now
    asked = intent_words(scene.intents.of((card.dag_id, "", -1)) or _run_intent(card, scene))
    if card.active:
        return (*_active(card.active, now, compact=compact), *asked)
    if card.state != "active":
        return ((sign("removed")[0], DIM), (" its file is gone", DIM))
    if card.broken_since is not None:
        return (("!", WARN), (f" does not load since {moment_words(card.broken_since, now)}", WARN), *asked)
    if card.paused_at is not None:
        return (
            *_failed_words(failed, now, "  "),
            sign("paused"),
            (f" {_pause_words(card)}, {ago_words(card.paused_at, now)} ago", DIM),
            *asked,
        )
    return (*_failed_words(failed, now, ""), *asked)


def _pause_words(card: DagCard) -> str:
    """By whom and why; what says itself that it paused needs no second word."""
    why = card.pause_reason or ""
    if why.startswith("paused "):
        return why
    by = f" by {card.paused_by}" if card.paused_by else ""
    return f"paused{by}{f', {why}' if why else ''}"


def _run_intent(card: DagCard, scene: Scene) -> Intent | None:
    last = best_run(card)
    return None if last is None else scene.intents.of((last.run_id, "", -1))


def _failed_words(failed: Failure | None, now: Micros, gap: str) -> Spans:
    if failed is None:
        return ()
    name = failed.task_id or failed.error
    return (sign("failed"), (f" {name}", TEXT), (f"  {ago_words(failed.at, now)}{gap}", DIM))


def _active(runs: Sequence[ActiveRun], now: Micros, *, compact: bool) -> Spans:
    """The run that is most worth looking at, and how many others there are."""
    run = min(runs, key=_rank)
    others: Spans = ((f"  +{len(runs) - 1}", DIM),) if len(runs) > 1 else ()
    if run.mark.state == "queued":
        return (sign("queued"), (" queued", DIM), *others)
    first = _first_live(run.live)
    state = _run_state(run, first)
    progress: Spans = (sign(state), (f" {run.done}/{run.total}", TEXT))
    failed = run.counts.get("failed", 0)
    if failed:
        progress = (*progress, (f" {failed}", BAD), sign("failed"))
    doing: Spans = (("  ", TEXT), *live_words(first, now, compact=compact)) if first is not None else ()
    more = sum(task.state in ("running", "killing") for task in run.live) - 1
    if more > 0 and first is not None and first.state in ("running", "killing"):
        doing = (*doing, (f" +{more}", DIM))
    return (*progress, *doing, *others)


def _run_state(run: ActiveRun, first: LiveTask | None) -> str:
    """A run whose only live tasks wait for a retry is shown as retrying: nothing of it runs."""
    if run.mark.state != "running" or first is None:
        return run.mark.state
    return first.state if first.state in ("up_for_retry", "awaiting_input", "deferred") else "running"


def _rank(run: ActiveRun) -> tuple[int, int]:
    states = {task.state for task in run.live}
    place = next((at for at, state in enumerate(_SHOWN_FIRST) if state in states), len(_SHOWN_FIRST))
    return place if run.mark.state != "queued" else 99, -run.mark.id


def _first_live(live: Sequence[LiveTask]) -> LiveTask | None:
    def rank(task: LiveTask) -> tuple[int, int]:
        place = _SHOWN_FIRST.index(task.state) if task.state in _SHOWN_FIRST else len(_SHOWN_FIRST)
        return place, task.started_at or task.scheduled_at or 0

    return min(live, key=rank, default=None)
