"""Backfills with their progress, and gaps."""

from __future__ import annotations

from console.actions import backfilling, possible
from console.actions.action import EVERYWHERE, LISTS, ROWS, Action, Danger, View

_HERE = frozenset({"backfills"})
_OPEN = ("running", "paused", "stopped_by_failures")

VIEW = View(
    "backfills",
    "backfills",
    "console.screens.backfills:BackfillsPane",
    8,
    LISTS,
    (
        Action("backfills", "backfills", "All backfills with their progress, and intervals that were left out.", ("8",),
               EVERYWHERE, rank=11, opens="backfills"),
        Action("backfill", "backfill", "Runs a range of dates of the DAG: a plan first; on a gap fills it.", ("b",),
               ROWS | _HERE, Danger.CHANGES, "backfill_create", 36,
               possible.change("backfill_create", possible.a_live_dag), backfilling.create, group="change"),
        Action("backfill.pause", "pause", "Starts nothing more of the backfill, or goes on with it.", ("p",), _HERE,
               Danger.CHANGES, None, 60, possible.change("backfill_pause", backfilling.a_backfill(*_OPEN)),
               backfilling.pause, backfilling.pause_label, group="change"),
        Action("backfill.cancel", "cancel", "Drops what has not started; if wanted also ends what runs.", ("x",), _HERE,
               Danger.KILLS, "backfill_cancel", 58,
               possible.change("backfill_cancel", backfilling.a_backfill(*_OPEN)), backfilling.cancel,
               group="change"),
        Action("backfill.retry", "retry failed", "Runs what failed of the backfill again.", ("r",), _HERE,
               Danger.CHANGES, "backfill_retry", 62,
               possible.change("backfill_retry", backfilling.with_failures), backfilling.retry, group="change"),
    ),
)  # fmt: skip
