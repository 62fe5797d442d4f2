"""One DAG: all its runs, newest first, with how long they took beside what is usual."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.figures import clock, date, duration
from console.model.dags import DagCard, RunMark
from console.model.runs import DagDetail
from console.model.snapshot import Scene
from console.text import cell_len
from console.view.facts import run_facts
from console.view.spans import BAD, DIM, OK, SMALLEST, TEXT, Line, Spans, crop, join
from console.view.words import intent_words, logical_words, sign, took_words, until_words, usual_words
from engine.model.moments import SECOND, Micros
from engine.model.terms import Facts

if TYPE_CHECKING:
    from console.view.sorting import Order

_BAR = 8


class DagRows:
    """The rows of a DAG's runs, made on demand."""

    def __init__(
        self,
        scene: Scene,
        detail: DagDetail,
        before: DagRows | None = None,
        order: Order[RunMark] | None = None,
    ) -> None:
        self.scene, self.detail, self.order = scene, detail, order
        self._basis = (detail.runs, order, scene.now // SECOND)
        self.runs: Sequence[RunMark] = detail.runs
        """In the order in which they are shown."""
        if order is not None:
            known = before is not None and before._basis[0] is detail.runs and before._basis[1:] == self._basis[1:]
            self.runs = before.runs if before is not None and known else order.of(detail.runs, scene.now)
        self._card = scene.snapshot.by_id.get(detail.dag_id)
        self._zone = "UTC" if self._card is None else self._card.timezone
        self._cache: dict[Hashable, Spans] = {} if before is None else before._cache
        self._index: dict[Hashable, int] = {("run", mark.run_id): at + 1 for at, mark in enumerate(self.runs)}
        ended = [mark.duration(scene.now) or 0 for mark in detail.runs[:100] if mark.state == "success"]
        self._most = max(ended, default=0)

    def __len__(self) -> int:
        return max(len(self.detail.runs), 1) + 1

    def key(self, index: int) -> Hashable | None:
        """The run of a row; None for the titles, and for the row that says that there are no runs."""
        return None if index == 0 or not self.detail.runs else ("run", self.runs[index - 1].run_id)

    def index(self, key: Hashable | None) -> int | None:
        """Where a run stands."""
        return self._index.get(key)

    def facts(self, index: int) -> tuple[object, Callable[[], Facts]]:
        """What a filter can hold against a run."""
        mark = self.runs[index - 1]
        return mark, partial(run_facts, mark)

    def row(self, index: int, width: int) -> Spans:
        """The content of a row; the same object as before while it reads the same."""
        key = self.key(index) or ("titles" if index == 0 else "nothing", width)
        if index and not self.detail.runs:
            spans = Line().cell("no runs yet: t starts one", width, DIM).done()
        else:
            spans = self._titles(width) if index == 0 else self._run_row(self.runs[index - 1], width)
        if width < SMALLEST:
            spans = crop(spans, width)
        known = self._cache.get(key)
        if known == spans:
            return known
        self._cache[key] = spans
        return spans

    def _titles(self, width: int) -> Spans:
        return _titles(width) if self.order is None else self.order.titled(_titles(width))

    def _run_row(self, mark: RunMark, width: int) -> Spans:
        now = self.scene.now
        took = mark.duration(now)
        line = Line().cell(logical_words(mark.logical_date, self._zone), 19).gap(2)
        asked = self.scene.intents.of((mark.run_id, "", -1))
        words = mark.state if asked is None else ""
        token = BAD if mark.state == "failed" else TEXT if mark.active else DIM
        line.spans((sign(mark.sign), (f" {words}", token), *intent_words(asked)), 22 if width >= 100 else 12).gap(2)
        share = 0 if took is None or not self._most else min(took / self._most, 1)
        drawn = "▇" * int(share * _BAR) if mark.state == "success" else ""
        line.figure("" if took is None else duration(took, tenths=False) if mark.active else took_words(took), 8)
        if width >= 100:
            line.gap(1).cell(drawn, _BAR, OK)
        line.gap(2).cell(_began(mark, now), 15, DIM).gap(2).cell(mark.run_type, 10, DIM).gap(2)
        reason = "" if mark.sign in ("success", "running") else mark.reason.replace("_", " ")
        by = f"by {mark.created_by}" if mark.created_by else ""
        reason = reason if reason not in (mark.state, "tasks failed") else ""
        room = max(width - line.width, 0)
        rest = "   ".join(part for part in (by, reason) if part)
        if cell_len(rest) > room:
            rest = reason or by  # why it ended so goes before who asked for it, and a name that is cut says nothing
        return line.cell(rest if reason or cell_len(rest) <= room else "", room, DIM).done()


def _began(mark: RunMark, now: Micros) -> str:
    if mark.started_at is None:
        return until_words(mark.run_after, now) if mark.run_after > now else ""
    return f"{date(mark.started_at)} {clock(mark.started_at)}"


def _titles(width: int) -> Spans:
    line = Line().cell("logical date", 19, DIM).gap(2).cell("state", 22 if width >= 100 else 12, DIM).gap(2)
    line.figure("time", 8, DIM).gap(1 + _BAR if width >= 100 else 0)
    return line.gap(2).cell("started (UTC)", 15, DIM).gap(2).cell("type", 10, DIM).done()


def title(scene: Scene, dag_id: str, width: int) -> tuple[Spans, Spans]:
    """Which DAG this is, when it runs, and its usual figures."""
    card = scene.snapshot.by_id.get(dag_id)
    left = Line().add(" ").add(dag_id, f"{TEXT} bold")
    if card is None:
        return left.add("   no such DAG", DIM).done(), ()
    schedule = ", ".join(filter(None, (card.schedule, card.timezone, card.kind))) if card.schedule else "no schedule"
    left.add(f"   {schedule}", DIM)
    if width >= 100:
        left.add(f"   {' '.join(card.tags)}" if card.tags else "", DIM)
        left.add(f"   owner {card.owner}" if card.owner else "", DIM)
    return left.done(), (*join(_figures(card, scene, width), "   "), (" ", TEXT))


def _figures(card: DagCard, scene: Scene, width: int) -> list[Spans]:
    parts: list[Spans] = []
    if card.paused_at is not None:
        parts.append((sign("paused"), (" paused", DIM)))
    elif card.next_run_after is not None:
        parts.append((("next ", DIM), (until_words(card.next_run_after, scene.now), TEXT)))
    if card.stats is not None and card.stats.p50 is not None and width >= 100:
        parts.append((("p50 ", DIM), (usual_words(card.stats.p50), TEXT)))
        parts.append((("p95 ", DIM), (usual_words(card.stats.p95 or 0), TEXT)))
    return parts
