"""What the schedule arguments of a DAG become in its serialized form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.authoring.dag import DAG
from engine.authoring.serialize import serialize
from engine.model.dag import ScheduleSpec


def schedule_of(**options: Any) -> ScheduleSpec:
    """The serialized schedule of a DAG."""
    return serialize(DAG("d", **options), "d.py", "Europe/Berlin").schedule


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0 6 * * *", "0 6 * * *"),
        ("every 2 weeks", "every 2 weeks"),
        (timedelta(minutes=15), "every 15m"),
        (timedelta(days=1, minutes=90, seconds=1), "every 25h30m1s"),
        (["0 6 * * 1-5", "0 9 * * 6"], "0 6 * * 1-5; 0 9 * * 6"),
        (["0 6 * * *", timedelta(hours=1)], "0 6 * * *; every 1h"),
        (datetime(2026, 11, 22, 6), "at 2026-11-22T06:00:00"),
        (
            [datetime(2026, 11, 22, 6), datetime(2026, 11, 23, tzinfo=UTC)],
            "at 2026-11-22T06:00:00, 2026-11-23T00:00:00+00:00",
        ),
    ],
)
def test_schedules_are_written_as_text(given: Any, written: str) -> None:
    """Text stays; a timedelta is elapsed time, datetimes are single times, and a list is all of them together."""
    assert schedule_of(schedule=given).expression == written


@pytest.mark.parametrize("given", ["@once", datetime(2026, 11, 22, 6), "at 2026-11-22; @once"])
def test_single_times_are_of_the_trigger_kind(given: Any) -> None:
    """Single times have no interval between them to cover, so they are of the trigger kind unless it is said."""
    assert schedule_of(schedule=given).kind == "trigger"
    assert schedule_of(schedule=given, kind="interval").kind == "interval"
    assert schedule_of(schedule="@daily").kind == "interval"


@pytest.mark.parametrize(
    ("given", "stored"),
    [(True, ("all", None)), (False, ("none", None)), ("latest", ("latest", None)), ("7d", ("all", 604_800.0))],
)
def test_catchup_may_be_a_window(given: Any, stored: tuple[str, float | None]) -> None:
    """Catch-up is one of three words, or everything as far back as a duration."""
    made = schedule_of(schedule="@daily", catchup=given)
    assert (made.catchup, made.catchup_window) == stored


def test_left_out_dates_are_texts() -> None:
    """Dates and texts may be mixed; each is kept once, in order."""
    made = schedule_of(schedule="@daily", exclude=[date(2026, 12, 26), "12-25", "2026-12-26"], day_and=True)
    assert (made.exclude, made.day_and) == (["12-25", "2026-12-26"], True)


def test_what_is_due_beside_a_run_under_way() -> None:
    """Overlap and grace are stored as given; by default runs queue."""
    made = schedule_of(schedule="@daily", overlap="skip", on_missed="skip", missed_grace="10m")
    assert (made.overlap, made.missed_grace) == ("skip", 600.0)
    assert schedule_of(schedule="@daily").overlap == "queue"
