"""The form that a backfill begins with: which dates, and how many at a time. A plan of it is shown next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.actions.backfilling import create
from console.actions.flow import Flow
from console.model.runs import TriggerForm
from console.model.targets import Target
from console.screens.trigger import DATE, Form, refusal_of
from console.screens.trigger import arguments as param_arguments
from console.widgets.edit import LineEdit
from engine.model.moments import SECOND, Micros, from_iso, to_datetime, to_iso, to_local

if TYPE_CHECKING:
    from console.app import ConsoleApp

RANGE, MOST, SLOTS, TASKS = "which dates", "runs at a time", "max slots", "only tasks"
QUIET, STOP = "not during", "stop after"
"""With blanks: no param has such a name."""


class BackfillForm(Form):
    """Which dates of a DAG."""

    def __init__(
        self, form: TriggerForm, typed: Mapping[str, str], refusal: Callable[[Mapping[str, str]], Awaitable[str]]
    ) -> None:
        super().__init__(form, typed, refusal)
        self.headline = f"Backfill ── {form.dag_id}"
        hints = {
            RANGE: f"-90d..yesterday, 2026-01-01..2026-01-31 ({form.timezone})",
            MOST: "1: one after the other; empty: as the DAG says",
            SLOTS: "tasks of it at a time; empty: half of each pool",
            TASKS: "and what is below, of runs that are there; empty: all",
            QUIET: "05:30-08:00 Europe/Berlin; empty: starts at any time",
            STOP: "so many failed runs; empty: never",
        }
        params = [(name, edit, words) for name, edit, words in self._fields if name != DATE]
        self._fields = [(name, LineEdit(typed.get(name, "")), hint) for name, hint in hints.items()] + params


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
    refusal = refusal_of(app, ask, lambda typed: {**arguments(form, typed), **ask.arguments({})})
    typed = {} if target.span is None else {RANGE: written(target.span, form.timezone)}
    typed = {**app.typed.get(_kept(form), {}), **typed}
    screen = BackfillForm(form, typed, refusal)
    app.push_screen(screen, lambda typed: _entered(app, target, form, typed))


def _kept(form: TriggerForm) -> str:
    """Under which name it is remembered what was typed last: no DAG's id has a blank."""
    return f"backfill {form.dag_id}"


def written(span: tuple[Micros, Micros], zone: str) -> str:
    """A range as somebody in the zone would type it: whole days as dates, else times by the second."""
    days = [to_local(at, zone) for at in span]
    if all(len(day) == len("2026-01-31") for day in days):
        return "..".join(days)
    return "..".join(_moment(at - at % SECOND, zone) for at in span)


def _moment(at: Micros, zone: str) -> str:
    """Local, or with its offset where clocks show the same time twice."""
    local = to_datetime(at, zone).replace(tzinfo=None)
    text = local.isoformat(timespec="seconds" if local.second else "minutes")
    return text if from_iso(text, zone) == at else to_iso(at)


def _entered(app: ConsoleApp, target: Target, form: TriggerForm, typed: Mapping[str, str] | None) -> None:
    if typed is None:
        return
    app.typed[_kept(form)] = typed
    ask = replace(create(app.scene(), target), args=arguments(form, typed))
    Flow(app, ask, app.scene().snapshot.home.production).start()


def arguments(form: TriggerForm, typed: Mapping[str, str]) -> dict[str, Any]:
    """The verb's arguments as they were typed. Raises ValueError naming the field that should be a number."""
    found: dict[str, Any] = {"start": typed.get(RANGE, "").strip(), **param_arguments(form, typed)}
    for name, argument in ((MOST, "max_active"), (SLOTS, "max_slots"), (STOP, "stop_after")):
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
