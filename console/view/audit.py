"""The audit: a line for each command, newest first. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from console.model.audit import Audit, AuditCard
from console.model.snapshot import Scene
from console.view.spans import BAD, DIM, TEXT, Line, Spans, crop
from console.view.words import moment_words

Row = tuple[Hashable, Spans]
_WIDE = 100


def rows(scene: Scene, found: Audit, width: int) -> list[Row]:
    """Who, when, what, outcome, note."""
    if not found.cards:
        return []
    lines: list[Row] = [(None, crop(_line(width, ("when", "who", "what", "outcome", "", ""), DIM, DIM), width))]
    return lines + [(("command", card.number), crop(_row(scene, card, width), width)) for card in found.cards]


def about_words(card: AuditCard) -> str:
    """What it was about, by name."""
    subject = card.run_id or card.dag_id or ""
    return f"{subject}/{card.task}" if card.task else subject


def _row(scene: Scene, card: AuditCard, width: int) -> Spans:
    what = f"{card.verb} {about_words(card)}".strip()
    when = moment_words(card.at, scene.now)
    parts = (when, f"{card.user} ({card.client})", what, card.outcome, card.message, card.note or "")
    return _line(width, parts, TEXT, BAD if card.outcome == "refused" else DIM)


def _line(width: int, parts: tuple[str, str, str, str, str, str], token: str, outcome: str) -> Spans:
    when, who, what, came, message, note = parts
    wide = width >= _WIDE
    line = Line().gap(1).cell(when, 12, DIM).gap(2).cell(who, 18 if wide else 12, token).gap(2)
    line.cell(what, 36 if wide else 20, token, cut="middle").gap(2).cell(came, 7, outcome).gap(2)
    said = f"“{note}”  {message}" if note else message
    return line.cell(said, max(width - line.width, 1), DIM).done()
