"""Why a backfill stands, waits or was stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.backfills import BackfillCard
from console.view.why_backfills import why_backfill
from engine.model.moments import DAY, HOUR
from tests.support.console import NOW, dag, scene

CARD = BackfillCard(
    3, "etl", "running", NOW - 20 * DAY, NOW, "oldest", 2, "none", NOW - HOUR, "ada", 10, None, None, pending=6,
    running=2, success=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (CARD, ["It is running.", "6 dates wait: the next one starts when one of 2 runs has ended.", "ada asked"]),
        (replace(CARD, pending=0), ["It is complete when the 2 runs that are under way have ended."]),
        (replace(CARD, state="paused"), ["It is paused: nothing of it starts", "Resume: p"]),
        (replace(CARD, state="stopping", pending=0), ["It is cancelled when the 2 runs"]),
        (
            replace(CARD, state="stopped_by_failures", running=0, failed=2, success=2, ended_at=NOW),
            ["Failures have stopped it since", "with 6 dates left", "2 of its 10 dates failed", "retry failed (r)"],
        ),
        (replace(CARD, waits_for="not_during"), ["the time of the day in which nothing of it starts"]),
        (replace(CARD, waits_for="hold"), ["A hold keeps it"]),
        (replace(CARD, waits_for="dag_paused"), ["Its DAG is paused by ops since", "(moving)"]),
        (replace(CARD, waits_for="dag_broken"), ["The file etl.py does not load since"]),
        (replace(CARD, waits_for="dag_inactive"), ["The file of its DAG is gone"]),
        (
            replace(CARD, state="completed", pending=0, running=0, skipped=8, ended_at=NOW),
            ["8 were left alone"],
        ),
    ],
)
def test_a_backfill_says_what_it_waits_for_and_what_would_move_it(card: BackfillCard, words: list[str]) -> None:
    """Its state and since when, who holds it, what failed, and what comes next."""
    owner = dag("etl", file="etl.py", paused_by="ops", paused_at=NOW - HOUR, pause_reason="moving", broken_since=NOW)
    title, parts = why_backfill(scene(owner), card)
    text = " ".join(part for part, _ in parts)
    assert title == "Why: backfill 3 of etl"
    assert [word for word in words if word not in text] == []


def test_only_one_that_runs_promises_a_next_date() -> None:
    """Of one that is paused, stopped or waits for something nothing is said to start."""
    owner = dag("etl")
    for state in ("paused", "stopping", "stopped_by_failures", "completed"):
        _, parts = why_backfill(scene(owner), replace(CARD, state=state))
        assert not any("the next one starts" in text for text, _ in parts)
