"""The trash: a line for each deleted run, newest first. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.model.snapshot import Scene
from console.model.trash import Trash, TrashedCard
from console.view.sorting import Order
from console.view.spans import DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import ago_words, intent_words, sign
from engine.model.moments import DAY

Row = tuple[Hashable, Spans]
KEPT_DAYS = 7


def rows(scene: Scene, found: Trash, width: int, order: Order[TrashedCard] | None = None) -> list[Row]:
    """Run, how it had ended, who deleted it and when, how long it can come back, and why it cannot."""
    names = min(max((len(card.run_id) for card in found.cards), default=3), max(width // 3, 20))
    head = _line(("run", "ended", "deleted", "by", "until gone", ""), names, width, DIM)
    head = head if order is None else order.titled(head)
    cards = found.cards if order is None else order.of(found.cards, scene.now)
    lines: list[Row] = [(None, crop(head, width))] if cards else []
    return lines + [(("run", card.run_id), crop(_row(scene, card, names, width), width)) for card in cards]


def _row(scene: Scene, card: TrashedCard, names: int, width: int) -> Spans:
    asked = scene.intents.of((card.run_id, "", -1))
    left = max(card.at + KEPT_DAYS * DAY - scene.now, 0)
    days = f"{left // DAY}d" if left >= DAY else "today"
    why = "another run has its place, or its code is gone" if card.taken else card.note or ""
    parts = (card.run_id, card.state, f"{ago_words(card.at, scene.now)} ago", card.who, days, why)
    spans = _line(parts, names, width, TEXT, WARN if card.taken else DIM, state=card.state)
    return spans if asked is None else (*crop(spans, max(width - 24, 0)), *intent_words(asked))


def _line(parts: tuple[str, ...], names: int, width: int, token: str, last: str = DIM, state: str = "") -> Spans:
    run, ended, deleted, who, left, why = parts
    line = Line().gap(1).cell(run, names, token, cut="middle").gap(2)
    line.spans((sign(state),), 2) if state else line.gap(2)
    line.cell(ended.replace("_", " "), 10, DIM).gap(1).cell(deleted, 10, DIM).gap(2).cell(who, 12, token).gap(2)
    return line.cell(left, 10, DIM).gap(2).cell(why, max(width - line.width - 2, 1), last).done()
