"""What has failed and nobody has put right, by cause."""

from __future__ import annotations

from console.actions.action import EVERYWHERE, LISTS, ROWS, Action, View

VIEW = View(
    "inbox",
    "failure inbox",
    "console.screens.inbox:InboxPane",
    8,
    LISTS | ROWS,
    (
        Action("inbox", "inbox", "What has failed and nobody has put right, by cause.", ("I",), EVERYWHERE, rank=55,
               opens="inbox"),
    ),
)  # fmt: skip
