"""Dialogs: Enter waits for what there is to read, letters are the dialog's own, Esc always cancels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from console.text import sanitise
from console.widgets.dialog import SEEN_FOR, Dialog, DialogContent, DialogResult, Option
from console.widgets.lines import LineView
from console.widgets.spans import Spans
from tests.support.widgets import Stage

BODY: tuple[Spans, ...] = (
    (("load      ", "text"), ("↻", "warn"), (" try 4 of 6", "text")),
    (("report    ", "text"), (".", "dim")),
)
CLEAR = DialogContent(
    title="Clear ── trades_us 01:10",
    body=BODY,
    summary=((("2 task instances, 0 processes killed", "text"),),),
    verb="clear",
    options=(
        Option("downstream", "d", "downstream", on=True),
        Option("past", "p", "past"),
        Option("only", "f", "only failed"),
    ),
    note=True,
    ready=True,
    tag=1,
)


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Desk(Stage):
    """Pushes a dialog and keeps its result; the list under it must not hear the dialog's keys."""

    def __init__(self, dialog: Dialog) -> None:
        self.view = LineView([("a", (("a", "text"),)), ("b", (("b", "text"),))])
        super().__init__(self.view)
        self.dialog = dialog
        self.results: list[DialogResult | None] = []

    async def opened(self, pilot: Pilot[object]) -> None:
        self.push_screen(self.dialog, self.results.append)
        await pilot.pause()
        await pilot.pause()


def lines(app: Stage) -> str:
    return "\n".join(app.text())


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_it_shows_everything_in_one_frame(size: tuple[int, int]) -> None:
    """Title, body, summary, switches, note and foot stand in a frame that is centred and closed on all sides."""
    app = Desk(Dialog(CLEAR))
    async with app.run_test(size=size) as pilot:
        await app.opened(pilot)
        shown = [line for line in app.text() if line.strip() and line.strip() not in "ab"]
        assert "┌ Clear ── trades_us 01:10 ─" in shown[0]
        text = "\n".join(shown)
        for part in (
            "report    .",
            "2 task instances",
            "[x] downstream  [ ] past  [ ] only failed",
            "note  (n to write)",
        ):
            assert part in text
        assert "Esc cancel      Enter clear │" in text
        edges = {(line.index(line.strip()[0]), len(line)) for line in shown}
        assert len(edges) == 1
        left, right = edges.pop()
        assert abs(left - (size[0] - right)) <= 1


async def test_enter_is_dead_until_the_content_has_been_seen() -> None:
    """Enter before a quarter of a second is dropped, not kept; afterwards it confirms what stands there."""
    clock = Clock()
    app = Desk(Dialog(CLEAR, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += SEEN_FOR - 0.01
        await pilot.press("enter", "enter")
        assert app.results == [] and not app.dialog.armed
        clock.now += 0.02
        await pilot.pause()
        assert app.results == [] and app.dialog.armed
        await pilot.press("enter")
        assert app.results == [DialogResult({"downstream": True, "past": False, "only": False}, "", 1)]


async def test_the_foot_shows_when_enter_has_come_alive() -> None:
    """Enter's label is dim before it works, and is repainted by itself when it does."""
    clock = Clock()
    app = Desk(Dialog(CLEAR, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:

        def enter_is_bold() -> bool:
            strips = app.screen._compositor.render_strips()
            found = [part for strip in strips for part in strip if part.text == "Enter"]
            return bool(found[0].style and found[0].style.bold)

        await app.opened(pilot)
        assert not enter_is_bold()
        clock.now += 1
        await pilot.pause(SEEN_FOR + 0.1)
        assert enter_is_bold()


async def test_incomplete_content_cannot_be_confirmed() -> None:
    """Until the preview is complete Enter does nothing, however long it stands; completion starts the wait."""
    clock = Clock()
    app = Desk(Dialog(replace(CLEAR, ready=False), clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 60
        await pilot.press("enter")
        assert app.results == []
        assert "working out what this touches" in lines(app)
        app.dialog.show(CLEAR)
        await pilot.pause()
        await pilot.press("enter")
        assert app.results == []
        clock.now += 1
        await pilot.press("enter")
        assert app.results[0] is not None and app.results[0].tag == 1


async def test_what_has_not_left_for_the_terminal_has_not_been_seen() -> None:
    """While the terminal takes nothing the wait does not begin."""
    clock, drained = Clock(), [False]
    app = Desk(Dialog(CLEAR, clock=clock, on_screen=lambda: drained[0]))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 60
        await pilot.press("enter")
        assert app.results == []
        drained[0] = True
        await pilot.pause(0.2)
        clock.now += 1
        await pilot.press("enter")
        assert len(app.results) == 1


async def test_another_preview_makes_enter_wait_again_but_ticking_figures_do_not() -> None:
    """Content with another tag disarms Enter; content with the same tag and other figures leaves it alive."""
    clock = Clock()
    app = Desk(Dialog(CLEAR, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 1
        app.dialog.show(replace(CLEAR, body=((("load  in 1:13", "text"),),)))
        assert app.dialog.armed
        app.dialog.show(replace(CLEAR, tag=2))
        assert not app.dialog.armed
        await pilot.pause()
        clock.now += 1
        await pilot.press("enter")
        assert app.results[0] is not None and app.results[0].tag == 2


async def test_a_switch_asks_for_a_new_preview() -> None:
    """A letter turns its switch, its owner hears of it, and Enter is dead until the new content has been seen."""
    clock = Clock()
    heard: list[Mapping[str, bool]] = []
    dialog = Dialog(CLEAR, on_options=lambda _, values: heard.append(values), clock=clock)
    app = Desk(dialog)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 1
        await pilot.press("d", "enter")
        assert heard == [{"downstream": False, "past": False, "only": False}]
        assert app.results == []
        assert "[ ] downstream" in lines(app)
        dialog.show(replace(CLEAR, tag=2))
        await pilot.pause()
        clock.now += 1
        await pilot.press("enter")
        assert app.results == [DialogResult({"downstream": False, "past": False, "only": False}, "", 2)]


async def test_of_a_group_exactly_one_is_on() -> None:
    """Choosing one of a group turns the others off, and choosing it again changes nothing; disabled ones stay off."""
    options = (
        Option("now", "a", "retry now", on=True, group="how"),
        Option("rerun", "b", "rerun", group="how"),
        Option("never", "c", "never", enabled=False, group="how"),
    )
    app = Desk(Dialog(replace(CLEAR, options=options)))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        await pilot.press("b", "b", "c")
        assert app.dialog.values == {"now": False, "rerun": True, "never": False}
        assert "( ) retry now (a)  (•) rerun (b)" in lines(app)


async def test_escape_cancels_at_once_also_in_fields() -> None:
    """Esc ends the dialog with nothing, before it is armed and while a note is written."""
    for keys in ((), ("n", "x")):
        app = Desk(Dialog(CLEAR))
        async with app.run_test(size=(80, 24)) as pilot:
            await app.opened(pilot)
            await pilot.press(*keys, "escape")
            assert app.results == [None]


class Unpainted(Dialog):
    """A dialog whose first painting has not come yet."""

    def _open(self) -> None:
        """Stay as before the first painting."""


async def test_keys_typed_before_it_stood_there_do_nothing() -> None:
    """Letters and Enter that arrive before the first painting are dropped; Esc cancels even then."""
    clock = Clock()
    app = Desk(Unpainted(CLEAR, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 60
        await pilot.press("d", "p", "enter")
        assert app.dialog.values == {"downstream": True, "past": False, "only": False}
        assert app.results == []
        await pilot.press("escape")
        assert app.results == [None]


async def test_letters_in_a_note_are_text() -> None:
    """While a note is written letters do not switch or scroll; Enter ends the note, only the next one confirms."""
    clock = Clock()
    app = Desk(Dialog(CLEAR, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        await pilot.press("n", *"padjk", "space", *"db", "left", "backspace")
        assert "note  padjk b" in lines(app)
        clock.now += 1
        await pilot.press("enter")
        assert app.results == []
        await pilot.press("enter")
        assert app.results == [DialogResult({"downstream": True, "past": False, "only": False}, "padjk b", 1)]


async def test_a_challenge_must_be_typed_after_it_could_be_read() -> None:
    """The count is typed letter by letter once Enter is alive; a wrong one does not confirm; paste is no typing."""
    clock = Clock()
    app = Desk(Dialog(replace(CLEAR, challenge="142", note=False), clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        await pilot.press("1", "4", "2")
        clock.now += 1
        await pilot.press("enter")
        assert app.results == []
        await pilot.press("1", "4", "3", "enter")
        assert app.results == []
        await pilot.press("backspace", "2", "enter")
        assert len(app.results) == 1 and app.results[0] is not None


async def test_what_was_typed_for_one_preview_does_not_confirm_another() -> None:
    """A new preview empties the challenge: its count has to be typed again."""
    clock = Clock()
    content = replace(CLEAR, challenge="142", note=False)
    app = Desk(Dialog(content, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 1
        await pilot.press("1", "4", "2")
        app.dialog.show(replace(content, tag=2))
        await pilot.pause()
        clock.now += 1
        await pilot.press("enter")
        assert app.results == []
        await pilot.press("1", "4", "2", "enter")
        assert len(app.results) == 1


async def test_a_refusal_takes_enter_away_and_says_why() -> None:
    """A refused action shows the reason where Enter would stand, and cannot be confirmed."""
    clock = Clock()
    app = Desk(Dialog(replace(CLEAR, refusal="ops2 cleared this at 02:12"), clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        clock.now += 60
        await pilot.press("enter")
        assert app.results == []
        assert "ops2 cleared this at 02:12" in lines(app) and "Enter" not in lines(app)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_long_body_scrolls_between_a_fixed_head_and_foot(size: tuple[int, int]) -> None:
    """A body of 200 rows scrolls by the movement keys, says where it is, and leaves the foot in sight."""
    body = tuple((((f"row {at}"), "text"),) for at in range(200))
    app = Desk(Dialog(replace(CLEAR, body=body)))
    async with app.run_test(size=size) as pilot:
        await app.opened(pilot)
        assert "row 0 " in lines(app) and " lines 1–" in lines(app) and " of 200 " in lines(app)
        await pilot.press("j", "j")
        assert "row 0 " not in lines(app) and "row 2 " in lines(app)
        await pilot.press("G")
        assert "row 199 " in lines(app) and "Esc cancel" in lines(app) and "┌ Clear" in lines(app)
        await pilot.press("g")
        assert "row 0 " in lines(app)
        assert app.view.cursor_key == "a"


async def test_hostile_and_wide_content_stays_in_its_frame() -> None:
    """Markup, escapes and wide text are drawn as text, and every line of the frame ends at the same column."""
    hostile = ["[/]", "[@click=app.quit]x[/]", sanitise("\x1b]0;x\x07"), "天気" * 60, sanitise("e" + "\u0301" * 50)]
    content = replace(CLEAR, title="天気" * 60, body=tuple(((text, "bad"),) for text in hostile))
    app = Desk(Dialog(content))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        assert "[@click=app.quit]x[/]" in lines(app)
        strips = [strip for strip in app.screen._compositor.render_strips() if "│" in strip.text]
        assert len(strips) > 8
        for strip in strips:
            assert strip.cell_length == 80
            assert strip.crop(77, 78).text == "│"


async def test_a_dialog_without_verb_only_closes() -> None:
    """An explanation has nothing to confirm: Enter does nothing and Esc closes."""
    app = Desk(Dialog(DialogContent(title="Why is load not running?", body=BODY, ready=True)))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.opened(pilot)
        assert "Esc close" in lines(app) and "Enter" not in lines(app)
        await pilot.press("enter", "escape")
        assert app.results == [None]


def test_switches_may_not_take_the_movement_keys() -> None:
    """A switch on a reserved or repeated letter is refused when the dialog is made."""
    with pytest.raises(ValueError, match="must be single, different"):
        Dialog(replace(CLEAR, options=(Option("x", "j", "junk"),)))
    with pytest.raises(ValueError, match="must be single, different"):
        Dialog(replace(CLEAR, options=(Option("x", "x", "x"), Option("y", "x", "y"))))
