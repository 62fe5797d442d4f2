"""The console, driven by keys on a backend in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual import events
from textual.geometry import Size

from console import wire
from console.model.dags import ImportProblem
from console.model.grid import Grid
from console.model.home import HomeCard, RecoveryCard
from console.model.reading import safe
from console.model.runs import RunDetail
from console.model.snapshot import Interest, Snapshot
from console.model.task_page import TaskPage, Took
from engine.model.moments import HOUR, SECOND
from tests.support.console import HOSTILE, LOGICAL, NOW, PATIENCE, console, dag, mark, plan, run, task, trades, world

SIZES = [(80, 24), (160, 50)]


async def test_the_overview_opens_on_what_needs_a_person() -> None:
    """Failures stand above the DAGs, grouped by cause, and the cursor is on the first."""
    backend = world(trades("failed"), replace(trades("failed", 8), mark=mark(8, "trades_eu", "failed")))
    async with console(backend) as screen:
        assert "✘ 2 failed  ConnectionError: db-1:5432 refused" in screen.lines()[2]
        assert "2 DAGs" in screen.lines()[2]
        assert screen.app.stage.overview.list.cursor_index == 0


async def test_enter_opens_the_run_and_escape_comes_back() -> None:
    """From a DAG's row to its run with graph and attempts, and back to the same row."""
    async with console(world(trades())) as screen:
        await screen.press("j", "enter")
        assert "trades_us > scheduled" in screen.lines()[1]
        assert "↻ try 2 of 6 in 1:14" in screen.text
        assert "ConnectionError: db-1:5432 refused" in screen.text
        await screen.press("escape")
        assert "DAG" in screen.text and screen.app.place.view == "overview"


async def test_a_run_opens_at_what_is_wrong() -> None:
    """The cursor stands on the failed task, whose attempts are shown below."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        assert "─ load ─" in screen.text


async def test_table_bars_and_boxes_share_one_cursor() -> None:
    """`4` shows the tasks over time, `3` as boxes with arrows along the edges; the same task stays under the cursor."""
    async with console(world(trades("failed")), (120, 36)) as screen:
        await screen.press("j", "enter", "4")
        assert "critical path" in screen.text and "waited" in screen.text
        pane = screen.app.stage.run_pane
        assert pane.list.cursor_key == ("task", "load", -1)
        await screen.press("k", "3")
        await screen.shows("│ ✓ join")
        await screen.press("l")
        assert pane.list.cursor_key == ("task", "load", -1) and "─ load ─" in screen.text
        await screen.press("h", "h")
        above = pane.list.cursor_key
        assert above in (("task", "clean_orders", -1), ("task", "clean_users", -1))
        await screen.press("j", "k")
        target = pane.target(screen.app.scene())
        assert target.task_id in ("clean_orders", "clean_users")
        await screen.press("3")
        assert "waits for" in screen.text and pane.list.cursor_key == ("task", target.task_id, -1)
        await screen.press("h")
        assert screen.app.place.view == "overview"


async def test_digits_open_pictures_of_a_run_from_anywhere() -> None:
    """On the overview `4` opens the run of the row as bars, `3` as boxes, `5` its log."""
    async with console(world(trades("failed")), (120, 36)) as screen:
        await screen.press("j", "4")
        assert screen.app.place.run_id == "trades_us@7" and "critical path" in screen.text
        await screen.press("escape", "4")
        assert "critical path" in screen.text, "it is no switch where the run was not in front"
        await screen.press("escape", "3")
        await screen.shows("│ ✘ load")
        await screen.press("1", "5")
        assert screen.app.place.view == "log"


async def test_whoever_comes_back_finds_the_cursor_where_it_was() -> None:
    """From a task's log back to the run: the cursor stands on that task, not where the run was opened."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", "enter", "g")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "extract", -1)
        await screen.press("L", "q")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "extract", -1)


async def test_the_log_opens_at_its_first_error_and_steps_through_attempts() -> None:
    """L shows the failed attempt's log at the error; h and l move between attempts; q goes back."""
    failed = trades("failed")
    load = failed.tasks[4]
    second = load.attempts[0]._replace(id="01J" + "2" * 23, number=2)
    failed = replace(failed, tasks=(*failed.tasks[:4], load._replace(attempt=2, attempts=(load.attempts[0], second))))
    backend = world(failed)
    backend.logs[second.id] = b"connecting\n" * 500 + b"ConnectionError: refused\nend\n"
    backend.logs[load.attempts[0].id] = b"the first attempt\n"
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("ConnectionError: refused")
        assert "[try 2 ✘]" in screen.text and "502 lines" in screen.text
        window = screen.app.stage.log_pane.log_view
        assert window.current == 11 * 500
        await screen.press("h")
        await screen.shows("the first attempt")
        await screen.press("l")
        await screen.press("q")
        assert screen.app.place.view == "run"


async def test_search_in_a_log_finds_and_steps() -> None:
    """`/` goes to the next match, `n` to the one after it, and what is not there is said."""
    failed = trades("failed")
    backend = world(failed)
    backend.logs[failed.tasks[4].attempts[0].id] = b"".join(b"line %d\n" % n for n in range(1000))
    async with console(backend) as screen:
        await screen.press("j", "enter", "L", "g")
        await screen.press("/", *"line 42", "enter")
        window = screen.app.stage.log_pane.log_view
        offset = sum(len(f"line {n}\n") for n in range(42))
        await screen.until(lambda: window.current == offset, "the first match")
        await screen.press("n")
        await screen.until(lambda: (window.current or 0) > offset, "the next match")
        await screen.press("/", *"nowhere", "enter")
        await screen.shows("nothing matches 'nowhere'")


async def test_a_growing_log_is_followed_until_the_reader_scrolls_up() -> None:
    """New lines appear while the window follows; scrolling up stops that, and F resumes it."""
    running = trades("running")
    backend = world(running)
    attempt = running.tasks[4].attempts[0].id
    backend.logs[attempt] = b"one\n" * 100
    async with console(backend) as screen:
        await screen.press("j", "enter", "L")
        await screen.shows("following")
        backend.logs[attempt] += b"the newest line\n"
        await screen.shows("the newest line")
        await screen.press("k", "k")
        await screen.shows("follow off")
        backend.logs[attempt] += b"later still\n"
        assert "later still" not in screen.text
        await screen.press("F")
        await screen.shows("later still")


async def test_keys_that_do_nothing_say_why() -> None:
    """A key whose action is impossible here answers with the reason, in the key line's place."""
    async with console(world(trades("success"))) as screen:
        await screen.press("x")
        assert "trades_us@7 is over (success)" in screen.lines()[-1]


@pytest.mark.parametrize("key", ["i", "question_mark", "ctrl+p", "s", "t", "c"])
async def test_under_what_is_open_no_keys_are_offered_that_do_not_work_there(key: str) -> None:
    """A dialog, a form or a list has its own keys: the view's come back with it, and messages are shown meanwhile."""
    async with console(world(trades())) as screen:

        def keys() -> str:
            # What lies over the view is drawn by a screen of its own, which need not know the view's last line.
            return screen.app.stage._compositor.render_strips()[-1].text.rstrip()

        await screen.press("j", "enter")
        offered = keys()
        assert "enter open" in offered
        await screen.press(key)
        await screen.until(lambda: screen.app.screen is not screen.app.stage, "something opens")
        await screen.until(lambda: not keys(), "no keys are offered")
        screen.app.redraw()
        await screen.settle()
        assert not keys(), "the second that passes does not bring them back"
        screen.app.say("the engine is down")
        assert "the engine is down" in keys()
        screen.app._message = None
        await screen.press("escape")
        await screen.until(lambda: keys() == offered, "the keys of the view come back")


async def test_help_and_palette_are_made_from_the_registry() -> None:
    """`?` lists the keys of this view with reasons for those that are dead; Ctrl-P finds actions by typing."""
    async with console(world(trades()), (160, 90)) as screen:
        await screen.press("j", "enter", "question_mark")
        assert "Keys here: run" in screen.text
        for _ in range(15):
            if "Decides the task's state by hand" in screen.text:
                break
            await screen.press("ctrl+d")
        assert "mark" in screen.text and "Decides the task's state by hand" in screen.text
        await screen.press("escape", "ctrl+p")
        await screen.press(*"retryn")
        await screen.press("enter")
        assert "Retry now ── trades_us" in screen.text


async def test_the_command_line_runs_an_action_on_a_named_task() -> None:
    """`:clear join` opens the dialog for that task, wherever the cursor is; an unknown name is refused."""
    async with console(world(trades())) as screen:
        await screen.press("j", "enter")
        await screen.press(":", *"clear join", "enter")
        assert "Clear ── trades_us 2026-11-22 01:10 / join" in screen.text
        await screen.press("escape")
        await screen.press(":", *"clear nothing", "enter")
        assert "this run has no task 'nothing'" in screen.text
        await screen.press(":", *"tidy", "enter")
        assert "there is no command 'tidy'" in screen.text


async def test_the_filter_narrows_and_escape_clears_it() -> None:
    """`/` shows only DAGs that match, as it is typed; `!` inverts; escape brings all back."""
    backend = world(
        *(replace(trades("success", n), mark=mark(n, name)) for n, name in enumerate(("abc", "abd", "xyz")))
    )
    async with console(backend) as screen:
        await screen.press("/", *"ab")
        assert "abc" in screen.text and "xyz" not in screen.text and "2 of 3 rows" in screen.text
        await screen.press("enter", "/", "backspace", "backspace", "!", *"ab")
        assert "xyz" in screen.text and "abc" not in screen.text
        await screen.press("enter", "escape")
        assert "abc" in screen.text and "xyz" in screen.text


async def test_the_screen_is_given_back_by_q_and_at_once_by_ctrl_q() -> None:
    """`q` goes back a level and leaves at the root; Ctrl-Q leaves from anywhere."""
    async with console(world(trades())) as screen:
        await screen.press("j", "enter")
        await screen.pilot.press("ctrl+q")
        await screen.until(lambda: not screen.app.is_running, "the console ends")


async def test_next_failure_goes_round() -> None:
    """`e` steps from failure to failure on the overview and in a run, and starts again at the end."""
    backend = world(trades("failed"), replace(trades("success", 9), mark=mark(9, "quiet")))
    async with console(backend) as screen:
        await screen.press("e")
        assert screen.app.stage.overview.list.cursor_key == ("dag", "trades_us")
        await screen.press("enter", "g", "e")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        await screen.press("e")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "report", -1)
        await screen.press("e")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)


async def test_the_runs_of_a_dag_are_listed_newest_first() -> None:
    """`2` in the grid lists the runs of the DAG; Enter opens one of them."""
    older = replace(trades("failed", 3), mark=mark(3, "trades_us", "failed", LOGICAL - HOUR))
    async with console(world(older, trades("success"))) as screen:
        await screen.press("2", "2")
        rows = [line for line in screen.lines() if "2026-11-22" in line]
        assert "01:10" in rows[0] and "00:10" in rows[1]
        await screen.press("j", "enter")
        assert screen.app.stage.run_pane.run_id == "trades_us@3"


async def test_why_and_details_explain_the_row() -> None:
    """`i` says in sentences what a task waits for; `d` tells everything that is known of it."""
    async with console(world(trades())) as screen:
        await screen.press("j", "enter", "i")
        assert "Why is load not running?" in screen.text and "try 2 of 6" in screen.text
        await screen.press("escape", "G", "i")
        assert "It waits for load." in screen.text
        await screen.press("escape", "d")
        assert "trigger rule" in screen.text


async def test_the_cursor_stays_on_its_row_while_rows_move() -> None:
    """A DAG that appears above does not take the cursor with it."""
    backend = world(trades("success"))
    async with console(backend) as screen:
        await screen.press("g")
        backend.put_dag(dag("aaa_first"))
        await screen.settle()
        assert screen.app.stage.overview.list.cursor_key == ("dag", "trades_us")


def huge() -> RunDetail:
    """A run of 2,000 tasks."""
    plans = (
        plan("start"),
        *(plan(f"m{n}", "start") for n in range(1998)),
        plan("end", *(f"m{n}" for n in range(1998))),
    )
    tasks = tuple(task(1000 + n, each.task_id, "success" if n < 1000 else "none") for n, each in enumerate(plans))
    return run(mark(5, "huge", "running"), plans, tasks)


def hostile() -> RunDetail:
    """A run in which every text that others wrote is an attack; it has come through the model's border."""
    from console.model.reading import one_line

    name = safe(HOSTILE)
    plans = (plan(name), plan("after", name))
    bad = task(1, name, "failed", last_error=one_line(HOSTILE))
    return run(mark(6, name, "failed"), plans, (bad, task(2, "after", "upstream_failed")), note=safe(HOSTILE))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["empty", "huge", "hostile"])
async def test_every_screen_holds_at_every_size(size: tuple[int, int], kind: str) -> None:
    """Every view, help and dialogs draw themselves whole, whatever they are given to draw."""
    detail = {"huge": huge(), "hostile": hostile()}.get(kind)
    backend = world(*([detail] if detail else []), home=HomeCard("etl-01", "/srv/etl", "Europe/Berlin"))
    if kind == "hostile":
        backend.report = RecoveryCard(1, NOW, "2 adopted", ("adopted",))
    if detail is not None:
        cells = {detail.mark.id: {card.task_id: card.state for card in detail.tasks}}
        backend.pages["grid"] = lambda args: Grid(detail.mark.dag_id, (detail.mark,), detail.plan, cells, {})
        backend.pages["task"] = lambda args: TaskPage((Took(NOW, SECOND),), safe(HOSTILE), 40)
    async with console(backend, size) as screen:
        width = size[0]

        def fits() -> None:
            assert len(screen.lines()) == size[1]
            assert all(strip.cell_length == width for strip in screen.app.screen._compositor.render_strips())
            assert "\x1b" not in screen.text and "\u202e" not in screen.text

        steps = "G enter 4 j 3 l h < > 3 d G escape question_mark escape c escape L escape 2 l G 2 1 I G 1 U G 1 i"
        for key in steps.split():
            await screen.press({"<": "less_than_sign", ">": "greater_than_sign"}.get(key, key))
            fits()


async def test_a_resize_is_followed() -> None:
    """The same run is laid out anew for a smaller window and back."""
    async with console(world(trades()), (160, 50)) as screen:
        await screen.press("j", "enter")
        await screen.pilot.resize_terminal(80, 24)
        await screen.settle()
        assert "try 2 of 6" in screen.text
        assert all(len(line) <= 80 for line in screen.lines())


async def test_a_late_size_is_not_taken_for_the_terminal_s() -> None:
    """A storm of sizes leaves late ones in the queues of its screens, and two of them would chase each other there for
    ever: the stage and what lies over it are laid out once for each, and only for their terminal.
    """
    late = [Size(60, 20), Size(90, 30)]
    async with console(world(trades()), (160, 50)) as screen:
        for opened in ("?", "escape"):
            layouts: list[Size] = []
            front = screen.app.screen
            front.screen_layout_refresh_signal.subscribe(front, lambda shown, to=layouts: to.append(shown.size))
            for size in late:
                front.post_message(events.Resize(size, size))
                front.post_message(events.Callback(callback=lambda: None))
            async with asyncio.timeout(PATIENCE):
                for _ in range(5):
                    await screen.settle()
            assert layouts and len(layouts) <= 2 * len(late) and set(layouts) == {Size(160, 50)}
            assert {strip.cell_length for strip in front._compositor.render_strips()} == {160}
            await screen.press(opened)


async def test_the_first_paint_does_not_wait_for_the_store(request: pytest.FixtureRequest) -> None:
    """While nothing has been read yet, the header names the home and the rule says that it is reading."""
    from console.app import ConsoleApp

    backend = world()

    class Never(type(backend)):  # type: ignore[misc]  # the class of the backend at hand
        async def refresh(self, interest: Interest) -> Snapshot:
            import asyncio

            await asyncio.Event().wait()
            raise AssertionError("never")

    slow = Never(backend.now)
    request.addfinalizer(wire.uninstall)
    app = ConsoleApp(HomeCard("etl-01", "/srv/etl"), lambda: slow, now=backend.now)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "etl-01" in text and "reading the store" in text
        await pilot.press("question_mark")
        assert app.screen is not app.stage
        await pilot.press("escape", "ctrl+q")


async def test_trouble_with_the_store_is_told_and_the_last_picture_stays() -> None:
    """A store that cannot be read is said in the rule, above what was read last."""
    backend = world(trades("success"))
    async with console(backend) as screen:
        backend.trouble = "state.db: disk I/O error"
        backend.commit()
        await screen.settle()
        assert "disk I/O error" in screen.lines()[1]
        assert "trades_us" in screen.text


async def test_the_report_of_an_unclean_start_stays_until_it_is_acknowledged() -> None:
    """It is read with Enter, put away with `a` on its row, and gone for everybody."""
    backend = world(trades("success"))
    backend.report = RecoveryCard(3, NOW - SECOND, "2 adopted, 1 interrupted", ("adopted", "  load of trades_us@7"))
    async with console(backend) as screen:
        assert "unclean start" in screen.lines()[2] and "2 adopted, 1 interrupted" in screen.lines()[2]
        await screen.press("enter")
        assert "load of trades_us@7" in screen.text
        await screen.press("escape", "a")
        await screen.settle()
        assert backend.report is None and "unclean start" not in screen.text


async def test_import_errors_are_pinned_with_file_and_line() -> None:
    """A broken file stands on the overview with its place and its message; Enter shows the traceback."""
    backend = world(trades("success"))
    problem = ImportProblem("trades.py", None, "SyntaxError: invalid syntax", 12, NOW, ("Traceback", "  line 12"))
    original = backend.refresh

    async def refresh(interest: Interest) -> Snapshot:
        return replace(await original(interest), imports=(problem,))

    backend.refresh = refresh  # type: ignore[method-assign]  # this world has no files of its own
    async with console(backend) as screen:
        assert "trades.py:12" in screen.lines()[2] and "SyntaxError: invalid syntax" in screen.lines()[2]
        await screen.press("enter")
        assert "  line 12" in screen.text


async def test_a_large_graph_is_laid_out_beside_the_keys() -> None:
    """A run of thousands of tasks is shown once its graph has been laid out in a thread; until then it says so."""
    from console.screens.run import LAID_OUT_AT_ONCE

    detail = huge()
    assert len(detail.tasks) > LAID_OUT_AT_ONCE
    async with console(world(detail)) as screen:
        await screen.press("j", "enter")
        await screen.until(lambda: "m1" in screen.text, "the tasks")
        assert "2,000 tasks" not in screen.text and "2000 tasks" in screen.text


async def test_a_home_without_dags_says_what_to_do() -> None:
    """An empty home names the folder to put a file into; one that cannot be read says why."""
    backend = world()
    async with console(backend) as screen:
        assert "This home has no DAGs yet." in screen.text and "/srv/fake/dags" in screen.text
        backend.trouble = "state.db: there is no store here"
        backend.commit()
        await screen.settle()
        assert "there is no store here" in screen.text


async def test_tab_completes_a_command_and_what_it_is_about() -> None:
    """`:` knows the names of actions, and after one the tasks of the run."""
    async with console(world(trades())) as screen:
        await screen.press("j", "enter")
        await screen.press(":", *"cle", "tab")
        assert screen.app.stage.prompt.text == "clear"
        await screen.press("space", *"jo", "tab", "enter")
        assert "Clear ── trades_us 2026-11-22 01:10 / join" in screen.text
