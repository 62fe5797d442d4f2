"""Runs that are due, and retries that wait, in their order."""

from __future__ import annotations

from console.actions.action import EVERYWHERE, LISTS, ROWS, Action, View

VIEW = View(
    "upcoming",
    "upcoming runs",
    "console.screens.upcoming:UpcomingPane",
    9,
    LISTS | ROWS,
    (
        Action("upcoming", "upcoming", "Runs that are due, and retries that wait, in their order.", ("U",), EVERYWHERE,
               rank=12, opens="upcoming"),
    ),
)  # fmt: skip
