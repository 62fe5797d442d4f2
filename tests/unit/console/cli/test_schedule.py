"""`dagdeck schedule` says what the planner will do."""

from __future__ import annotations

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
    assert runs[0]["run_after"] == runs[0]["interval_end"] == runs[1]["interval_start"]


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
