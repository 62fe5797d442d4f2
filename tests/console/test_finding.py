"""Finding one's way in the console: filters, the command line, history, bookmarks, addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual import events

from console.app import ConsoleApp
from console.keep import BOOKMARKS, Keep
from console.keymap import Keymap
from console.model.place import Place, parse_address
from console.model.report import Act
from console.screens.commanding import completions
from console.screens.pane import Pane
from tests.support.console import Screen, console, dag, mark, run, task, trades, world


async def command(screen: Screen, text: str) -> None:
    """Types a `:` line."""
    await screen.press("colon")
    screen.app.stage.prompt._edit.set(text)
    await screen.press("enter")


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("state:success", "extract", "load"),
        ("co", "clean_orders", "join"),
        ("!state:success", "load", "extract"),
        ("error:db-1", "load", "report"),
    ],
)
async def test_a_run_is_filtered_by_what_its_tasks_are(text: str, shown: str, hidden: str) -> None:
    """The cursor, why and failures go on to work on what is left; Esc first takes the filter away, then goes back."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter", "slash", *text, "enter")
        listed = screen.app.stage.run_pane.list._source
        assert listed.index(("task", shown, -1)) is not None and listed.index(("task", hidden, -1)) is None
        target = screen.app.stage.run_pane.target(screen.app.scene())
        assert target.task_id is not None and target.task_id != hidden
        assert f"filter {text}" in screen.text
        await screen.press("escape")
        assert screen.app.place.view == "run" and f" {hidden} " in screen.text
        await screen.press("escape")
        assert screen.app.place.view == "overview"


async def test_a_filter_that_means_nothing_says_so_and_hides_nothing() -> None:
    """An unknown state or key is named in the rule; the rows stay."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("slash", *"state:nowhere")
        assert "no state 'nowhere'" in screen.text and "trades_us" in screen.text
        await screen.press("escape", "slash", *"!sate:failed")
        assert "no filter key 'sate'" in screen.text and "trades_us" in screen.text


async def test_a_filter_stays_for_its_run_and_not_for_another() -> None:
    """Coming back to the run finds it filtered; another run is whole."""
    second = run(mark(8, "fx"), trades("failed").plan, (task(81, "extract"), task(82, "load", "failed")))
    async with console(world(trades("failed"), second)) as screen:
        await command(screen, "run trades_us@7")
        await screen.press("slash", *"load", "enter", "L", "q")
        assert screen.app.stage.front.needle == "load"
        await command(screen, "run fx@8")
        assert screen.app.stage.front.needle == "" and "extract" in screen.text


async def test_what_was_typed_is_recalled() -> None:
    """Up in the prompt brings the last command or filter back, each in its own list."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("slash", *"tus", "enter", "escape")
        await command(screen, "runs trades_us")
        await screen.press("colon", "up")
        assert screen.app.stage.prompt.text == "runs trades_us"
        await screen.press("escape", "slash", "up")
        assert screen.app.stage.prompt.text == "tus"


async def test_history_goes_back_and_forward_with_cursor_and_filter() -> None:
    """`[` and `]` walk through what was shown; `-` changes between the last two views."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter", "g", "j")
        await screen.press("L")
        assert screen.app.place.view == "log"
        await screen.press("[")
        assert screen.app.place.view == "run"
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "clean_orders", -1)
        await screen.press("[")
        assert screen.app.place.view == "overview"
        await screen.press("[")
        assert "nothing was shown before" in screen.text
        await screen.press("]", "]")
        assert screen.app.place.view == "log"
        await screen.press("-")
        assert screen.app.place.view == "run"
        await screen.press("-")
        assert screen.app.place.view == "log"
        await screen.press("escape")
        assert screen.app.place.view == "run"


async def test_the_command_line_opens_views_and_switches_dialogs_on() -> None:
    """`:runs DAG`, `:log TASK -1`, `:since`, `:clear TASK +downstream`; a switch that is not there is refused."""
    async with console(world(trades("failed"))) as screen:
        await command(screen, "runs trades_us")
        assert screen.app.place == Place("dag", "trades_us", "trades_us@7") or screen.app.place.view == "dag"
        await command(screen, "run trades_us@7")
        await screen.shows("clean_orders")
        await command(screen, "log load -1")
        assert (screen.app.place.view, screen.app.place.task_id, screen.app.place.attempt) == ("log", "load", 1)
        await screen.press("q")
        await command(screen, "state failed")
        assert screen.app.stage.front.needle == "state:failed"
        await screen.press("escape")
        await command(screen, "clear load +nonsense")
        assert "has no switch 'nonsense'" in screen.text and screen.app.screen is screen.app.stage
        await command(screen, "clear load +only_failed")
        assert screen.app.screen is not screen.app.stage


async def test_the_command_line_is_completed() -> None:
    """Names of actions and views, then DAGs, runs, tasks, switches and bookmarks."""
    async with console(world(trades("failed"))) as screen:
        app = screen.app
        assert "runs" in completions(app, "ru") and "open" in completions(app, "op")
        assert completions(app, "runs tr") == ["runs trades_us"]
        assert completions(app, "run trades_us@") == ["run trades_us@7"]
        await command(screen, "run trades_us@7")
        assert completions(app, "log cl") == ["log clean_orders", "log clean_users"]
        assert "clear load +downstream" in completions(app, "clear load +")


async def test_bookmarks_are_kept_for_the_next_console(tmp_path: Path) -> None:
    """`B` keeps the place, `'` lists the kept ones and Enter goes there; the file holds addresses."""
    keep = Keep(tmp_path / "console.json")
    backend = world(trades("failed"))
    async with console(backend) as screen:
        screen.app.keep = keep
        await screen.press("j", "enter", "B", "q", "'")
        await screen.shows("Bookmarks")
        await screen.press("enter")
        assert screen.app.place == Place("run", "trades_us", "trades_us@7", "load")
    assert json.loads((tmp_path / "console.json").read_text())[BOOKMARKS] == ["run/trades_us@7/load"]
    assert Keep(tmp_path / "console.json").lines(BOOKMARKS) == ["run/trades_us@7/load"]
    async with console(world(trades("failed"))) as screen:
        screen.app.keep = keep
        await screen.press("j", "enter", "B")
    assert Keep(tmp_path / "console.json").lines(BOOKMARKS) == []


def test_two_consoles_keep_both_what_they_add(tmp_path: Path) -> None:
    """Writing takes what another console has written meanwhile, and a file that is no JSON harms nothing."""
    path = tmp_path / "console.json"
    path.write_text("[[[")
    first, second = Keep(path), Keep(path)
    assert first.lines(BOOKMARKS) == second.lines(BOOKMARKS) == []
    first.add(BOOKMARKS, "dag/a")
    first.save()
    second.add(BOOKMARKS, "dag/b")
    second.save()
    assert Keep(path).lines(BOOKMARKS) == ["dag/a", "dag/b"]


async def test_an_address_leads_a_colleague_to_the_same_place() -> None:
    """`#` copies it; a console that is opened there shows the same view, cursor and filter, with the way back."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "slash", *"state:failed", "enter", "#")
        copied = screen.app._clipboard
        assert copied == "run/trades_us@7/load?filter=state:failed"
    backend = world(trades("failed"))
    app = ConsoleApp(backend.home, lambda: backend, now=backend.now, start=parse_address(copied))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = Screen(app, pilot, backend)
        await screen.shows("filter state:failed")
        assert app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        await screen.press("escape", "escape")
        assert app.place.view == "overview"


@pytest.mark.parametrize(
    "place",
    [
        Place("overview"),
        Place("overview", "trades_us", filter="tag:a b&c ü"),
        Place("grid", "trades_us", "trades_us@20261122T011000Z~abc234", "load", 3),
        Place("log", "trades_us", "trades_us@20261122T011000Z", "load", attempt=2, at=12345),
    ],
)
def test_every_place_has_an_address_that_leads_back(place: Place) -> None:
    """Reading an address gives the place that it was made of, also with a filter of any text."""
    assert " " not in place.address
    assert parse_address(place.address) == place


@pytest.mark.parametrize("text", ["", "/", "run", "a/b/c/d", "run/x@1?attempt=two", "run/x@1?nonsense=1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """The error says that it is none."""
    with pytest.raises(ValueError, match="is no address"):
        parse_address(text)


async def test_an_address_of_what_is_not_here_goes_nowhere() -> None:
    """`:open` of an unknown DAG or view says so and stays."""
    async with console(world(trades("failed"))) as screen:
        await command(screen, "open dag/nosuch")
        assert "there is no DAG 'nosuch'" in screen.text
        await command(screen, "open nosuch/trades_us")
        assert "there is no view 'nosuch'" in screen.text and screen.app.place.view == "overview"


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("open run/trades_us@latest", "run/trades_us@7"),
        ("open trades_us@latest", "run/trades_us@7"),
        ("open trades_us@-0/load", "run/trades_us@7/load"),
        ("open trades_us", "dag/trades_us"),
        ("run trades_us@latest", "run/trades_us@7"),
    ],
)
async def test_the_line_knows_the_short_forms_that_the_shell_knows(line: str, address: str) -> None:
    """A DAG, its latest run or one before may be named in short, with or without a view before it."""
    async with console(world(trades("failed"))) as screen:
        await command(screen, line)
        await screen.until(lambda: screen.app.place.address == address, address)


async def test_a_short_form_of_no_run_says_so() -> None:
    """Of a run that is not there the line says so, and stays."""
    async with console(world(trades("failed"))) as screen:
        await command(screen, "run trades_us@-9")
        await screen.shows("has no run 9 before the latest")
        assert screen.app.place.view == "overview"


async def test_the_copy_menu_offers_what_is_here() -> None:
    """Address, a command line for a shell, ids, state and error of the row under the cursor."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter", "Y")
        await screen.shows("dagdeck --home /srv/fake open run/trades_us@7/load")
        await screen.press("j", "enter")
        assert screen.app._clipboard == "dagdeck --home /srv/fake open run/trades_us@7/load"


async def test_a_click_selects_and_the_wheel_scrolls() -> None:
    """The mouse moves the cursor and does nothing else."""
    async with console(world(trades("failed"))) as screen:
        await command(screen, "run trades_us@7")
        await screen.shows("clean_users")
        await screen.pilot.click("#tasks", offset=(12, 2))
        await screen.settle()
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "clean_orders", -1)
        await screen.pilot._post_mouse_events([events.MouseScrollDown], "#tasks", offset=(12, 2))
        await screen.settle()
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        assert screen.app.screen is screen.app.stage


async def test_a_frozen_picture_says_that_it_is_one() -> None:
    """`Z` keeps what is shown while the world goes on, and says since when; again shows the present."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("Z")
        assert "FROZEN at 02:14:07" in screen.lines()[1]
        screen.backend.put_dag(dag("newcomer"))
        await screen.pilot.pause(0.3)
        assert "newcomer" not in screen.text
        await screen.press("Z")
        assert "newcomer" in screen.text and "FROZEN" not in screen.text


async def test_only_failures_and_the_newest_running_task() -> None:
    """`z` leaves rows that failed, and again shows all; `F` opens the log of what began last."""
    async with console(world(trades("running"))) as screen:
        await screen.press("F")
        assert (screen.app.place.view, screen.app.place.task_id) == ("log", "load")
        await screen.press("q", "enter", "z")
        assert "0 of 6 rows" in screen.lines()[2]
        await screen.press("z", "ctrl+c")
        assert "extract" in screen.text and "Ctrl-Q leaves the console" in screen.text


async def test_a_person_s_own_keys_also_move() -> None:
    """Movement obeys other keys when the home says so, and notices stand in the message line."""
    keymap = Keymap.of({"move.down": "n", "theme": "x"}, "dagdeck.toml")
    backend = world(trades("failed"))
    app = ConsoleApp(backend.home, lambda: backend, now=backend.now, keymap=keymap)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = Screen(app, pilot, backend)
        await screen.shows("key x is theme's now")
        await screen.settle()
        await screen.press("n")
        assert app.stage.overview.list.cursor_key == ("dag", "trades_us")
        await screen.press("k", "j")
        assert app.stage.overview.list.cursor_key != ("dag", "trades_us")


async def test_a_run_is_handed_over_as_a_report_and_the_screen_as_text(tmp_path: Path) -> None:
    """F3 writes Markdown with what the failure wrote and who did what, F2 the screen as it stands."""
    failed = trades("failed")
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"connecting\nConnectionError: db-1:5432 refused\n"
    backend.pages["report"] = lambda args: (Act(backend.now(), "ops2", "clear", "done", "1 cleared", ""),)
    async with console(backend) as screen:
        screen.app.reports = tmp_path / "reports"
        await screen.press("j", "enter", "f3")
        await screen.shows("wrote ")
        text = next((tmp_path / "reports").glob("trades_us@7-*.md")).read_text()
        assert "# trades\\_us: failed" in text and "ops2 asked for clear" in text
        assert "connecting\nConnectionError: db-1:5432 refused" in text
        await screen.press("f2")
        await screen.until(lambda: list((tmp_path / "reports").glob("*.txt")), "the picture is written")
        picture = next((tmp_path / "reports").glob("run-trades_us@7-load-*.txt")).read_text()
        assert "✘      load" in picture and "\x1b" not in picture


@pytest.mark.parametrize("place", [Place("inbox"), Place("run", "trades_us", "trades_us@7")])
async def test_a_console_opened_at_a_place_shows_that_view_alone(place: Place) -> None:
    """No other pane takes room beside it, and its rows have the keys."""
    async with console(world(trades("failed")), start=place) as screen:
        stage = screen.app.stage
        assert [pane.view for pane in stage.query(Pane) if pane.display] == [place.view]
        assert stage.focused is stage.front.focus_inside()


async def test_among_very_many_rows_the_last_letter_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where filtering waits for the letter to be seen, Enter keeps what was typed last and Esc takes all of it away."""
    monkeypatch.setattr("console.screens.stage.MANY", 0)
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter", "slash", *"clean", "enter")
        await screen.shows("filter clean")
        listed = screen.app.stage.run_pane.list
        assert [key[1] for key in listed.shown_keys] == ["clean_orders", "clean_users"]
        await screen.press("slash", *"load", "escape")
        await screen.settle()
        assert len(listed.shown_keys) > 3 and screen.app.stage.run_pane.needle == ""
