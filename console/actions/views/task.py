"""One task instance."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, ROWS, Action, View

_TASK = frozenset({"task"})

VIEW = View(
    "task",
    "task instance",
    "console.screens.task:TaskPane",
    4,
    LISTS | ROWS,
    (
        Action("task.log", "log", "The log of the attempt under the cursor, at its first error if it failed.",
               ("enter", "l", "right", "L", "5"), _TASK, rank=90, why_not=possible.a_log, opens="log"),
        Action("task.back", "back", "Back to the run.", ("d",), _TASK),
    ),
    {"task.back": "console.screens.doing:back"},
)  # fmt: skip
