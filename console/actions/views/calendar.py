"""The calendar of one DAG: its dates, a range of which can be selected and run."""

from __future__ import annotations

from dataclasses import replace

from console.actions import backfilling, possible
from console.actions.action import LISTS, ROWS, Action, Ask, Danger, View
from console.model.calendar import Calendar
from console.model.snapshot import Scene
from console.model.targets import Target
from engine.model.moments import to_iso

_HERE = frozenset({"calendar"})
_DOING = "console.screens.calendar_doing"


def ask_plan(scene: Scene, target: Target) -> Ask:
    """A backfill of the dates that are meant."""
    ask = backfilling.create(scene, target)
    return ask if target.span is None else replace(ask, args={"start": "..".join(map(to_iso, target.span))})


def _enter_label(scene: Scene, target: Target) -> str:
    return "open its run" if target.run_id is not None else "plan"


def _dates(scene: Scene, target: Target) -> str | None:
    """Needs a DAG with a schedule; while a year is read, that is not known yet."""
    page = scene.snapshot.paged
    without = isinstance(page, Calendar) and page.cells is None
    return f"{target.dag_id} has no schedule, and so no dates" if without else None


def _a_run_or_dates(scene: Scene, target: Target) -> str | None:
    return None if target.run_id is not None else _PLAN(scene, target)


_PLAN = possible.change("backfill_create", possible.a_live_dag, _dates)

VIEW = View(
    "calendar",
    "calendar of a DAG",
    "console.screens.calendar:CalendarPane",
    9,
    LISTS | ROWS,
    (
        Action("calendar", "calendar", "The DAG's dates over a year, gaps included; a range of them can be run.",
               ("9",), LISTS | ROWS, rank=12, why_not=possible.a_dag, opens="calendar"),
        Action("calendar.enter", "open", "Opens the run of the date; of a range it shows the plan and asks.",
               ("enter",), _HERE, rank=90, why_not=_a_run_or_dates, label=_enter_label),
        Action("calendar.plan", "backfill", "What a backfill of the range, the gap or the date would do; then asks.",
               ("b",), _HERE, Danger.CHANGES, "backfill_create", 88, _PLAN, ask_plan, group="change"),
        Action("calendar.left", "earlier date", "One date to the left.", ("h", "left"), _HERE),
        Action("calendar.right", "later date", "One date to the right.", ("l", "right"), _HERE),
        Action("calendar.select_left", "select earlier", "Selects to the date before.", ("shift+left",), _HERE),
        Action("calendar.select_right", "select later", "Selects to the date after.", ("shift+right",), _HERE),
        Action("calendar.select_up", "select row above", "Selects to the row above.", ("shift+up",), _HERE),
        Action("calendar.select_down", "select row below", "Selects to the row below.", ("shift+down",), _HERE),
        Action("calendar.range", "select", "Selects from here on, with every movement; again ends that.", ("V",),
               _HERE, rank=86, why_not=_dates),
        Action("calendar.gap", "next gap", "To the next gap, going back in time, and selects it.", ("n",), _HERE,
               rank=70, why_not=_dates),
        Action("calendar.older", "a year back", "The year before.", ("<",), _HERE),
        Action("calendar.newer", "a year on", "The year after.", (">",), _HERE),
        Action("calendar.order", "order", "Which dates are run first: oldest or newest.", (",",), _HERE, rank=60,
               why_not=_dates),
        Action("calendar.again", "run again", "What runs again of dates that have a run: nothing, failed ones, all.",
               (".",), _HERE, rank=58, why_not=_dates),
        Action("calendar.parallel", "at a time", "How many runs there may be at a time.", (";",), _HERE, rank=56,
               why_not=_dates),
    ),
    {
        "calendar.enter": f"{_DOING}:enter",
        "calendar.plan": f"{_DOING}:plan",
        "calendar.left": f"{_DOING}:left",
        "calendar.right": f"{_DOING}:right",
        "calendar.select_left": f"{_DOING}:select_left",
        "calendar.select_right": f"{_DOING}:select_right",
        "calendar.select_up": f"{_DOING}:select_up",
        "calendar.select_down": f"{_DOING}:select_down",
        "calendar.range": f"{_DOING}:select_range",
        "calendar.gap": f"{_DOING}:next_gap",
        "calendar.older": f"{_DOING}:older",
        "calendar.newer": f"{_DOING}:newer",
        "calendar.order": f"{_DOING}:order",
        "calendar.again": f"{_DOING}:again",
        "calendar.parallel": f"{_DOING}:parallel",
    },
)  # fmt: skip
