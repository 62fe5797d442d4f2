"""Explaining what the cursor stands on: why it waits or failed, and all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions.backfilling import backfill_of
from console.actions.finding import attention_of, dag_of, task_of
from console.model.limits import WaitCard
from console.model.runs import RunDetail, TaskCard
from console.model.targets import Target
from console.view import why as why_view
from console.view import why_backfills, why_limits
from console.view.details import details
from console.view.dialogs import paragraphs
from console.view.spans import Spans
from console.view.why_group import first_in_the_way, is_group, why_group
from console.widgets.dialog import Dialog, DialogContent

if TYPE_CHECKING:
    from console.app import ConsoleApp


def why(app: ConsoleApp, target: Target) -> None:
    """Says why it waits or failed, and what would free it."""
    scene = app.scene()
    row = attention_of(scene, target)
    card, run = task_of(scene, target), scene.snapshot.run
    if target.view == "limits":
        app.spawn(_why_limit(app, target))
        return
    backfill = backfill_of(scene, target)
    if backfill is not None:
        title, parts = why_backfills.why_backfill(scene, backfill)
    elif row is not None:
        title, parts = why_view.why_attention(scene, row)
    elif card is not None and run is not None:
        app.spawn(_why_task(app, run, card))
        return
    elif run is not None and run.mark.run_id == target.run_id and is_group(run, target.task_id or ""):
        app.spawn(_why_group(app, run, target.task_id or ""))
        return
    else:
        dag = dag_of(scene, target)
        if dag is None:
            app.say("there is nothing to explain here", "warn")
            return
        title, parts = why_view.why_dag(scene, dag)
    tell(app, title, parts)


async def _why_task(app: ConsoleApp, run: RunDetail, card: TaskCard) -> None:
    tell(app, *await _told(app, run, card))


async def _why_group(app: ConsoleApp, run: RunDetail, group: str) -> None:
    """Its tasks by state, and what the first of them that is in the way would say on its own row."""
    first = first_in_the_way(run, group)
    tell(app, *why_group(run, group, None if first is None else await _told(app, run, first)))


async def _told(app: ConsoleApp, run: RunDetail, card: TaskCard) -> tuple[str, why_view.Parts]:
    """What the picture knows, and beneath it what the store says of limits, breakers and people."""
    backend = app.backend
    said = WaitCard() if backend is None else await backend.waiting(run.mark.run_id, card.task_id, card.map_index)
    return why_view.why_task(app.scene(), run, card, said.sentences)


async def _why_limit(app: ConsoleApp, target: Target) -> None:
    """What the store says of a pool, a breaker or a question, and what the engine says of its own limits."""
    backend, scene = app.backend, app.scene()
    kind, _, name = (target.attention or "").partition(":")
    if kind == "engine":
        tell(app, *why_limits.why_engine(scene.link.gauges, name))
    elif backend is None:
        return
    elif target.run_id is not None and target.task_id is not None:
        said = await backend.waiting(target.run_id, target.task_id, target.map_index)
        tell(app, f"What does {target.task_id} wait for?", why_limits.why_question(said, app.scene().now))
    else:
        said = await backend.limit(kind, name)
        tell(app, f"Why: {kind} {name}", why_limits.why_limit(kind, said))


def show_details(app: ConsoleApp, target: Target) -> None:
    """All that is known of the row under the cursor."""
    title, parts = details(app.scene(), target)
    tell(app, title, parts)


def tell(app: ConsoleApp, title: str, parts: list[tuple[str, str]]) -> None:
    """Shows paragraphs, each a word and what there is to say of it, in a dialog that only closes."""

    def body(width: int) -> list[Spans]:
        return paragraphs(parts, width)

    app.open_dialog(Dialog(DialogContent(title, body=body, ready=True)), lambda _: None)
