"""How long the runs and tasks of a DAG take."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, ROWS, Action, View

VIEW = View(
    "durations",
    "durations of a DAG",
    "console.screens.durations:DurationsPane",
    9,
    LISTS,
    (
        Action("durations", "durations", "How long the DAG's runs and tasks take and wait, and whether that changes.",
               ("%",), LISTS | ROWS, rank=8, why_not=possible.a_dag, opens="durations"),
        Action("durations.backfills", "with backfills", "Counts the runs of backfills as well, or leaves them out.",
               (",",), frozenset({"durations"}), rank=48),
    ),
    {"durations.backfills": "console.screens.durations:backfills"},
)  # fmt: skip
