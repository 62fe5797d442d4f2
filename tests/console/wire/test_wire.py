"""The picture of the terminal: after any updates the terminal shows what a full repaint would, for the fewest bytes."""

from __future__ import annotations

import random
import unicodedata

import pyte
import pytest
import textual
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from console import wire
from console.pens import PLAIN, UNKNOWN, Pen, erases, turn
from console.text import cells, fit, sanitise
from console.wire import SafeLineFilter, Wire, printable
from tests.support.pty import seen

WIDTH, HEIGHT = 40, 8
STYLES = [
    Style.parse(text)
    for text in ("#ff0000 on #000000", "bold #00ff00 on #101010", "#c0c0c0 on #101010", "reverse", "underline #c0c0c0")
]
WORDS = ["a", "load", "天気", "e\u0301", "✓", "►", "ﾊ", "👍", "0", "42", " ", "  ", " " * 20, "─"]


class Terminal:
    """A terminal that shows what the wire sends."""

    def __init__(self, *, erases: bool = False, height: int = HEIGHT) -> None:
        self.wire = Wire()
        self.wire.erases = erases
        self.wire.resize(WIDTH, height)
        self.screen = pyte.Screen(WIDTH, height)
        self.screen.reset_mode(7, private=True)
        self._stream = pyte.Stream(self.screen)

    def paint(self, y: int, first: int, last: int, strip: Strip) -> None:
        self.wire.paint(y, 0, first, last, strip, ColorSystem.TRUECOLOR)

    def frame(self) -> str:
        data = self.wire.frame()
        self._stream.feed(data)
        return data

    def shown(self) -> list[list[tuple[object, ...]]]:
        return seen(self.screen)


def random_strip(dice: random.Random) -> Strip:
    segments: list[Segment] = []
    left = WIDTH
    while left:
        text = fit("".join(dice.choices(WORDS, k=dice.randint(1, 4))), dice.choice((1, 3, 8, 25)), cut="hard")
        text = fit(text, left, cut="hard") if sum(size for _, size in cells(text)) > left else text
        segments.append(Segment(text, dice.choice(STYLES)))
        left -= sum(size for _, size in cells(text))
    return Strip(segments, WIDTH)


def by_cell(strip: Strip) -> list[tuple[str, Style | None]]:
    """What stands in each cell; a wide character stands in its first."""
    return [
        each
        for segment in strip
        for piece, size in cells(segment.text)
        for each in [(piece, segment.style), ("", segment.style)][:size]
    ]


def splice(old: Strip, other: Strip, first: int, last: int) -> Strip:
    """The old strip with some columns of the other; halves of wide characters become blanks."""
    mixed = by_cell(old)[:first] + by_cell(other)[first:last] + by_cell(old)[last:]
    for x, (text, style) in enumerate(mixed):
        if (is_wide(text) and (x + 1 == WIDTH or mixed[x + 1][0])) or (
            not text and (x == 0 or not is_wide(mixed[x - 1][0]))
        ):
            mixed[x] = (" ", style)
    return Strip([Segment(text, style) for text, style in mixed if text], WIDTH)


def is_wide(text: str) -> bool:
    return sum(size for _, size in cells(text)) == 2


def changed(old: Strip, new: Strip) -> list[int]:
    """The columns on which two strips differ."""
    return [x for x, (before, after) in enumerate(zip(by_cell(old), by_cell(new), strict=True)) if before != after]


@pytest.mark.parametrize("erases", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_any_updates_end_in_the_picture_of_a_full_repaint(seed: int, erases: bool) -> None:
    """After each of 400 random span updates the terminal shows, cell by cell, what painting everything anew shows."""
    dice = random.Random(seed)
    live = Terminal(erases=erases)
    truth = [random_strip(dice) for _ in range(HEIGHT)]
    for y, strip in enumerate(truth):
        live.paint(y, 0, WIDTH, strip)
    live.frame()
    for step in range(400):
        y = dice.randrange(HEIGHT)
        old, mix = truth[y], random_strip(dice)
        first = dice.randrange(WIDTH)
        last = min(WIDTH, first + dice.randint(1, 12))
        new = splice(old, mix, first, last)
        truth[y] = new
        columns = [first, last - 1, *changed(old, new)]
        live.paint(y, min(columns), max(columns) + 1, new)
        if dice.random() < 0.7:
            live.frame()
        if step % 40 == 39:
            live.frame()
            fresh = Terminal()
            for at, strip in enumerate(truth):
                fresh.paint(at, 0, WIDTH, strip)
            fresh.frame()
            assert live.shown() == fresh.shown()
            expected = [unicodedata.normalize("NFC", strip.text) for strip in truth]
            assert [unicodedata.normalize("NFC", line) for line in live.screen.display] == expected


@pytest.mark.parametrize(("column", "shown"), [(0, "a 気"), (1, " b気"), (2, "天c "), (3, "天 d")])
def test_overwriting_half_of_a_wide_character_blanks_the_other(column: int, shown: str) -> None:
    """A narrow character over either half of a wide one leaves a blank beside it, on the terminal as in the picture."""
    terminal = Terminal()
    terminal.paint(0, 0, WIDTH, Strip([Segment("天気" + " " * 36)], WIDTH))
    terminal.frame()
    terminal.paint(0, column, column + 1, Strip([Segment("abcd" + " " * 36)], WIDTH))
    terminal.frame()
    assert terminal.screen.display[0].rstrip() == shown.rstrip()


@pytest.mark.parametrize("column", [0, 1])
def test_a_span_over_half_of_a_wide_character_sends_it_whole(column: int) -> None:
    """A dirty span that begins or ends inside a wide character covers both of its cells."""
    terminal = Terminal()
    terminal.frame()
    terminal.paint(0, column, column + 1, Strip([Segment("天" + " " * 38)], WIDTH))
    terminal.frame()
    assert terminal.screen.display[0].rstrip() == "天"


def test_a_strip_that_lies_about_its_width_harms_no_neighbour() -> None:
    """A strip with fewer or more cells than it says is padded or cut to what it says; the rest of the row stays."""
    for text in ("ab", "天天天天天天", "a" * 30):
        terminal = Terminal()
        terminal.paint(0, 0, WIDTH, Strip([Segment("x" * WIDTH)], WIDTH))
        terminal.frame()
        terminal.wire.paint(0, 0, 0, 10, Strip([Segment(text)], 10), ColorSystem.TRUECOLOR)
        terminal.paint(0, 39, 40, Strip([Segment("x" * 39 + "y")], WIDTH))
        terminal.frame()
        assert terminal.screen.display[0].endswith("x" * 29 + "y")


def test_equal_content_sends_nothing() -> None:
    """Painting what already stands there makes an empty frame."""
    terminal = Terminal()
    strip = random_strip(random.Random(1))
    terminal.paint(0, 0, WIDTH, strip)
    assert terminal.frame()
    terminal.paint(0, 0, WIDTH, Strip(list(strip), WIDTH))
    assert terminal.frame() == ""
    assert not terminal.wire.pending


def test_forgetting_sends_everything_again() -> None:
    """After `forget` the next frame repaints every cell, colours included."""
    terminal = Terminal()
    strip = random_strip(random.Random(1))
    terminal.paint(3, 0, WIDTH, strip)
    first = terminal.frame()
    terminal.wire.forget()
    assert terminal.wire.pending
    assert terminal.frame() == first


def test_two_cell_timers_cost_a_few_bytes_each() -> None:
    """16 timers of two cells at column 60 cost at most 16 bytes each in a frame, colours included."""
    picture = Wire()
    picture.resize(160, 50)
    ground = Style.parse("#c8ced8 on #11141a")

    def row(seconds: int) -> Strip:
        timer = Segment(f"{seconds:02d}", Style.parse("#6cc7d6 on #11141a"))
        return Strip([Segment(" " * 60, ground), timer, Segment(" " * 98, ground)], 160)

    frames = []
    for seconds in (11, 22, 33):
        for y in range(16):
            picture.paint(y, 0, 60, 62, row(seconds), ColorSystem.TRUECOLOR)
        frames.append(picture.frame())
    assert len(frames[2]) <= 16 * 16
    assert frames[2].count("33") == 16


def test_a_blank_costs_no_change_of_what_is_not_seen_on_it() -> None:
    """Between two columns of one colour blanks of another foreground change nothing; an underlined one is drawn so."""
    terminal = Terminal()
    terminal.frame()
    grey, red, line = (Style.parse(text) for text in ("#808080 on #101010", "red on #101010", "underline"))
    terminal.paint(0, 0, 8, Strip([Segment("ab", red), Segment("   ", grey), Segment("cd", red), Segment(" ", line)]))
    assert terminal.frame().count("m") == 2
    assert terminal.screen.display[0].rstrip() == "ab   cd"
    assert terminal.screen.buffer[0][7].underscore and not terminal.screen.buffer[0][4].underscore
    assert terminal.screen.buffer[0][4].bg == "101010"


def test_a_cursor_that_moves_costs_little_more_than_the_text_of_two_rows() -> None:
    """On a terminal that erases in colour, two rows of 160 cells that swap the cursor take less than 200 bytes."""
    picture = Wire()
    picture.erases = True
    picture.resize(160, 50)
    plain, dim, cursor = (
        Style.parse(text) for text in ("#c8ced8 on #11141a", "#78818f on #11141a", "#11141a on #c8ced8")
    )

    def put(y: int, *, on: bool) -> None:
        parts = [("task_one   ", plain), ("success   ", dim), (" " * 20 + "8.0s  ", plain), (" " * 113, dim)]
        strip = Strip([Segment(text, cursor if on else style) for text, style in parts], 160)
        picture.paint(y, 0, 0, 160, strip, ColorSystem.TRUECOLOR)

    put(5, on=True)
    put(6, on=False)
    picture.frame()
    put(5, on=False)
    put(6, on=True)
    assert 100 < len(picture.frame()) < 200


@pytest.mark.parametrize(
    ("old", "new", "shortest"),
    [
        (Pen("1", "31", "40"), Pen("", "31", "40"), "\x1b[22m"),
        (Pen("1;2", "31", "40"), Pen("1", "31", "40"), "\x1b[22;1m"),
        (Pen("", "31", "40"), Pen("4", "32", "40"), "\x1b[4;32m"),
        (Pen("1;3;4", "31", ""), PLAIN, "\x1b[0m"),
        (Pen("", "31", "40"), Pen("", "", "40"), "\x1b[39m"),
        (UNKNOWN[1], Pen("1", "31", ""), "\x1b[0;1;31m"),
    ],
)
def test_from_one_pen_to_another_the_shortest_way_is_taken(old: Pen, new: Pen, shortest: str) -> None:
    """Only what differs is switched, unless starting over is shorter; of an unknown pen nothing is relied on."""
    assert turn(old, new) == shortest


@pytest.mark.parametrize(("term", "does"), [("xterm-256color", True), ("tmux-256color", False), ("linux", False)])
def test_only_terminals_that_erase_in_colour_are_told_to(term: str, does: bool) -> None:
    """Cells are erased where the kind of terminal is known to do so in the colour that is set."""
    assert erases({"TERM": term}) is does


def test_a_terminal_that_does_not_keep_up_gets_one_frame_for_many() -> None:
    """While the terminal is not ready nothing is made; the next frame is the difference to the latest picture only."""
    terminal = Terminal()
    terminal.frame()
    ready = [False]
    terminal.wire.ready = lambda: ready[0]
    for count in range(100):
        terminal.paint(0, 0, WIDTH, Strip([Segment(f"{count:<40}")], WIDTH))
        assert terminal.frame() == ""
        assert terminal.wire.pending
    ready[0] = True
    frame = terminal.frame()
    assert "99" in frame and "98" not in frame
    assert terminal.screen.display[0].rstrip() == "99"
    assert not terminal.wire.pending


def test_no_strip_can_send_a_control_character() -> None:
    """Even text that no filter has seen goes out as printable characters, in the cells that Textual counted for it."""
    terminal = Terminal()
    terminal.paint(0, 0, WIDTH, Strip([Segment("a\x1b]0;x\x07b\x9bc\u202ed\u26a0\ufe0f")]).adjust_cell_length(WIDTH))
    frame = terminal.frame()
    assert set(map(ord, frame)) & {0x07, 0x9B, 0x202E, 0xFE0F} == set()
    assert terminal.screen.display[0].startswith("a]0;xbcd??")


def test_a_version_of_textual_that_was_not_tested_keeps_its_own_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untested Textual is left alone, and the reason names both versions."""
    stock = wire.ChopsUpdate.render_segments
    monkeypatch.setattr(wire, "TESTED", ("0.0.1",))
    reason = wire.install()
    assert reason is not None and textual.__version__ in reason and "0.0.1" in reason
    assert wire.ChopsUpdate.render_segments is stock
    assert not wire.installed()


def test_the_rendering_can_be_put_back() -> None:
    """Installing replaces the rendering, once, and uninstalling restores it."""
    stock = wire.ChopsUpdate.render_segments
    try:
        assert wire.install() is None
        assert wire.install() is None
        assert wire.ChopsUpdate.render_segments is not stock
    finally:
        wire.uninstall()
    assert wire.ChopsUpdate.render_segments is stock


HOSTILE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    "\u202e",
    "\u2066",
    "\u200b",
    "\U000e0041",
    "\udc80",
    "\x1b]52;c;aGk=\x07",
    "\x1b]8;;http://x\x1b\\",
    "\x1bP+q\x1b\\",
    "\x1b_G\x1b\\",
    "\x1b[6n",
    "\u26a0\ufe0f",
    "👩\u200d👧",
    "🇩🇪",
    "e" + "\u0301" * 40,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_filter_lets_only_printable_text_through_in_the_same_cells(text: str) -> None:
    """Whatever a widget draws, the filter's output is printable and as wide as Textual counted the input."""
    before = Strip([Segment("ab" + text + "cd", Style(bold=True))])
    after = before.apply_filter(SafeLineFilter(), Color(0, 0, 0))
    assert after.text.isprintable()
    assert sanitise(after.text) == after.text
    assert Strip(list(after)).cell_length == before.cell_length
    assert after.text.startswith("ab") and after.text.endswith("cd")


def test_the_filter_removes_links_and_control_segments() -> None:
    """Links and segments that are terminal commands do not pass."""
    link = Segment("x", Style(link="http://x"))
    command = Segment("\x1b[2J", None, [(1,)])  # type: ignore[list-item]
    kept = SafeLineFilter().apply([link, command], Color(0, 0, 0))
    assert [segment.text for segment in kept] == ["x"]
    assert kept[0].style is not None and kept[0].style.link is None


def test_the_filter_translates_for_terminals_without_unicode_or_colour() -> None:
    """In ASCII mode signs become ASCII cell by cell; in monochrome colours go and attributes stay."""
    plain = SafeLineFilter(ascii_only=True, monochrome=True)
    (kept,) = plain.apply([Segment("✓ 天 é─", Style.parse("bold red on blue"))], Color(0, 0, 0))
    assert kept.text == "+ ?? ?-"
    assert kept.style is not None and kept.style.bold
    assert kept.style.color is None and kept.style.bgcolor is None


def test_safe_segments_pass_untouched() -> None:
    """Ordinary segments are the same objects afterwards: the net costs nothing where there is nothing to catch."""
    segment = Segment("✓ load", Style(bold=True))
    assert SafeLineFilter().apply([segment], Color(0, 0, 0))[0] is segment
    assert printable("load") == "load"


@pytest.mark.parametrize("by", [1, 3, -1, -2])
def test_rows_that_move_together_are_moved_by_the_terminal(by: int) -> None:
    """A log that goes on, or a list that scrolls, costs the rows that come and what differs, not the whole window."""
    terminal = Terminal(height=24)
    plain, lit = Style.parse("#c8ced8 on #11141a"), Style.parse("#11141a on #c8ced8")

    def line(number: int) -> str:
        return f"{number * 7919 % 99991:05} " * 5

    def show(first: int) -> None:
        terminal.paint(0, 0, WIDTH, Strip([Segment("title".ljust(WIDTH), plain)], WIDTH))
        for y in range(1, 23):
            text = line(first + y).ljust(WIDTH)
            terminal.paint(y, 0, WIDTH, Strip([Segment(text, lit if y == 12 else plain)], WIDTH))

    show(100)
    whole = len(terminal.frame())
    show(100 + by)
    assert len(terminal.frame()) < whole / 3
    expected = ["title", *(line(100 + by + y).rstrip() for y in range(1, 23)), ""]
    assert [line.rstrip() for line in terminal.screen.display] == expected
    fresh = Terminal(height=24)
    terminal, moving = fresh, terminal
    show(100 + by)
    fresh.frame()
    assert moving.shown() == fresh.shown()


@pytest.mark.parametrize("seed", range(4))
def test_any_scrolling_ends_in_the_picture_of_a_full_repaint(seed: int) -> None:
    """Windows of rows that scroll by any number of lines, with rows among them that do not, stay true cell by cell."""
    dice = random.Random(seed)
    live, truth = Terminal(height=24), [random_strip(dice) for _ in range(24)]
    for step in range(60):
        top, size, by = dice.randrange(6), dice.randint(10, 18), dice.choice((-4, -1, 1, 2, 7))
        window = truth[top : top + size]
        fresh = [random_strip(dice) for _ in range(abs(by))]
        truth[top : top + size] = (window + fresh)[-size:] if by > 0 else (fresh + window)[:size]
        for y in dice.sample(range(24), dice.randrange(4)):
            truth[y] = random_strip(dice)
        for y, strip in enumerate(truth):
            live.paint(y, 0, WIDTH, strip)
        live.frame()
        if step % 10 == 9:
            again = Terminal(height=24)
            for y, strip in enumerate(truth):
                again.paint(y, 0, WIDTH, strip)
            again.frame()
            assert live.shown() == again.shown()


def test_the_row_to_which_the_cursor_has_come_is_sent_first() -> None:
    """Also where it stands below the one that it has left."""
    terminal = Terminal()
    plain, lit = Style.parse("#c8ced8 on #11141a"), Style.parse("#11141a on #c8ced8")

    def show(at: int) -> str:
        for y in range(HEIGHT):
            text = f"row {y}".ljust(WIDTH)
            terminal.paint(y, 0, WIDTH, Strip([Segment(text, lit if y == at else plain)], WIDTH))
        return terminal.frame()

    show(2)
    frame = show(3)
    assert frame.index("row 3") < frame.index("row 2")
