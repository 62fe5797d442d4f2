"""Words for states, moments and waits."""

from __future__ import annotations

import pytest

from console.model.asks import EffectCard, PreviewCard
from console.text import wrap
from console.view.dialogs import preview_body, preview_summary
from console.view.spans import plain
from console.view.words import (
    ago_words,
    blocker_words,
    counts_words,
    interval_words,
    logical_words,
    moment_words,
    took_words,
    until_words,
    usual_words,
)
from engine.model.moments import DAY, HOUR, MINUTE, SECOND, from_iso
from tests.support.console import NOW


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-22T01:10", "2026-11-22T02:10", "01:10–02:10"),
        ("2026-11-21T00:00", "2026-11-22T00:00", "21 Nov 2026"),
        ("2026-11-21T00:00", "2026-11-28T00:00", "21 Nov – 27 Nov 2026"),
        ("2026-11-21T23:30", "2026-11-22T00:30", "21 Nov 23:30 – 22 Nov 00:30"),
        ("2026-11-21T23:30", "2026-11-21T23:30", "2026-11-21 23:30"),
    ],
)
def test_an_interval_is_told_as_shortly_as_it_can_be(start: str, end: str, words: str) -> None:
    """Hours within a day, a day by its date, several days by both, an empty one by its moment."""
    assert interval_words(from_iso(start), from_iso(end)) == words


def test_a_day_in_a_zone_is_that_zones_day() -> None:
    """A Berlin day of 23 hours is still one day."""
    zone = "Europe/Berlin"
    start, end = from_iso("2026-03-29T00:00", zone), from_iso("2026-03-30T00:00", zone)
    assert interval_words(start, end, zone) == "29 Mar 2026"
    assert logical_words(start, zone) == "2026-03-29 00:00"


def test_future_and_past_moments_have_one_form_each() -> None:
    """Within a day the time and how far away it is; after it the date; and `due` once it has passed."""
    assert until_words(NOW + 56 * MINUTE, NOW) == "03:10  56m"
    assert until_words(NOW + 9 * DAY, NOW) == "1 Dec  02:14"
    assert until_words(NOW - MINUTE, NOW) == "02:13  due"
    assert moment_words(NOW - HOUR, NOW) == "01:14"
    assert moment_words(NOW - 2 * DAY, NOW) == "20 Nov 02:14"


def test_ages_change_only_with_the_minute() -> None:
    """Two moments of one minute read the same."""
    assert ago_words(NOW - 42 * MINUTE, NOW) == ago_words(NOW - 42 * MINUTE, NOW + 40 * SECOND) == "41m"
    assert ago_words(NOW, NOW + SECOND) == "<1m"


def test_short_durations_are_in_milliseconds() -> None:
    """Below a second tenths would say nothing; from ten seconds on they are noise in a percentile."""
    assert (took_words(24_500), took_words(1_240_000), usual_words(12_400_000)) == ("24ms", "1.2s", "12s")


def test_waits_are_named() -> None:
    """Upstream tasks by name, pools by name, limits by what they limit, unknown codes as they are."""
    assert blocker_words(("upstream",), ["load"]) == "load"
    assert blocker_words(("pool:db", "max_active_runs", "new_rule")) == (
        "pool db, then active runs of the DAG, then new rule"
    )
    assert plain(counts_words({"none": 2, "success": 5, "up_for_retry": 1})) == "5✓ 1↻ 2."


def test_a_preview_lists_its_rows_and_says_how_many_are_left() -> None:
    """State before and after with their signs; of rows that are not here, how many."""
    rows = (
        EffectCard("task", "trades_us", "trades_us@7", "load", -1, "failed", "none", "runs again, new budget", False),
        EffectCard("task", "trades_us", "trades_us@7", "report", 3, "running", "cancelled", "killed first", True),
        EffectCard("dag", "trades_us", None, None, -1, "active", "new run", "8 tasks", False),
    )
    preview = PreviewCard(
        "p1", 1, "clear", "4 task instances", 4, {"failed": 3, "running": 1}, rows, None, 1, 0, ("!",)
    )
    lines = [plain(line) for line in preview_body(preview, 100)]
    assert lines == [
        " trades_us@7 / load       ✘ failed  > runs again, new budget",
        " trades_us@7 / report[3]  ► running > x cancelled  killed first",
        " trades_us                active  > new run  8 tasks",
        "  … and 1 more",
    ]
    assert [plain(line) for line in preview_summary(preview, 100)] == ["4 task instances.", "now: 1► 3✘", "!"]


def test_where_words_of_a_preview_need_a_line_of_their_own_the_arrow_stands_before_them() -> None:
    """At 80 columns no row ends in an arrow to nothing; a row that stays as it is and has no words has no arrow."""
    name = "consolidated_trades_of_the_day@20261122T010000Z"
    rows = (
        EffectCard("task", "d", name, "load_everything", -1, "upstream_failed", "none", "runs again now", False),
        EffectCard("task", "e", "e@1", "other", -1, "failed", "none", "", False),
    )
    lines = [plain(line) for line in preview_body(PreviewCard("p1", 1, "clear", "2", 2, {}, rows), 60)]
    assert lines[1] == "    > runs again now" and lines[2].endswith("failed")
    assert not [line for line in lines if line.endswith(">")]
    rows = (rows[0]._replace(detail="runs again now, with a new budget of six tries"), rows[1])
    wide = [plain(line) for line in preview_body(PreviewCard("p1", 1, "clear", "2", 2, {}, rows), 92)]
    assert wide[0].startswith(f" {name} / load_everything "), "words that have a line of their own leave room for names"


def test_runs_of_a_preview_are_told_apart_by_their_dates() -> None:
    """However long the DAG's name: it is what is cut, and only where the row has no room; no two rows look alike."""
    name = "nightly_warehouse_load_of_all_regions"
    runs = tuple(EffectCard("run", name, f"{name}@2026111{at}T000000Z", None, -1, "none", "new run", "", False)
                 for at in range(7))  # fmt: skip
    backfill = [plain(line) for line in preview_body(PreviewCard("p1", 1, "backfill", "7", 7, {}, runs), 90)]
    assert all(f" {name}@2026111{at}T000000Z " in line for at, line in enumerate(backfill))
    narrow = [plain(line) for line in preview_body(PreviewCard("p1", 1, "backfill", "7", 7, {}, runs), 72)]
    assert all(f"@2026111{at}T000000Z " in line and max(map(len, narrow)) <= 72 for at, line in enumerate(narrow))
    paused = EffectCard("run", "stubborn", "stubborn_dag@20261123T031425Z~gkssqc", None, -1, "running", "paused",
                        "nothing more of it starts", False)  # fmt: skip
    pause = [plain(line) for line in preview_body(PreviewCard("p1", 1, "pause", "1", 1, {}, (paused,)), 72)]
    assert pause == [" stubborn_dag@20261123T031425Z~gkssqc  ► running > p paused", "    nothing more of it starts"]
    tasks = tuple(row._replace(task_id="quality", state="failed", detail="goes first: KeyError: 'price'")
                  ._replace(kind="task") for row in runs)  # fmt: skip
    recover = [plain(line) for line in preview_body(PreviewCard("p1", 1, "recover", "7", 7, {}, tasks), 72)]
    assert all(f"@2026111{at}T000000Z / quality " in line for at, line in enumerate(recover[::2]))


def test_text_is_wrapped_between_words_and_keeps_its_indent() -> None:
    """Long words are broken, an indented line stays indented, an empty one stays."""
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("  a b", 4) == ["  a", "  b"] or wrap("  a b", 4) == ["  a b"[:4], "  b"]
    assert wrap("", 4) == [""]
