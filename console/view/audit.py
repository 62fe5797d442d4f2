"""The audit: a line for each command, newest first. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.model.audit import Audit, AuditCard
from console.model.snapshot import Scene
from console.view.sorting import Order
from console.view.spans import BAD, DIM, TEXT, Line, Spans, crop
from console.view.words import moment_words, run_words
from engine.model.moments import to_iso

Row = tuple[Hashable, Spans]
_WIDE = 100


def rows(scene: Scene, found: Audit, width: int, order: Order[AuditCard] | None = None) -> list[Row]:
    """Who, when, what, and what came of it."""
    if not found.cards:
        return []
    titles = _line(width, ("when", "who", "what", "run"), DIM, (("what came of it", DIM),))
    cards = found.cards if order is None else order.of(found.cards, scene.now)
    lines: list[Row] = [(None, crop(titles if order is None else order.titled(titles), width))]
    return lines + [(("command", card.number), crop(_row(scene, card, width), width)) for card in cards]


def _row(scene: Scene, card: AuditCard, width: int) -> Spans:
    dag = scene.snapshot.by_id.get(card.dag_id or "")
    run = "" if card.run_id is None else run_words(card.run_id, scene.now, "UTC" if dag is None else dag.timezone)
    subject = "/".join(part for part in (card.dag_id, card.task, card.limit) if part)
    when = moment_words(card.at, scene.now)
    came: list[tuple[str, str]] = [("refused: ", BAD)] if card.outcome == "refused" else []
    came += [(f"“{card.note}”  ", TEXT)] if card.note else []
    parts = (when, f"{card.user} ({card.client})", f"{card.verb} {subject}".strip(), run)
    return _line(width, parts, TEXT, (*came, (card.message, DIM)))


def _line(width: int, parts: tuple[str, str, str, str], token: str, came: Spans) -> Spans:
    when, who, what, run = parts
    wide = width >= _WIDE
    line = Line().gap(1).cell(when, 12, DIM).gap(2).cell(who, 15 if wide else 11, token).gap(2)
    line.cell(what, 28 if wide else 26, token, cut="middle").gap(2)
    if wide:
        line.cell(run, 22, DIM).gap(2)
    return line.spans(came, max(width - line.width, 1)).done()


def details(card: AuditCard) -> tuple[str, list[tuple[str, str]]]:
    """Who, from where, what, why, and what came of it: a title and paragraphs."""
    parts = [(f"{to_iso(card.at)}  {card.user}, by {card.client}", TEXT), (f"{card.outcome}: {card.message}", TEXT)]
    parts += [(f"note: {card.note}", TEXT)] if card.note else []
    parts += [("", TEXT), *((f"{name}: {value}", DIM) for name, value in card.details)]
    parts += [("", TEXT), (f"`dagdeck audit {card.number}` lists every row that it changed.", DIM)]
    about = "/".join(name for name in (card.run_id or card.dag_id, card.task, card.limit) if name)
    return f"Command {card.number} ── {card.verb} {about}".rstrip(), parts
