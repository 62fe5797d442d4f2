"""A window on a log: it asks for what is in sight, follows, searches, and shows hostile lines harmlessly."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.text import sanitise
from console.widgets.log import LogLine, LogView
from console.widgets.log_lines import MOST_CHARACTERS, cut_columns, fold, mark_matches
from console.widgets.spans import spans_width
from tests.support.widgets import Stage, area, repaints

SIZES = [(80, 24), (160, 50)]


class Memory:
    """Lines in memory, by byte offset; counts how many it hands out."""

    def __init__(self, lines: Sequence[str | bytes]) -> None:
        self.offsets: list[int] = []
        self.raws: list[bytes] = []
        self.handed = 0
        self.size = 0
        for line in lines:
            self.add(line)

    def add(self, line: str | bytes) -> None:
        raw = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
        self.offsets.append(self.size)
        self.raws.append(raw)
        self.size += len(raw) + 1

    def end(self) -> int:
        return self.size

    def after(self, offset: int, count: int) -> list[LogLine]:
        first = max(bisect_right(self.offsets, offset) - 1, 0)
        return self._lines(first, first + count) if offset < self.size else []

    def before(self, offset: int, count: int) -> list[LogLine]:
        last = bisect_left(self.offsets, offset)
        return self._lines(max(last - count, 0), last)

    def _lines(self, first: int, last: int) -> list[LogLine]:
        found = [
            LogLine(offset, offset + len(raw) + 1, raw)
            for offset, raw in zip(self.offsets[first:last], self.raws[first:last], strict=True)
        ]
        self.handed += len(found)
        return found


class Listener(Stage):
    """Counts what the view says of itself."""

    def on_log_view_moved(self, event: LogView.Moved) -> None:
        self.heard.append(event.view.following)


def numbered(count: int) -> Memory:
    return Memory([f"line {at}" for at in range(count)])


@pytest.mark.parametrize("size", SIZES)
async def test_it_opens_at_the_end_and_asks_only_for_what_is_in_sight(size: tuple[int, int]) -> None:
    """Of 100,000 lines the last screenful is asked for and shown."""
    source = numbered(100_000)
    view = LogView(source)
    app = Stage(view)
    async with app.run_test(size=size):
        assert view.following
        assert app.text()[-1] == "line 99999" and app.text()[0] == f"line {100_000 - size[1]}"
        assert source.handed <= 4 * size[1]


async def test_following_shows_what_comes_and_costs_a_screenful() -> None:
    """However many lines came since the last frame, one refresh asks for one screenful and ends at the newest."""
    source = numbered(100)
    view = LogView(source)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        for at in range(5000):
            source.add(f"new {at}")
        source.handed = 0
        view.grown()
        assert source.handed == 24
        await pilot.pause()
        assert app.text()[-1] == "new 4999"


async def test_scrolling_up_ends_following_and_the_window_stays() -> None:
    """After `k` new lines do not move the window; `G` goes to the end and follows again; both are told."""
    source = numbered(100)
    view = LogView(source)
    app = Listener(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("k", "k")
        assert not view.following and app.text()[0] == "line 74"
        for at in range(100, 150):
            source.add(f"line {at}")
        with repaints(view) as seen:
            view.grown()
        assert seen == []
        await pilot.press("j")
        assert app.text()[0] == "line 75" and not view.following
        app.heard.clear()
        await pilot.press("G")
        assert view.following and app.text()[-1] == "line 149"
        assert app.heard == [True]


async def test_the_movement_keys_reach_both_ends_and_stop_there() -> None:
    """Pages, halves and ends move the window, and it never leaves the log."""
    view = LogView(numbered(200))
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        tops = []
        for key in ("g", "pagedown", "ctrl+d", "ctrl+u", "pageup", "k", "end", "pagedown", "pageup"):
            await pilot.press(key)
            tops.append(app.text()[0])
        assert tops == [f"line {at}" for at in (0, 23, 34, 23, 0, 0, 176, 176, 153)]
        for _ in range(10):
            await pilot.press("pagedown")
        assert app.text()[-1] == "line 199"


async def test_a_short_log_starts_at_the_top() -> None:
    """A log that is shorter than the window, or empty, is shown from the first line on."""
    source = Memory([])
    view = LogView(source)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.text() == [""] * 24
        await pilot.press("g", "k", "j", "G")
        source.add("first")
        view.grown()
        await pilot.pause()
        assert app.text()[:2] == ["first", ""]


async def test_going_to_a_line_shows_its_surroundings_and_marks_it() -> None:
    """A line that was out of sight comes a third from the top, with lines before it, and is highlighted."""
    source = numbered(1000)
    view = LogView(source)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        view.go_to(source.offsets[500])
        await pilot.pause()
        assert app.text()[8] == "line 500"
        assert app.cell(3, 8)[2] == app.palette.theme.roles["cursor"]
        assert app.cell(3, 7)[2] == app.palette.theme.roles["background"]
        view.go_to(source.offsets[505])
        await pilot.pause()
        assert app.text()[8] == "line 500" and app.cell(3, 13)[2] == app.palette.theme.roles["cursor"]
        assert view.current == source.offsets[505]


async def test_matches_are_marked_across_colours() -> None:
    """A search marks its matches in the text as it is shown, also where colours change inside of them."""
    view = LogView(Memory(["\x1b[31mConn\x1b[0mectionError: refused"]))
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        view.highlight(re.compile("connectionerror", re.IGNORECASE))
        await pilot.pause()
        ground = app.palette.theme.roles
        assert [app.cell(x, 0)[2] for x in (0, 14, 15)] == [ground["cursor"], ground["cursor"], ground["background"]]
        assert app.text()[0] == "ConnectionError: refused"
        view.highlight(None)
        await pilot.pause()
        assert app.cell(0, 0)[2] == ground["background"]


async def test_long_lines_scroll_sideways_or_fold() -> None:
    """Unfolded lines scroll by columns while what decorates them stays; folded ones take several lines."""
    view = LogView(Memory(["0123456789" * 20, "next"]), decorate=lambda line: ((f"{line.offset:>4} ", "dim"),))
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.text()[0] == "   0 " + "0123456789" * 7 + "0123…", "what is cut is seen as cut"
        await pilot.press("right")
        assert app.text()[0].startswith("   0 8901234567")
        assert app.text()[0].endswith("8901…") and app.text()[1] == " 201"
        view.wrap(True)
        await pilot.pause()
        assert view.wrapped
        assert app.text()[:4] == [
            "   0 " + ("0123456789" * 20)[:75],
            "     " + ("0123456789" * 20)[75:150],
            "     " + ("0123456789" * 20)[150:],
            " 201 next",
        ]


async def test_folded_lines_scroll_by_the_lines_of_the_screen() -> None:
    """A window may begin inside a folded line, going down and going up."""
    view = LogView(Memory([chr(97 + at) * 200 for at in range(20)]))
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        view.wrap(True)
        await pilot.press("g", "j")
        assert app.text()[0] == "a" * 80 and app.text()[1] == "a" * 40
        await pilot.press("j", "j")
        assert app.text()[0] == "b" * 80
        await pilot.press("k", "k")
        assert app.text()[0] == "a" * 80 and app.text()[1] == "a" * 40


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_lines_are_shown_and_not_obeyed(size: tuple[int, int]) -> None:
    """Escapes, carriage returns, markup, invalid bytes and bidirectional controls keep every line in its cells."""
    lines = [
        "\x1b[2J\x1b]52;c;x\x07",
        "10%\r20%",
        "[/] [@click=app.quit]x[/]",
        b"\xff\xfe\x9b31m",
        "\u202eabc",
        "天気" * 90,
    ]
    app = Stage(LogView(Memory(lines)))
    async with app.run_test(size=size):
        strips = app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {size[0]}
        assert app.text()[:5] == [
            "^[[2J^[]52;c;x^G",
            "10%^M20%",
            "[/] [@click=app.quit]x[/]",
            r"\xff\xfe\x9b31m",
            r"\u202eabc",
        ]
        assert all(strip.text.isprintable() for strip in strips)


async def test_an_endless_line_is_bounded() -> None:
    """Of a line of millions of characters a part is shown, and how much more there is."""
    view = LogView(Memory(["x" * (MOST_CHARACTERS + 1_234_567)]))
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        view.wrap(True)
        await pilot.press("G")
        assert app.text()[-1].endswith(" … 1,234,567 more")


async def test_equal_lines_are_not_repainted() -> None:
    """When the same lines are taken again nothing is repainted, and a line that grew only from there on."""
    source = Memory(["one", "two"])
    view = LogView(source)
    async with Stage(view).run_test(size=(80, 24)):
        with repaints(view) as seen:
            view.grown()
        assert seen == []
        source.raws[1] = b"two and more"
        source.size = 100
        view.reread()
        with repaints(view) as seen:
            source.raws[1] = b"two and most"
            view.reread()
        assert area(seen) == 2


@given(st.text(alphabet="ab天é", max_size=40).map(sanitise), st.integers(2, 9), st.integers(0, 12))
def test_folding_and_cutting_keep_their_width(text: str, width: int, column: int) -> None:
    """Folds are at most as wide as asked for and lose nothing; a cut begins at its column, and says where it ends."""
    spans = ((text[:7], "text"), (text[7:], "bad"))
    folds = fold(spans, width)
    assert all(spans_width(part) <= width for part in folds)
    assert "".join(piece for part in folds for piece, _ in part) == text
    cut, whole = cut_columns(spans, column, width), spans_width(spans)
    assert spans_width(cut) == max(min(whole - column, width), 0)
    assert ("…" in "".join(piece for piece, _ in cut)) is (whole > column + width)


def test_marking_keeps_the_text_and_ignores_empty_matches() -> None:
    """Marking changes styles only, and a pattern that matches nothing marks nothing."""
    spans = (("abc", "text"), ("def", "bad"))
    assert mark_matches(spans, re.compile("x*")) == spans
    assert mark_matches(spans, re.compile("cd")) == (
        ("ab", "text"),
        ("c", "cursor"),
        ("d", "cursor"),
        ("ef", "bad"),
    )
