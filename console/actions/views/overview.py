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
        Action("sort.next", "sort by the next", "Sorts by the next of these.", (">",), frozenset({OVERVIEW})),
        Action("sort.previous", "sort by the one before", "Sorts by the one before.", ("<",), frozenset({OVERVIEW})),
    ),
    handlers={
        "sort": "console.screens.overview:choose_order",
        "sort.next": "console.screens.parts:sort_next",
        "sort.previous": "console.screens.parts:sort_previous",
    },
)  # fmt: skip
