"""The grid of one DAG: runs and tasks."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, ROWS, Action, View

_GRID = frozenset({"grid"})

VIEW = View(
    "grid",
    "grid of a DAG",
    "console.screens.grid:GridPane",
    2,
    LISTS | ROWS,
    (
        Action("grid.list", "list of runs", "The same runs as a list.", ("2",), _GRID, rank=30, opens="dag"),
        Action("grid", "grid", "All runs of the DAG beside its tasks: a cell for each.", ("2",), LISTS | ROWS, rank=30,
               why_not=possible.a_dag, opens="grid"),
        Action("grid.older", "earlier run", "One run to the left.", ("h", "left"), _GRID),
        Action("grid.newer", "later run", "One run to the right.", ("l", "right"), _GRID),
        Action("grid.page_older", "earlier runs", "A page to the left.", ("<",), _GRID),
        Action("grid.page_newer", "later runs", "A page to the right.", (">",), _GRID),
        Action("grid.oldest", "oldest run", "To the first column.", ("0",), _GRID),
        Action("grid.newest", "newest run", "To the last column.", ("$",), _GRID),
        Action("grid.order", "order", "Says how runs and tasks are ordered: a grid has no columns to sort.", ("s",),
               _GRID),
    ),
    {
        "grid.older": "console.screens.grid:older",
        "grid.newer": "console.screens.grid:newer",
        "grid.page_older": "console.screens.grid:page_older",
        "grid.page_newer": "console.screens.grid:page_newer",
        "grid.oldest": "console.screens.grid:oldest",
        "grid.newest": "console.screens.grid:newest",
        "grid.order": "console.screens.grid:order",
    },
)  # fmt: skip
