"""What a DAG's schedule means, what comes next, and what was left out."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, ROWS, Action, View

VIEW = View(
    "schedule",
    "schedule of a DAG",
    "console.screens.schedule:SchedulePane",
    10,
    LISTS | ROWS,
    (
        Action("schedule", "schedule", "What the DAG's schedule means in words, its next runs, and its gaps.", ("S",),
               ROWS, rank=13, why_not=possible.a_dag, opens="schedule"),
    ),
)  # fmt: skip
