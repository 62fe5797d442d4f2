"""The run as text: graph and tasks on the same rows, attempts below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.eta import eta
from console.model.intents import Intent, Intents
from console.model.runs import Mention, RunDetail, TaskCard, Usual
from console.view.attempts import attempt_rows
from console.view.run import RunRows
from console.view.run_title import summary, title
from console.view.spans import plain, width_of
from console.view.why import why_task
from engine.model.moments import MINUTE, SECOND
from tests.support.console import NOW, PLANS, attempt, mark, plan, run, scene, task, trades


def rows(detail: RunDetail, width: int, **more: object) -> list[str]:
    """The run's rows as text."""
    found = RunRows(scene(detail=detail, **more), detail)
    return [plain(found.row(at, width)) for at in range(len(found))]


def test_a_narrow_run() -> None:
    """At 80 columns graph, task, state, tries, time, the 95th percentile and what it waits for remain."""
    assert rows(trades(), 79) == [
        "graph  task          state                 try    time     p95  waits for",
        "✓─╮    extract       ✓                       1    8.0s     14s",
        "✓ │    clean_orders  ✓                       1    8.0s     14s",
        "│ ✓    clean_users   ✓                       1    8.0s     14s",
        "✓─╯    join          ✓                       1    8.0s     14s",
        "↻      load          ↻ try 2 of 6 in 1:14    1    8.0s     14s  retry",
        "·      report        .                                     14s  load".replace("·", "."),
    ]


def test_a_wide_run_has_all_figures() -> None:
    """At 120 columns queue, processor and memory are there too, all figures right-aligned."""
    found = rows(trades(), 119)
    assert found[0] == (
        "graph  task          state                   try     time     p50     p95   queue     cpu    mem  waits for"
    )
    assert found[5] == (
        "↻      load          ↻ try 2 of 6 in 1:14      1     8.0s     11s     14s   1m00s    3.1s    83M  retry"
    )


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (task(1, "extract", "success", attempt=3, attempts=(attempt(3),)), "✓ after 3 tries"),
        (task(1, "extract", "failed", attempt=2), "✘ failed after 2 tries"),
        (task(1, "extract", "killing", then_state="none"), "! killing > none"),
        (task(1, "extract", "killing", then_state="failed"), "! killing > failed"),
        (task(1, "extract", "scheduled", blockers=("pool:db", "engine_slots")), "pool db, then engine slots"),
        (task(1, "extract", "up_for_retry", attempt=1, retry_at=NOW - SECOND, max_tries=2), "↻ try 2 of 2 now"),
        (task(1, "extract", "skipped"), "» skipped"),
        (task(1, "extract", "from_the_future"), "? from the future"),
    ],
)
def test_a_state_in_words(card: TaskCard, words: str) -> None:
    """The glyph says the state, the words what it does not say; a state of a newer engine is shown as it is called."""
    detail = run(mark(1, "a", "running"), (plan("extract"),), (card,))
    assert words in rows(detail, 159)[1]


def test_a_running_task_is_judged_by_what_is_usual() -> None:
    """Its time ticks in whole seconds, and once it is clearly over its 95th percentile it says by how much."""
    found = rows(trades("running"), 119)[5]
    assert "► running" in found and "25s" in found and found.endswith("1.7× p95")


def test_what_was_asked_for_and_who_changed_what() -> None:
    """An intent follows the true state; what another person changed bears the name for five minutes."""
    intents = Intents().add(Intent("c1", "kill", "kill requested", frozenset({("trades_us@7", "load", -1)}), NOW))
    assert "► ⟶ kill requested" in " ".join(rows(trades("running"), 159, intents=intents)[5].split())
    detail = trades("none")
    cleared = detail.tasks[4]._replace(mention=Mention("ops2", "clear", NOW - 2 * MINUTE))
    detail = replace(detail, tasks=(*detail.tasks[:4], cleared, detail.tasks[5]))
    assert "cleared by ops2 02:12" in rows(detail, 159)[5]
    old = cleared._replace(mention=Mention("ops2", "clear", NOW - 6 * MINUTE))
    assert "ops2" not in rows(replace(detail, tasks=(*detail.tasks[:4], old, detail.tasks[5])), 159)[5]


@pytest.mark.parametrize("verb", ["clear", "rerun", "retry", "recover"])
def test_a_task_that_failed_again_says_why_before_who_let_it_run_again(verb: str) -> None:
    """At 80 columns the error has the room; a person who stopped a task stays before what that left as an error."""
    failed = task(1, "load", "failed", last_error="timed out after 2 s", mention=Mention("ops2", verb, NOW - MINUTE))
    again = run(mark(1, "a", "failed"), (plan("load"),), (failed,))
    assert "✘ failed                1" in rows(again, 79)[1] and " timed out after" in rows(again, 79)[1]
    killed = failed._replace(mention=Mention("ops2", "kill", NOW - MINUTE))
    assert "stopped by ops2" in rows(replace(again, tasks=(killed,)), 79)[1]


def test_the_title_names_the_run_absolutely_and_how_it_goes() -> None:
    """DAG, type, interval and, where there is room, logical date on the left; state, estimate, version on the right."""
    detail = trades()
    left, right = title(scene(detail=detail), detail, 130, (NOW + 4 * MINUTE, NOW + 6 * MINUTE))
    assert plain(left) == " trades_us > scheduled 01:10–02:10  (logical 2026-11-22 01:10)"
    narrow, _ = title(scene(detail=detail), detail, 120, (NOW + 4 * MINUTE, NOW + 6 * MINUTE))
    assert plain(narrow) == " trades_us > scheduled 01:10–02:10"
    assert plain(right) == "► running 4m00s   p95 1m22s   ETA 02:18–02:20   version 17"
    assert plain(summary(scene(detail=detail), detail)) == "6 tasks  4✓ 1↻ 1."


def test_the_lines_of_the_task_under_the_cursor_are_brighter() -> None:
    """What leads to it and on from it is drawn in the accent colour, other branches stay dim."""
    detail = trades()
    found = RunRows(scene(detail=detail), detail, None, ("task", "clean_users", -1))
    assert ("│", "accent") in found.row(2, 119)
    other = RunRows(scene(detail=detail), detail, None, ("task", "clean_orders", -1))
    assert ("│", "accent") not in other.row(2, 119)


def test_attempts_are_listed_with_the_try_to_come_and_its_arithmetic() -> None:
    """Each try with its times, its class and its error; the next one with when and why then."""
    detail = trades()
    third = attempt(3, "failed", error="ConnectionError: db-1:5432 refused", failure_class="transient")
    ended = third.ended_at or 0
    card = detail.tasks[4]._replace(attempt=3, attempts=(third,), retry_at=ended + 2 * MINUTE)
    lines = [plain(line) for line in attempt_rows(scene(detail=detail), detail, card, PLANS[4], 119, 5)]
    assert lines == [
        "try  3  ✘ 02:07:07 > 02:07:15     8.0s     3.1s   83M  transient  ConnectionError: db-1:5432 refused",
        "try  4  ↻ 02:09:15                0:00  after 2m00s (30s × 2^2)",
        "shell   pool default   5 retries",
    ]


def test_a_task_that_has_not_started_says_what_it_waits_for() -> None:
    """Where there is no attempt yet, the panel says so, and how the task is set up."""
    detail = trades()
    lines = [plain(line) for line in attempt_rows(scene(detail=detail), detail, detail.tasks[5], PLANS[5], 119, 5)]
    assert lines[0] == "not started   waits for load"


def test_instances_that_the_version_no_longer_has_are_still_shown() -> None:
    """A task that is gone from the DAG keeps its row, without a place in the graph."""
    detail = run(mark(1, "a"), (plan("extract"),), (task(1, "extract"), task(2, "gone", "removed")))
    assert rows(detail, 119)[2].split() == ["0", "gone", "0", "removed", "11s", "14s"]


def test_the_estimate_follows_the_longest_path() -> None:
    """What is left of the slowest chain, from now or from its retry; without figures there is no estimate."""
    detail = trades("running")
    assert eta(detail, NOW) == (NOW + 11 * SECOND, NOW + 14 * SECOND)
    waiting = trades()
    assert eta(waiting, NOW) == (NOW + (74 + 22) * SECOND, NOW + (74 + 28) * SECOND)
    unknown = replace(detail, tasks=tuple(card._replace(usual=Usual(None, None, 2)) for card in detail.tasks))
    assert eta(unknown, NOW) is None
    assert eta(trades("success"), NOW) is None


@pytest.mark.parametrize("width", [40, 60, 79, 99, 119, 139, 159, 220])
def test_every_row_fits_its_width(width: int) -> None:
    """Also with a graph of many lanes, long names and wide characters."""
    name = "漢字" * 60
    many = [f"{name}{n}" for n in range(20)]
    plans = (*map(plan, many), plan("end", *many))
    cards = tuple(task(n, each.task_id, "failed", last_error=name) for n, each in enumerate(plans))
    detail = run(mark(1, name, "running"), plans, cards, note=name)
    found = RunRows(scene(detail=detail), detail)
    assert all(width_of(found.row(at, width)) <= width for at in range(len(found)))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("up_for_retry", ["It waits for its retry: try 2 of 6 at 02:15:21 (in 1:14).", "retry now (r)"]),
        ("failed", ["ConnectionError: db-1:5432 refused", "The log (L) opens at its first error."]),
        ("running", ["It has run for 25s.", "Usually it takes 11.0s (p50) to 14.0s (p95), of 40."]),
    ],
)
def test_why_is_told_in_sentences(state: str, words: list[str]) -> None:
    """What it waits for and until when, or what it failed of, and what an operator could do."""
    detail = trades(state)
    _, parts = why_task(scene(detail=detail), detail, detail.tasks[4])
    text = "\n".join(part for part, _ in parts)
    assert all(word in text for word in words)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("exit", "Its process ended well."),
        ("expanded", "It is mapped: its state sums up those of its indexes."),
        ("unanswered", "Nobody answered in time, so its default was taken."),
    ],
)
def test_why_of_a_success_is_a_sentence(reason: str, words: str) -> None:
    """What ended well says how, and no bare code."""
    detail = trades()
    card = detail.tasks[0]._replace(state="success", reason=reason)
    assert why_task(scene(detail=detail), detail, card)[1][0][0] == words


def test_why_below_a_mapped_task_goes_by_its_summary() -> None:
    """One index of it has failed, the last one has not: what hangs on it names it, and calls it by its own state."""
    tasks = (
        task(1, "load", "failed", reason="expanded"),
        task(2, "load", "failed", map_index=0),
        task(3, "load", "success", map_index=1),
        task(4, "publish", "upstream_failed"),
    )
    detail = run(mark(1, "a", "failed"), (plan("load"), plan("publish", "load")), tasks)
    assert why_task(scene(detail=detail), detail, tasks[-1])[1][0][0] == "It never ran: load failed."


def test_why_of_a_mapped_task_names_the_indexes_that_failed() -> None:
    """The row that sums up a mapped task says how many of its indexes failed, which, and of what."""
    detail = trades("failed")
    load = detail.tasks[4]
    summary = load._replace(attempts=(), attempt=0, reason="expanded", last_error=None)
    indexes = tuple(load._replace(id=900 + at, map_index=at, last_error=f"no file {at}") for at in range(12))
    well = load._replace(id=999, map_index=12, state="success")
    detail = replace(detail, tasks=(*detail.tasks[:4], summary, *indexes, well, *detail.tasks[5:]))
    texts = [text for text, _ in why_task(scene(detail=detail), detail, summary)[1]]
    assert texts[0] == "12 of 13 indexes failed." and texts[1] == f"{indexes[0].name}: no file 0"
    assert "… and 2 more" in texts and not any("load[12]" in text for text in texts)


def test_the_picture_of_the_structure_is_kept_while_it_lasts() -> None:
    """A new scene of the same run lays nothing out again."""
    detail = trades()
    first = RunRows(scene(detail=detail), detail)
    changed = replace(detail, tasks=(*detail.tasks[:5], detail.tasks[5]._replace(state="running")))
    assert RunRows(scene(detail=changed), changed, first).frame is first.frame
    other = replace(changed, plan=PLANS[:5], tasks=changed.tasks[:5])
    assert RunRows(scene(detail=other), other, first).frame is not first.frame


def test_a_filtered_run_is_looked_through_once_for_each_picture_of_it() -> None:
    """Frames follow each other several times a second, also while nothing of a run of ten thousand tasks changes."""
    detail = trades()
    first = RunRows(scene(detail=detail), detail)
    again = RunRows(scene(detail=detail), detail, first, ("task", "load", -1))
    changed = replace(detail, tasks=(*detail.tasks[:5], detail.tasks[5]._replace(state="running")))
    other = RunRows(scene(detail=changed), changed, first)
    assert all(one is two for one, two in zip(first.whole, again.whole, strict=True))
    assert any(one is not two for one, two in zip(first.whole, other.whole, strict=True))
