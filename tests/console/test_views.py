"""The views of one task instance, of failures, and of what comes next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.backends.picture import Picture
from console.model.home import HomeCard
from console.model.snapshot import Interest, Page
from console.model.task_page import TaskPage, Took
from console.view import inbox, task, upcoming
from console.view.spans import plain, width_of
from engine.model.moments import DAY, HOUR, MINUTE, SECOND
from engine.store.reader import Reader
from tests.support.console import NOW, attempt, console, dag, mark, scene, trades, world
from tests.support.console_store import NOW as STORED_NOW
from tests.support.console_store import FilledHome
from tests.support.console_store import trades as trades_spec


async def test_a_task_is_shown_whole() -> None:
    """`d` in a run: its attempts, why it failed, durations against history, result, settings; Enter opens a log."""
    failed = trades("failed")
    load = failed.tasks[4]
    both = (load.attempts[0], attempt(2, "failed", error="the second error", failure_class="permanent"))
    failed = replace(
        failed,
        params='{"env": "prod"}',
        tasks=(*failed.tasks[:4], load._replace(attempts=both, attempt=2), failed.tasks[5]),
    )
    backend = world(failed)
    took = tuple(Took(NOW - n * DAY, (10 + n % 5) * SECOND) for n in range(60, 0, -1))
    backend.pages["task"] = lambda args: TaskPage(took, '{"rows": 500}', 13)
    backend.logs[both[0].id] = b"the first log\n"
    async with console(backend, (120, 50)) as screen:
        await screen.press("j", "enter", "d")
        assert screen.app.place.view == "task"
        assert "trades_us > 01:10–02:10 > load" in screen.lines()[1]
        for words in ("permanent  the second error", "why ─", "p50 12s", "of 60", '{"rows": 500}',
                      '{"env": "prod"}', "trigger rule  all_success", "2 attempts"):  # fmt: skip
            assert words in screen.text, words
        await screen.press("j", "enter")
        assert screen.app.place.view == "log" and screen.app.place.attempt == 1
        await screen.shows("the first log")
        await screen.press("escape")
        assert screen.app.place.view == "task"
        await screen.press("d")
        assert screen.app.place.view == "run"


async def test_the_inbox_lists_causes_with_their_instances() -> None:
    """`I`: one cause of two DAGs, each instance below it; the cause is rerun as a whole, an instance by itself."""
    other = replace(trades("up_for_retry", 8), mark=mark(8, "trades_eu", "running"))
    backend = world(trades("failed"), other)
    async with console(backend) as screen:
        await screen.press("I")
        assert "1 failed, 1 in retry, 1 cause" in screen.lines()[2]
        assert "ConnectionError: db-1:5432 refused" in screen.lines()[3] and "2 tasks in 2 DAGs" in screen.lines()[3]
        assert "✘ trades_us/load" in screen.text and "retry in 1:14" in screen.text
        target = screen.app.stage.front.target(screen.app.scene())
        assert target.attention is not None
        await screen.press("e")
        target = screen.app.stage.front.target(screen.app.scene())
        assert (target.run_id, target.task_id, target.attention) == ("trades_us@7", "load", None)
        await screen.press("/", *"eu", "enter")
        assert "1 in retry, 1 cause" in screen.lines()[2] and "failed" not in screen.lines()[2]
        await screen.press("/", *["backspace"] * 2, "enter", "j", "enter")
        assert screen.app.place.view == "run"


async def test_enter_on_a_cause_says_that_it_recovers_and_l_opens_the_newest() -> None:
    """The key line and the help name what Enter does on the row under the cursor; `l` goes to the newest's run."""
    backend = world(trades("failed"))
    backend.verbs = backend.verbs | {"recover"}
    async with console(backend) as screen:
        assert "enter recover" in screen.lines()[-1].replace("↵", "enter")
        await screen.press("l")
        assert (screen.app.place.view, screen.app.place.run_id) == ("run", "trades_us@7")
        assert "enter open" in screen.lines()[-1].replace("↵", "enter")
        await screen.press("escape", "enter")
        assert screen.app.place.view == "overview" and "Recover ── ConnectionError: db-1:5432 refused" in screen.text


async def test_what_comes_next_stands_in_its_order() -> None:
    """`U`: retries and due runs, soonest first, a heading for each other day; paused DAGs are not among them."""
    backend = world(trades("up_for_retry"))
    backend.put_dag(dag("daily", next_run_after=NOW + 30 * HOUR, next_logical=NOW + 6 * HOUR))
    backend.put_dag(dag("resting", paused_at=NOW))
    async with console(backend) as screen:
        await screen.press("U")
        lines = [line for line in screen.lines()[4:] if line]
        assert "trades_us/load" in lines[0] and "1:14" in lines[0] and "try 2 of 6" in lines[0]
        assert "trades_us " in lines[1] and "03:10:07" in lines[1] and "56:00" in lines[1]
        assert "23 Nov" in lines[2] and "daily" in lines[3] and "1d06h" in lines[3]
        assert "resting" not in screen.text
        assert screen.app.stage.front.target(screen.app.scene()).task_id == "load"


@pytest.mark.parametrize("width", [40, 79, 119, 199])
def test_hostile_and_long_content_stays_in_its_lines(width: int) -> None:
    """No line is wider than the view, whatever names and errors say."""
    failed = trades("failed")
    load = failed.tasks[4]._replace(last_error="x" * 500, attempts=(attempt(1, "failed", error="y" * 500),))
    failed = replace(failed, params="z" * 1000, tasks=(*failed.tasks[:4], load, failed.tasks[5]))
    page = TaskPage(tuple(Took(NOW - n, n * SECOND) for n in range(1, 120)), "r" * 3000, 3000)
    found = scene(dag("trades_us" * 10), detail=failed)
    lines = [spans for _, spans in task.rows(found, failed, load, page, width)]
    lines += [spans for _, spans in upcoming.rows(found, upcoming.coming(found), width)]
    assert all(width_of(line) <= width for line in lines)
    assert any("result" in plain(line) for line in lines)


def test_a_cause_with_very_many_instances_is_cut_and_says_so() -> None:
    """Two hundred are listed, the rest counted."""
    from console.model.dags import Failure

    many = tuple(Failure("d", n, f"d@{n}", "load", -1, "failed", "refused", NOW - n * MINUTE) for n in range(250))
    found = scene(failures=many)
    groups = inbox.groups(found.snapshot)
    lines = [plain(spans) for _, spans in inbox.rows(found, groups, 119)]
    assert len(lines) == 202 and "… and 50 more" in lines[-1]
    assert all(width_of(spans) <= 60 for _, spans in inbox.rows(found, groups, 60))


async def test_a_task_page_is_read_from_the_store(tmp_path: Path) -> None:
    """The durations of the task's successes, oldest first; no result where none was kept."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    await filled.put_dag(trades_spec())
    runs = []
    for day in (3, 2, 1):
        filled.now = STORED_NOW - day * DAY
        memory = await filled.start("trades_us", filled.now - HOUR)
        await filled.play(memory, took=day * SECOND)
        runs.append(memory.run)
    picture = Picture(Reader(filled.home.database), HomeCard("etl", "/srv"), lambda: STORED_NOW)
    page = picture.refresh(Interest(page=Page("task", (runs[-1].run_id, "load", -1)))).paged
    assert isinstance(page, TaskPage) and page.result_bytes is None
    assert [took.duration for took in page.took] == [3 * SECOND, 2 * SECOND, SECOND]
    assert picture.refresh(Interest(page=Page("task", ("nothing", "load", -1)))).paged == TaskPage()
    await filled.close()
