"""A live list repaints what changed and nothing else, and keeps its cursor by key."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from textual.geometry import Region

from console.text import sanitise
from console.widgets.lines import LineView
from console.widgets.rows import Key, Row
from console.widgets.spans import Spans
from tests.support.widgets import Stage, area, repaints

SIZES = [(80, 24), (160, 50)]


def timers(seconds: int, rows: int = 50) -> list[Row]:
    """Rows with a two-digit timer at column 60."""
    return [Row(f"task{at}", ((f"task{at:<56}", "text"), (f"{seconds:02d}", "live"))) for at in range(rows)]


class Listener(Stage):
    """Remembers where the cursor went."""

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        self.heard.append((event.key, event.vanished))


class Counted:
    """A source of many rows that counts how many it is asked to make."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.made = 0

    def __len__(self) -> int:
        return self.total

    def key(self, index: int) -> Key:
        return index

    def index(self, key: Key) -> int | None:
        return key if isinstance(key, int) and key < self.total else None

    def row(self, index: int, width: int) -> Spans:
        self.made += 1
        return ((f"row {index}", "text"),)


@pytest.mark.parametrize("size", SIZES)
async def test_a_list_that_was_hidden_comes_back_where_it_was(size: tuple[int, int]) -> None:
    """Whoever leaves a view and comes again finds the same rows in sight, not those from the cursor on."""
    view = LineView(timers(10, rows=100))
    async with Stage(view).run_test(size=size) as pilot:
        await pilot.press("j", "j", "j", "j", "j")
        before = view.position
        view.display = False
        await pilot.pause()
        view.let_go()
        view.show(timers(11, rows=100))
        view.display = True
        view.show(timers(12, rows=100))
        await pilot.pause()
        assert (view.position, view.cursor_key) == (before, "task5")


@pytest.mark.parametrize("size", SIZES)
async def test_only_the_cells_that_changed_are_repainted(size: tuple[int, int]) -> None:
    """A tick of a two-cell timer repaints one or two cells of each visible row, and an equal picture nothing."""
    view = LineView(timers(10))
    async with Stage(view).run_test(size=size) as pilot:
        with repaints(view) as seen:
            view.show(timers(11))
            view.show(timers(11))
        assert seen == [Region(62, y, 1, 1) for y in range(size[1])]
        with repaints(view) as seen:
            view.show(timers(22))
        assert area(seen) == 2 * size[1]
        await pilot.pause()
        assert pilot.app.text()[3].endswith("22")  # type: ignore[attr-defined]


async def test_changes_out_of_sight_cost_nothing() -> None:
    """A row below the window may change without any repaint."""
    view = LineView(timers(10))
    async with Stage(view).run_test(size=(80, 24)):
        rows = timers(10)
        rows[40] = Row("task40", (("changed", "bad"),))
        with repaints(view) as seen:
            view.show(rows)
        assert seen == []


async def test_a_style_alone_is_a_change() -> None:
    """The same text in another style is repainted, over just that span."""
    view = LineView([("a", (("name ", "text"), ("failed", "text")))])
    async with Stage(view).run_test(size=(80, 24)):
        with repaints(view) as seen:
            view.show([("a", (("name ", "text"), ("failed", "bad")))])
        assert seen == [Region(6, 0, 6, 1)]


async def test_two_changes_in_a_row_are_two_spans() -> None:
    """Cells between two distant changes are not repainted."""
    view = LineView([("a", (("1", "text"), (" " * 30, "text"), ("1", "text")))])
    async with Stage(view).run_test(size=(80, 24)):
        with repaints(view) as seen:
            view.show([("a", (("2", "text"), (" " * 30, "text"), ("2", "text")))])
        assert seen == [Region(1, 0, 1, 1), Region(32, 0, 1, 1)]


async def test_wide_characters_are_never_repainted_by_half() -> None:
    """Where a wide character comes or goes, the span covers both of its cells."""
    view = LineView([("a", (("ab天c", "text"),))])
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        for text in ("a天bc", "ab天c", "ab気c", "abxxc", "ab天c"):
            with repaints(view) as seen:
                view.show([("a", ((text, "text"),))])
            for region in seen:
                assert region.x <= 3 and region.right >= 5
            await pilot.pause()
            assert pilot.app.text()[0] == f" {text}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_only_visible_rows_are_made(size: tuple[int, int]) -> None:
    """Of a million rows those in the window are made, also after jumping to the end."""
    source = Counted(1_000_000)
    view = LineView(source)
    async with Stage(view).run_test(size=size) as pilot:
        await pilot.press("G")
        assert view.cursor_key == 999_999
        assert pilot.app.text()[-1] == " row 999999"  # type: ignore[attr-defined]
        assert source.made <= 6 * size[1]
        source.made = 0
        view.show(source)
        assert source.made == size[1]


async def test_the_cursor_stays_on_its_key_when_rows_move() -> None:
    """Rows put in before the cursor's move it along, and the key under it stays the same."""
    rows = timers(10, 8)
    view = LineView(rows)
    app = Listener(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "down")
        assert view.cursor_key == "task3"
        app.heard.clear()
        view.show([Row("new", (("new", "text"),)), *reversed(rows)])
        await pilot.pause()
        assert view.cursor_key == "task3"
        assert view.cursor_index == 5
        assert app.cell(1, 5)[2] == app.palette.theme.roles["cursor"]
        assert app.cell(1, 3)[2] == app.palette.theme.roles["background"]
        assert app.heard == []


async def test_a_scrolled_view_keeps_the_cursor_where_the_eye_is() -> None:
    """In a scrolled list, rows put in above leave the cursor's row on the same line of the screen."""
    rows = timers(10, 100)
    view = LineView(rows)
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        await pilot.press("pagedown", "pagedown", "k", "k")
        line = (view.cursor_index or 0) - view.position[0]
        view.show([*timers(0, 7)[:0], *[Row(f"new{at}", (("new", "text"),)) for at in range(7)], *rows])
        assert (view.cursor_index or 0) - view.position[0] == line
        assert view.position[0] > 7


async def test_when_the_cursors_row_goes_the_next_takes_its_place_and_it_is_told() -> None:
    """A vanished row hands the cursor to its successor, and the message says that nobody moved it."""
    rows = timers(10, 5)
    view = LineView(rows)
    app = Listener(view)
    async with app.run_test(size=(80, 24)) as pilot:
        view.move_to("task2")
        await pilot.pause()
        app.heard.clear()
        view.show([row for row in rows if row.key != "task2"])
        await pilot.pause()
        assert app.heard == [("task3", True)]
        view.show([])
        await pilot.pause()
        assert view.cursor_key is None and view.cursor_index is None
        assert app.heard[-1] == (None, True)


async def test_rows_without_a_key_are_passed_over_and_come_into_sight() -> None:
    """Headings and blanks are never under the cursor; going up to the first row shows the heading above it."""
    rows: list[tuple[Hashable | None, Spans]] = [(None, (("heading", "dim"),)), *timers(1, 40)]
    rows.insert(3, (None, ()))
    view = LineView(rows)
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        assert view.cursor_key == "task0"
        await pilot.press("j", "j")
        assert view.cursor_key == "task2"
        await pilot.press("k")
        assert view.cursor_key == "task1"
        await pilot.press("G")
        assert view.position[0] > 0
        await pilot.press("g")
        assert view.position[0] == 0 and view.cursor_key == "task0"
        assert view.move_to("nothing") is False


async def test_movement_keys_move_by_rows_halves_and_pages() -> None:
    """Ctrl-D and Ctrl-U move half a page, PgDn and PgUp a page less a row, Home and End to the ends."""
    view = LineView(timers(1, 200))
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        seen = []
        for key in ("ctrl+d", "pagedown", "ctrl+u", "pageup", "end", "home"):
            await pilot.press(key)
            seen.append(view.cursor_index)
        assert seen == [12, 35, 23, 0, 199, 0]


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_and_wide_rows_keep_the_layout(size: tuple[int, int]) -> None:
    """Escapes, bidirectional controls, markup and wide text fill exactly the screen's width."""
    hostile = ["\x1b[2J\x1b]0;x\x07", "\u202eabc", "[/]", "[@click=app.quit]x[/]", "天気" * 90, "e" + "\u0301" * 99]
    view = LineView([(at, ((sanitise(text), "bad"),)) for at, text in enumerate(hostile)])
    app = Stage(view)
    async with app.run_test(size=size):
        strips = app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {size[0]}
        assert app.text()[:4] == [" ^[[2J^[]0;x^G", r" \u202eabc", " [/]", " [@click=app.quit]x[/]"]
        assert "\x1b" not in "".join(strip.text for strip in strips)


async def test_in_monochrome_the_cursor_is_reversed_and_has_a_sign() -> None:
    """Without colours the cursor's row is reversed and starts with `>`; a marked row starts with `*`."""
    view = LineView(timers(1, 3))
    app = Stage(view, monochrome=True)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.cell(0, 0)[:2] == (">", True)
        assert app.cell(0, 1)[:2] == (" ", False)
        view.toggle_mark()
        await pilot.press("j")
        assert app.cell(0, 0)[:2] == ("*", False)
        assert app.cell(0, 1)[:2] == (">", True)


async def test_marks_are_kept_by_key() -> None:
    """Marks stay on their keys when rows move, and a range marks everything between two keys."""
    rows = timers(1, 10)
    view = LineView(rows)
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        view.toggle_mark()
        view.show(list(reversed(rows)))
        assert view.marks == {"task1"}
        view.move_to("task4")
        view.mark_range("task6")
        assert view.marks == {"task1", "task4", "task5", "task6"}
        view.set_marks(())
        assert view.marks == frozenset()


async def test_the_focus_decides_how_loud_the_cursor_is() -> None:
    """Of two lists the focused one has the bright bar, the other a quiet one."""
    one, two = LineView(timers(1, 3), id="one"), LineView(timers(1, 3), id="two")
    app = Stage(one, two)
    async with app.run_test(size=(80, 24)) as pilot:
        two.focus()
        await pilot.pause()
        assert app.cell(5, 12)[2] == app.palette.theme.roles["cursor"]
        assert app.cell(5, 0)[2] == app.palette.theme.roles["rule"]


async def test_a_view_without_cursor_scrolls() -> None:
    """Without a cursor the movement keys move the window, and no row is highlighted."""
    view = LineView(timers(1, 60), cursor=False)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j")
        assert view.position == (2, 26, 60)
        await pilot.press("G")
        assert view.position == (36, 60, 60)
        await pilot.press("g")
        assert view.position[0] == 0
        assert app.cell(5, 0)[2] == app.palette.theme.roles["background"]


async def test_the_cursor_stays_in_sight_when_the_terminal_shrinks() -> None:
    """After a resize to fewer lines the cursor's row is still on the screen."""
    view = LineView(timers(1, 60))
    async with Stage(view).run_test(size=(80, 24)) as pilot:
        view.move_to("task20")
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        first, last, _ = view.position
        assert first <= 20 < last
        assert pilot.app.text()[20 - first].startswith(" task20")  # type: ignore[attr-defined]
