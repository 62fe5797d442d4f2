"""All DAGs, and what needs a person."""

from __future__ import annotations

from console.actions.action import OVERVIEW, Action, View

VIEW = View(
    OVERVIEW,
    "overview",
    "console.screens.overview:OverviewPane",
    1,
    actions=(
        Action("sort", "sort", "Sorts the DAGs by name, state, last run, duration or next run.", ("s",),
               frozenset({OVERVIEW})),
    ),
    handlers={"sort": "console.screens.overview:choose_order"},
)  # fmt: skip
