"""The log's view: what finds, narrows, compares and copies."""

from __future__ import annotations

import base64
from dataclasses import replace

from pytest import MonkeyPatch

from console.model.runs import GoodAttempt, RunDetail
from console.screens import log_search
from console.screens.wayfinding import visit
from tests.support.console import LOGICAL, console, trades, world


def tried(times: int, *indexes: int) -> RunDetail:
    """A run whose `load` has failed so many times, in one instance or mapped."""
    failed = trades("failed")
    load = failed.tasks[4]
    cards = []
    for at, index in enumerate(indexes or (-1,)):
        attempts = tuple(load.attempts[0]._replace(id=f"01J{index + 2}{n:022d}", number=n) for n in range(1, times + 1))
        cards.append(load._replace(id=load.id + 100 * at, map_index=index, attempt=times, attempts=attempts))
    return replace(failed, tasks=(*failed.tasks[:4], *cards, *failed.tasks[5:]))


def summed_up(failed: RunDetail) -> RunDetail:
    """The same with the row that sums the mapped task up, as a run has it."""
    first = failed.tasks[4]
    summary = first._replace(id=first.id + 900, map_index=-1, attempt=0, attempts=(), reason="expanded")
    return replace(failed, tasks=(*failed.tasks[:4], summary, *failed.tasks[4:]))


async def test_the_log_of_a_mapped_task_is_that_of_the_index_that_failed_first() -> None:
    """A mapped task as a whole has no attempts: its log is an index's, and the next error goes on from there."""
    failed = tried(1, 0, 1, 2)
    fine = failed.tasks[4]._replace(state="success")
    failed = summed_up(replace(failed, tasks=(*failed.tasks[:4], fine, *failed.tasks[5:])))
    backend = world(failed)
    for card in failed.tasks[5:8]:
        backend.logs[card.attempts[0].id] = b"fine\n" if card.map_index == 0 else b"KeyError: %d\n" % card.map_index
    async with console(backend) as screen:
        visit(screen.app, f"log/{failed.mark.dag_id}@{failed.mark.run_id.partition('@')[2]}/load")
        await screen.shows("KeyError: 1")
        assert "load[1]" in screen.lines()[1]
        await screen.press("e")
        await screen.shows("KeyError: 2")


async def test_a_log_that_grows_keeps_its_count_of_lines(monkeypatch: MonkeyPatch) -> None:
    """What the newest bytes of a growing log hold is told once it is counted; until then the last count stands."""
    failed = tried(1)
    backend = world(failed)
    attempt = failed.tasks[4].attempts[0].id
    backend.logs[attempt] = b"one line\n" * 500
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("500 lines")
        monkeypatch.setattr("console.screens.log_numbers.LineCount.advance", lambda self, count: None)
        backend.logs[attempt] += b"one line\n" * 300
        lines = screen.app.stage.log_pane.lines
        await screen.until(lambda: lines is not None and lines.size == 7200, "it has grown")
        assert "500 lines" in screen.lines()[2], screen.lines()[2]


async def test_the_page_of_a_mapped_task_says_where_its_attempts_are() -> None:
    """A mapped task as a whole was not `not started`: its indexes have the attempts."""
    failed = summed_up(tried(1, 0, 1))
    async with console(world(failed)) as screen:
        visit(screen.app, f"task/{failed.mark.dag_id}@{failed.mark.run_id.partition('@')[2]}/load")
        await screen.shows("mapped: each index has its own")
        assert "2 of 2 indexes failed." in screen.text and "not started" not in screen.text


async def test_what_never_ran_says_that_it_has_no_log() -> None:
    """The log of a task that its upstream kept from running is not waited for."""
    failed = trades("failed")
    never = failed.tasks[4]._replace(state="upstream_failed", attempt=0, attempts=())
    failed = replace(failed, tasks=(*failed.tasks[:4], never, *failed.tasks[5:]))
    async with console(world(failed)) as screen:
        visit(screen.app, f"log/{failed.mark.dag_id}@{failed.mark.run_id.partition('@')[2]}/load")
        await screen.shows("it has not run: there is no log")
        assert "nothing is written yet" not in screen.text


async def test_a_run_that_is_not_there_has_no_log_and_says_so() -> None:
    """An address of no run shows none of the lines that stood there before, and says that there is no such run."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"a line of another log\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("a line of another log")
        for view in ("log", "run", "task"):
            visit(screen.app, f"{view}/{failed.mark.dag_id}@nothing/load")
            await screen.shows(f"there is no run {failed.mark.dag_id}@nothing")
            assert "a line of another log" not in screen.text


async def test_only_matching_lines_are_shown_and_all_of_them_again() -> None:
    """`&` narrows the log to a text, `!` to the rest, with true line numbers; nothing typed shows all of it."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"".join(b"line %d of many\n" % n for n in range(500))
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "&", *"9 of", "enter")
        await screen.shows("&9 of  50")
        shown = [line for line in screen.lines() if "of many" in line]
        assert shown and all("9 of many" in line for line in shown)
        assert shown[-1].split()[:3] == ["500", "line", "499"]
        await screen.press("&", *["backspace"] * 4, *"!9 of", "enter")
        await screen.shows("&!9 of  450")
        await screen.press("&", *["backspace"] * 5, "enter")
        await screen.until(lambda: "&" not in screen.lines()[2], "all lines")


async def test_the_next_error_goes_on_through_attempts_and_map_indexes() -> None:
    """After a log's last error `e` opens the next attempt that has one, of any instance; else it says there is none."""
    failed = tried(2, 0, 1)
    backend = world(failed)
    first, other = failed.tasks[4], failed.tasks[5]
    backend.logs[first.attempts[1].id] = b"fine\nValueError: here\n"
    backend.logs[first.attempts[0].id] = b"all is well\n"
    backend.logs[other.attempts[1].id] = b"one\ntwo\nKeyError: there\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("ValueError: here")
        window = screen.app.stage.log_pane.log_view
        await screen.until(lambda: window.current == 5, "the first error")
        await screen.press("e")
        await screen.shows("KeyError: there")
        assert "in load[1], try 2" in screen.lines()[-1] and "[try 2 ✘]" in screen.text
        assert window.current == 8
        backend.logs[first.attempts[1].id] = b"fine\n"
        await screen.press("e")
        await screen.shows("no further error line in any attempt")
        assert "KeyError: there" in screen.text


async def test_a_log_is_compared_with_the_last_good_one() -> None:
    """`=` shows that log beside it, marks lines that have nothing like them there, and ends with the next `=`."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"connect 17 ms\nrefused by db-1\n"
    backend.logs["01J" + "9" * 23] = b"connect 12 ms\nloaded 500 rows\n"
    backend.pages["last_good"] = lambda args: GoodAttempt("01J" + "9" * 23, 1, "trades_us@3", LOGICAL)
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "=")
        await screen.shows("loaded 500 rows")
        assert "beside it: ✓ try 1 of 2026-11-22 01:10" in screen.lines()[1]
        await screen.until(lambda: any("2 +refused" in line for line in screen.lines()), "the new line is marked")
        assert any("1  connect 17 ms" in line and "connect 12 ms" in line for line in screen.lines())
        await screen.press("=")
        assert "loaded 500 rows" not in screen.text


async def test_where_nothing_ended_well_there_is_nothing_to_compare_with() -> None:
    """It is said, and the log stays alone."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"connect\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "=")
        await screen.shows("no attempt of this task ended well before this one")
        assert "connect" in screen.text and "beside it" not in screen.text


async def test_keys_that_come_before_the_log_is_open_are_obeyed_once_it_is() -> None:
    """`g` and a search typed while the run is still being read are not lost, and it is said that they wait."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"".join(b"line %d\n" % n for n in range(2000)) + b"KeyError: x\n"
    async with console(backend) as screen:
        pane = screen.app.stage.log_pane
        await screen.press("j")
        feed = screen.app.feed
        assert feed is not None
        run, backend.runs = backend.runs, {}
        await screen.pilot.press("L")
        await screen.pilot.press("g")
        assert "the log is being opened" in screen.text
        backend.runs = run
        feed.hurry()
        await screen.shows("line 0")
        assert pane.log_view.top == 0 and not pane.log_view.following


async def test_a_line_is_copied_as_it_may_be_drawn() -> None:
    """`y` sends the line that was gone to through the terminal, without what could act on another one."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"fine\nValueError: \x1b[31mred\x1b[0m\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        window = screen.app.stage.log_pane.log_view
        await screen.until(lambda: window.current == 5, "the first error")
        await screen.press("y")
        assert screen.app.clipboard == "ValueError: ^[[31mred^[[0m"
        assert base64.b64encode(screen.app.clipboard.encode())
        assert "copied 1 line (26 bytes, through the terminal)" in screen.lines()[-1]


async def test_a_large_log_opens_at_the_error_near_its_end_and_then_at_the_first(monkeypatch: MonkeyPatch) -> None:
    """What is near the end is shown while the rest is still read; an earlier error takes its place once it is found."""
    monkeypatch.setattr(log_search, "NEAR_END", 100)
    failed = tried(1)
    backend = world(failed)
    early = b"KeyError: early\n" + b"line\n" * 400
    backend.logs[failed.tasks[4].attempts[0].id] = early + b"ValueError: late\n"
    went: list[int] = []
    async with console(backend) as screen:
        window = screen.app.stage.log_pane.log_view
        go_to = window.go_to
        monkeypatch.setattr(window, "go_to", lambda offset: (went.append(offset), go_to(offset)))
        await screen.press("j", "enter", "L")
        await screen.shows("KeyError: early")
        assert went == [len(early), 0]


async def test_an_ended_log_is_not_followed() -> None:
    """The rule says that it has ended, and F why it does nothing."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"fine\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("1 line")
        assert "ended" in screen.lines()[2] and "follow" not in screen.lines()[2]
        await screen.press("F")
        assert "the attempt has ended" in screen.lines()[-1]


async def test_m_bookmarks_a_line_and_the_bookmark_leads_back_to_it() -> None:
    """The line that was gone to, else the first in sight, has a sign beside it; `'` lists it, and opens it there."""
    failed = tried(1)
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"".join(b"line %d of many\n" % n for n in range(500))
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "g", "/", *"line 321", "enter", "m")
        await screen.shows("bookmarked: log/trades_us@7/load?attempt=1&at=")
        kept = [line for line in screen.lines() if line.lstrip().startswith("322•")]
        assert len(kept) == 1 and "line 321 of many" in kept[0]
        assert not backend.commands and screen.app.screen is screen.app.stage, "nothing is marked as success or failed"
        await screen.press("g")
        assert "line 321" not in "\n".join(screen.lines()[3:-1])
        await screen.press("m")
        assert screen.app.here().at == 0
        await screen.press("escape", "'", "down", "enter")
        await screen.until(lambda: "line 321 of many" in screen.text, "the line")
        assert screen.app.place.view == "log" and screen.app.here().at == failed_at(321)
        await screen.press("'")
        assert "line 1  line 0 of many" in screen.text and "line 322  line 321 of many" in screen.text
        await screen.press("escape", "m")
        assert "no longer bookmarked" in screen.text and "322•" not in screen.text


def failed_at(number: int) -> int:
    """Where a line of the log begins."""
    return sum(len(f"line {each} of many\n") for each in range(number))


async def test_from_a_log_a_task_is_marked_by_name_and_s_follows() -> None:
    """`:mark_success` asks as everywhere; `s` is the second key of following."""
    failed = trades("running")
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"".join(b"line %d of many\n" % n for n in range(500))
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "g", "s")
        assert screen.app.stage.log_pane.log_view.following
        await screen.press("s")
        assert not screen.app.stage.log_pane.log_view.following
        await screen.press(":", *"mark_success", "enter")
        assert "Mark success" in screen.text or "Mark" in screen.lines()[0] or screen.app.screen is not screen.app.stage
