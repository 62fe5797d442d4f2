"""One run."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, ROWS, RUN, Action, View

FOLD = Action(
    "fold", "fold", "Unfolds the indexes of a mapped task or a task group into rows, or folds them; marks other rows.",
    ("space",), frozenset({RUN}), rank=20,
)  # fmt: skip

_RUN = frozenset({RUN})
_DOING = "console.screens.run_doing"

LOOKS = (
    Action("task", "task", "The task instance, whole: attempts, durations against history, why, result, settings.",
           ("d",), _RUN, rank=64, why_not=possible.one_task, opens="task"),
    Action("boxes", "boxes", "The run's graph as boxes, or the table again; the arrows then move along its edges.",
           ("3", "D"), LISTS | ROWS, rank=28, why_not=possible.a_run),
    Action("gantt", "gantt", "The run's tasks as bars over time, or the table again.", ("4",), LISTS | ROWS, rank=27,
           why_not=possible.a_run),
    Action("run.left", "back, or upstream", "One level back; in the boxes to the task before.", ("h", "left"), _RUN),
    Action("run.right", "log, or downstream", "The log; in the boxes to the task after.", ("l", "right"), _RUN),
    Action("boxes.nearer", "sort, or fewer hops",
           "Sorts by the column before; in the boxes of a large graph only nearer neighbours.", ("<",), _RUN),
    Action("boxes.wider", "sort, or more hops",
           "Sorts by the next column; in the boxes of a large graph more neighbours.", (">",), _RUN),
    Action("part.larger", "more tries", "A line more for the tries below.", ("+",), _RUN),
    Action("part.smaller", "fewer tries", "A line less for them.", ("_",), _RUN),
)  # fmt: skip

VIEW = View(
    RUN,
    "run",
    "console.screens.run:RunPane",
    3,
    actions=(FOLD, *LOOKS),
    handlers={
        "fold": f"{_DOING}:fold",
        "boxes": f"{_DOING}:boxes",
        "gantt": f"{_DOING}:gantt",
        "run.left": f"{_DOING}:left",
        "run.right": f"{_DOING}:right",
        "part.larger": "console.screens.parts:larger",
        "part.smaller": "console.screens.parts:smaller",
        "boxes.nearer": f"{_DOING}:nearer",
        "boxes.wider": f"{_DOING}:wider",
    },
)
