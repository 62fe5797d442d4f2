"""`dagdeck schedule` says what the planner will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli


def test_runs_between_two_dates(cli: Cli) -> None:
    """Both ends are logical dates, naive ones in the zone of the schedule, and the run is due at its interval's end."""
    answer = cli(
        "schedule", "0 6 * * *", "--timezone", "Europe/Berlin", "--from", "2026-03-27", "--to", "2026-03-29T12:00",
        "--json",
    )  # fmt: skip
    assert answer.code == 0
    runs = answer.json["runs"]
    assert [run["logical_date"] for run in runs] == [
        "2026-03-27T05:00:00Z",
        "2026-03-28T05:00:00Z",
        "2026-03-29T04:00:00Z",
    ]
    assert runs[0]["run_after"] == runs[0]["data_interval_end"] == runs[1]["data_interval_start"]


def test_without_dates_the_next_due_run_comes_first(cli: Cli) -> None:
    """By default the list starts with the run that is due next, and has ten runs."""
    answer = cli("schedule", "*/5 * * * *", "--json")
    runs = answer.json["runs"]
    assert len(runs) == 10
    assert "every 5 minutes" in answer.json["words"]


def test_kind_trigger_is_due_at_its_point(cli: Cli) -> None:
    """A run of kind trigger is due at its logical date."""
    answer = cli("schedule", "@daily", "--kind", "trigger", "--from", "2026-01-01", "--count", "1", "--json")
    (run,) = answer.json["runs"]
    assert run["logical_date"] == run["run_after"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["0 66 * * *"], "66"),
        (["0 6 * * *", "--timezone", "Mars/Olympus"], "Mars/Olympus"),
        (["0 6 * * *", "--from", "tomorrow"], "tomorrow"),
        (["0 6 * * *", "--from", "2026-02-01", "--to", "2026-01-01"], "before"),
    ],
)
def test_what_cannot_be_read_is_named(cli: Cli, arguments: list[str], word: str) -> None:
    """A bad expression, zone or date is a usage error that names it."""
    answer = cli("schedule", *arguments)
    assert answer.code == 2
    assert word in answer.err


def test_text_shows_words_and_both_clocks(cli: Cli) -> None:
    """The table gives UTC and local time side by side."""
    answer = cli("schedule", "0 6 * * *", "--timezone", "Europe/Berlin", "--from", "2026-01-01", "--count", "1")
    assert "at 06:00 every day" in answer.out
    assert "2026-01-01T05:00:00Z" in answer.out
    assert "2026-01-01 06:00 CET" in answer.out


def test_points_and_intervals_stand_in_both_clocks(cli: Cli) -> None:
    """JSON has the points, and each run's interval and due time, in UTC and in the zone, over a change of clocks."""
    answer = cli(
        "schedule", "0 6 * * *", "--timezone", "Europe/Berlin", "--from", "2026-03-28", "--to", "2026-03-28T12:00",
        "--json",
    )  # fmt: skip
    assert answer.json["points"] == [
        {"utc": "2026-03-28T05:00:00Z", "local": "2026-03-28T06:00:00+01:00"},
        {"utc": "2026-03-29T04:00:00Z", "local": "2026-03-29T06:00:00+02:00"},
    ]
    (run,) = answer.json["runs"]
    assert run["data_interval_end_local"] == run["run_after_local"] == "2026-03-29T06:00:00+02:00"


def test_intervals_and_excluded_dates_can_be_asked_for(cli: Cli) -> None:
    """A fixed interval is counted from its start date, and excluded dates are left out, in words and in the list."""
    answer = cli("schedule", "every 36h", "--from", "2026-01-01", "--to", "2026-01-05", "--exclude", "01-04", "--json")
    assert [run["logical_date"] for run in answer.json["runs"]] == [
        "2026-01-01T00:00:00Z",
        "2026-01-02T12:00:00Z",
    ]
    assert "except on 4 January" in answer.json["words"]


def test_the_zone_is_that_of_the_home(cli: Cli, tmp_path: Path) -> None:
    """Without --timezone the expression is read in the zone of the home."""
    (tmp_path / "dagdeck.toml").write_text('timezone = "Asia/Tokyo"\n')
    answer = cli("--home", tmp_path, "schedule", "@daily", "--json")
    assert answer.json["timezone"] == "Asia/Tokyo"


def test_single_times_are_of_the_trigger_kind_by_themselves(cli: Cli) -> None:
    """Nothing lies between single times, so without --kind they are points; everything else is intervals."""
    answer = cli("schedule", "at 2027-01-01T06:00", "--from", "2026-01-01", "--json")
    assert (answer.json["kind"], len(answer.json["runs"])) == ("trigger", 1)
    assert cli("schedule", "@daily", "--json").json["kind"] == "interval"
