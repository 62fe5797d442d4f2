"""The form that a backfill begins with: which dates, and how many at a time. A plan of it is shown next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.actions.backfilling import create
from console.actions.flow import Flow
from console.model.asks import Refused, Unreachable
from console.model.runs import TriggerForm
from console.model.targets import Target
from console.screens.trigger import Form
from console.widgets.edit import LineEdit
from engine.model.moments import to_iso

if TYPE_CHECKING:
    from console.app import ConsoleApp

RANGE, MOST, TASKS, QUIET, STOP = "dates", "at a time", "only tasks", "not during", "stop after"


class BackfillForm(Form):
    """Which dates of a DAG."""

    def __init__(
        self, form: TriggerForm, typed: Mapping[str, str], refusal: Callable[[Mapping[str, str]], Awaitable[str]]
    ) -> None:
        super().__init__(form, typed, refusal)
        self.headline = f"Backfill ── {form.dag_id}"
        hints = {
            RANGE: f"-90d..yesterday, 2026-01-01..2026-01-31, yesterday ({form.timezone})",
            MOST: "runs; 1: one after the other; empty: as many as the DAG may have",
            TASKS: "names, with blanks between; of runs that are there, and what is below; empty: whole runs",
            QUIET: "05:30-08:00 Europe/Berlin; empty: at any time",
            STOP: "failed runs; empty: never",
        }
        self._fields = [(name, LineEdit(typed.get(name, "")), hint) for name, hint in hints.items()]


def open_form(app: ConsoleApp, target: Target) -> None:
    """Opens the form; on a gap its dates stand in it."""
    app.spawn(_ask(app, target))


async def _ask(app: ConsoleApp, target: Target) -> None:
    backend = app.backend
    assert backend is not None and target.dag_id is not None  # the action needs a DAG and an engine
    try:
        form = await backend.form(target.dag_id)
    except LookupError as error:
        app.say(str(error), "warn")
        return
    ask = create(app.scene(), target)

    async def refusal(typed: Mapping[str, str]) -> str:
        try:
            await app.commands().preview(ask.verb, ask.selection, {**arguments(typed), **ask.arguments({})})
        except (Refused, Unreachable) as error:
            return str(error)
        except ValueError as error:
            return str(error)
        return ""

    typed = {} if target.span is None else {RANGE: "..".join(map(to_iso, target.span))}
    screen = BackfillForm(form, typed, refusal)
    app.push_screen(screen, lambda typed: _entered(app, target, typed))


def _entered(app: ConsoleApp, target: Target, typed: Mapping[str, str] | None) -> None:
    if typed is None:
        return
    ask = replace(create(app.scene(), target), args=arguments(typed))
    Flow(app, ask, app.scene().snapshot.home.production).start()


def arguments(typed: Mapping[str, str]) -> dict[str, Any]:
    """The verb's arguments as they were typed. Raises ValueError naming the field that should be a number."""
    found: dict[str, Any] = {"start": typed.get(RANGE, "").strip()}
    for name, argument in ((MOST, "max_active"), (STOP, "stop_after")):
        text = typed.get(name, "").strip()
        if text:
            if not text.isdecimal():
                raise ValueError(f"{name} is a number, not {text!r}")
            found[argument] = int(text)
    if typed.get(TASKS, "").strip():
        found |= {"tasks": typed[TASKS].split(), "downstream": True}
    if typed.get(QUIET, "").strip():
        found["not_during"] = typed[QUIET].strip()
    return found
