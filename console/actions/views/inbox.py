"""What has failed and nobody has put right, by cause."""

from __future__ import annotations

from console.actions.action import LISTS, ROWS, Action, View

VIEW = View(
    "inbox",
    "failure inbox",
    "console.screens.inbox:InboxPane",
    8,
    LISTS | ROWS,
    (
        Action("inbox", "inbox", "What has failed and nobody has put right, by cause.", ("I",), LISTS, rank=55,
               opens="inbox"),
        Action("inbox.filter", "filter", "Shows only rows that hold the text; with ! at its start, only the others.",
               ("/",), frozenset({"inbox"}), rank=10),
    ),
    {"inbox.filter": "console.screens.doing:ask_filter"},
)  # fmt: skip
