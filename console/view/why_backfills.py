"""Why a backfill stands, waits or was stopped, in sentences; and what would move it. Pure."""

from __future__ import annotations

from console.model.backfills import BackfillCard
from console.model.snapshot import Scene
from console.view.spans import BAD, DIM, TEXT, WARN
from console.view.words import moment_words

Parts = list[tuple[str, str]]


def why_backfill(scene: Scene, card: BackfillCard) -> tuple[str, Parts]:
    """Title and paragraphs for a backfill."""
    parts: Parts = [_stands(scene, card)]
    if card.waits_for is not None:
        parts.append(_waits(scene, card))
    if card.failed or card.cancelled:
        words = f"{card.failed} of its {card.total} dates failed, {card.cancelled} were cancelled."
        parts += [(words, BAD if card.failed else TEXT), ("They run again: retry failed (r).", DIM)]
    if card.skipped:
        parts.append((f"{card.skipped} were left alone: they had runs, or none of which a part could run again.", TEXT))
    if card.state == "running" and card.waits_for is None:
        parts.append(_next(card))
    parts.append((f"{card.created_by} asked for it at {moment_words(card.created_at, scene.now)} UTC.", DIM))
    return f"Why: backfill {card.id} of {card.dag_id}", parts


def _stands(scene: Scene, card: BackfillCard) -> tuple[str, str]:
    since = "" if card.ended_at is None else f" since {moment_words(card.ended_at, scene.now)}"
    if card.state == "stopped_by_failures":
        return f"Failures have stopped it{since}, with {card.left} dates left: resume (p) counts them anew.", BAD
    if card.state == "paused":
        return (
            "It is paused: nothing of it starts, what runs goes on. Resume: p. Who paused it: audit (@).",
            WARN,
        )
    if card.state == "stopping":
        return f"It is cancelled when the {card.running} runs that are under way have ended.", WARN
    return f"It is {card.state}{since}.", TEXT


def _waits(scene: Scene, card: BackfillCard) -> tuple[str, str]:
    """What it waits for; of its DAG, who and since when."""
    dag = scene.snapshot.by_id.get(card.dag_id)
    if card.waits_for == "dag_paused" and dag is not None and dag.paused_at is not None:
        by = f" by {dag.paused_by}" if dag.paused_by else ""
        why = f" ({dag.pause_reason})" if dag.pause_reason else ""
        return f"Its DAG is paused{by} since {moment_words(dag.paused_at, scene.now)}{why}.", WARN
    if card.waits_for == "dag_broken" and dag is not None and dag.broken_since is not None:
        return f"The file {dag.file} does not load since {moment_words(dag.broken_since, scene.now)}.", WARN
    return _OTHERS.get(card.waits_for or "", f"It waits: {card.waits_for}."), WARN


_OTHERS = {
    "dag_inactive": "The file of its DAG is gone: it goes on when the file is back.",
    "hold": "A hold keeps it from starting anything: release (H) lets it go on.",
    "not_during": "It is the time of the day in which nothing of it starts: it goes on by itself.",
}


def _next(card: BackfillCard) -> tuple[str, str]:
    if not card.pending:
        return f"It is complete when the {card.running} runs that are under way have ended.", TEXT
    if card.running >= card.max_active:
        return f"{card.pending} dates wait: the next one starts when one of {card.running} runs has ended.", TEXT
    return f"{card.pending} dates wait: the next one starts.", TEXT
