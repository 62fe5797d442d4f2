"""Keys that come faster than the screen changes: what is typed after `/` or `:` is text, never commands."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import App

from console.widgets.sheet import Sheet
from tests.support.console import console, trades, world


def burst(app: App[object], text: str) -> None:
    """Sends keys as one write of a terminal does: all of them before any has been handled."""
    for character in text:
        key = {"/": "slash", ":": "colon", "\r": "enter"}.get(character, character)
        app.post_message(events.Key(key, character))


@pytest.mark.parametrize("text", ["/seq", ":clear", "/host"])
async def test_a_burst_after_the_prompts_key_is_text(text: str) -> None:
    """No letter of it quits, opens a dialog or moves the cursor: all of them stand in the prompt."""
    async with console(world(trades("failed"))) as screen:
        burst(screen.app, text)
        await screen.until(lambda: screen.app.stage.prompt.text == text[1:], "the prompt has all of it")
        assert screen.app.screen is screen.app.stage
        await screen.press("escape", "j")
        assert screen.app.stage.prompt.text == text[1:], "after Esc the prompt takes nothing more"


@pytest.mark.parametrize("turns", [1, 2, 3, 5])
async def test_keys_that_come_a_moment_apart_keep_their_order(turns: int) -> None:
    """However many turns of the loop lie between two keys, none overtakes another on its way to the prompt."""
    async with console(world(trades("failed"))) as screen:
        for character in ":theme jkgG":
            key = {":": "colon", " ": "space"}.get(character, character)
            screen.app.post_message(events.Key(key, character))
            for _ in range(turns):
                await asyncio.sleep(0)
        await screen.settle()
        assert screen.app.stage.prompt.text == "theme jkgG"


async def test_a_filter_typed_in_a_burst_with_its_enter_filters() -> None:
    """The whole line is taken, and Enter closes the prompt."""
    async with console(world(trades("failed"))) as screen:
        burst(screen.app, "/nosuch\r")
        await screen.settle()
        assert "filter nosuch" in screen.text
        assert screen.app.screen is screen.app.stage


async def test_keys_behind_the_enter_of_a_line_are_about_what_it_leads_to() -> None:
    """`:run trades_us`, Enter and `4` in one write: the run over time, and no 4 in the line."""
    async with console(world(trades("failed")), (120, 30)) as screen:
        burst(screen.app, ":run")
        screen.app.post_message(events.Key("space", " "))
        burst(screen.app, "trades_us\r4")
        await screen.shows("critical path")
        assert screen.app.place.view == "run"


async def test_keys_behind_one_that_opens_a_dialog_are_dropped() -> None:
    """`c` opens the clear dialog; the `r` behind it in the same write opens no second one."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j")
        burst(screen.app, "cr")
        await screen.settle()
        above = screen.app.screen_stack[screen.app.screen_stack.index(screen.app.stage) + 1 :]
        assert len(above) == 1


async def test_a_command_line_names_a_dag_on_the_overview_or_says_that_there_is_none() -> None:
    """`:clear NAME` is about that DAG and no other; an unknown name changes nothing and is said."""
    async with console(world(trades("failed"))) as screen:
        await screen.press(":", *"clear nosuch", "enter")
        assert "there is no DAG 'nosuch'" in screen.text
        assert screen.app.screen is screen.app.stage
        await screen.press(":", *"clear trades_us", "enter")
        assert screen.app.screen is not screen.app.stage
        assert "trades_us" in screen.text


@pytest.mark.parametrize("key", ["question_mark", "t", "c"])
async def test_what_has_ended_ends_nothing_else(key: str) -> None:
    """A second Esc that was on its way to a list, a form or a dialog when the first closed it ends nothing more."""
    async with console(world(trades("failed"))) as screen:
        await screen.press("j", key)
        sheet = screen.app.screen
        assert isinstance(sheet, Sheet)
        for _ in range(2):
            sheet.post_message(events.Key("escape", "\x1b"))
        await screen.settle()
        assert screen.app.screen is screen.app.stage
        await screen.press("question_mark")
        assert screen.app.screen is not screen.app.stage
        sheet.dismiss(None)
        await screen.settle()
        assert screen.app.screen is not screen.app.stage, "the one that is open is another"
