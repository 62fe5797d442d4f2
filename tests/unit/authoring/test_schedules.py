"""What the schedule arguments of a DAG become in its serialized form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.authoring.dag import DAG
from engine.authoring.exceptions import DefinitionError
from engine.authoring.loading import load_file
from engine.authoring.modules import modules_under
from engine.authoring.serialize import serialize
from engine.model.dag import ScheduleSpec
from tests.support.dag_files import write


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


HOLIDAYS = """# of 2026
12-25,Christmas
2026-04-03..2026-04-06  Easter
2026-05-01; Labour Day # not everywhere

"""


def test_left_out_dates_may_stand_in_a_file(tmp_path: Path) -> None:
    """Beside the DAG file, by themselves or among others; the file is then a part of the DAG's version."""
    (tmp_path / "holidays.txt").write_text(HOLIDAYS)
    source = """
        from dagdeck import DAG, shell
        for number, dates in enumerate(["holidays.txt", ["holidays.txt", "01-01"]]):
            with DAG(f"d{number}", schedule="@daily", exclude=dates):
                shell("t", "true")
    """
    file = write(tmp_path, "d.py", source)
    one, two = (serialize(dag, "d.py", "UTC").schedule.exclude for dag in load_file(file, tmp_path).values())
    assert one == ["12-25", "2026-04-03..2026-04-06", "2026-05-01"]
    assert two == ["01-01", *one]
    assert modules_under(str(tmp_path), str(file)) == ["d.py", "holidays.txt"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.txt", r"a file that can be read: none.txt: No such file"),
        ("../passwords", r"a file below dags/: ../passwords lies elsewhere"),
        ("bad.txt", r"bad.txt, line 2: 'Dec' is not a date such as 2026-12-25"),
        ("never.txt", r"never.txt, line 1: '2026-02-30' is not a date"),
    ],
)
def test_a_file_of_dates_that_cannot_be_used_is_refused(tmp_path: Path, name: str, words: str) -> None:
    """The error names the file, its line and the line of the DAG file."""
    (tmp_path / "bad.txt").write_text("12-25\nDec 25\n")
    (tmp_path / "never.txt").write_text("2026-02-30")
    file = write(tmp_path, "d.py", f"from dagdeck import DAG\nDAG('d', schedule='@daily', exclude='{name}')\n")
    with pytest.raises(DefinitionError, match=words) as caught:
        load_file(file, tmp_path)
    assert (caught.value.line, Path(caught.value.file)) == (2, file)


def test_left_out_dates_may_be_keys() -> None:
    """What maps dates to names, as calendars of holidays do, is a list of its dates."""
    assert schedule_of(schedule="@daily", exclude={date(2026, 12, 25): "Christmas"}).exclude == ["2026-12-25"]


def test_what_is_due_beside_a_run_under_way() -> None:
    """Overlap and grace are stored as given; by default runs queue."""
    made = schedule_of(schedule="@daily", overlap="skip", on_missed="skip", missed_grace="10m")
    assert (made.overlap, made.missed_grace) == ("skip", 600.0)
    assert schedule_of(schedule="@daily").overlap == "queue"
