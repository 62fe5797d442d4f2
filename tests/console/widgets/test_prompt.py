"""Prompts and the line editor behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Paste

from console.widgets.edit import LineEdit
from console.widgets.prompt import Prompt
from console.widgets.spans import spans_width
from tests.support.widgets import Stage


class Listener(Stage):
    """Keeps what the prompt says."""

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self.heard.append(("changed", event.text))

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.heard.append(("submitted", event.text))

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        self.heard.append(("cancelled", event.text))


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_typing_submitting_and_cancelling_are_told(size: tuple[int, int]) -> None:
    """Each change, Enter and Esc become messages with the text as it stands, and the line shows it."""
    prompt = Prompt("/")
    app = Listener(prompt)
    async with app.run_test(size=size) as pilot:
        await pilot.press("d", "b", "enter", "escape")
        assert app.heard == [("changed", "d"), ("changed", "db"), ("submitted", "db"), ("cancelled", "db")]
        assert app.text()[0] == "/db"
        assert app.cell(3, 0)[2] == app.palette.theme.roles["cursor"]


async def test_what_is_typed_or_pasted_is_text() -> None:
    """Markup is drawn as it stands; a paste gives its first line, made safe."""
    prompt = Prompt(":")
    app = Listener(prompt)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(Paste("[/] \x1b[2J\u202e\nsecond line"))
        await pilot.pause()
        assert prompt.text == r"[/] ^[[2J\u202e"
        assert app.text()[0] == r":[/] ^[[2J\u202e"


async def test_up_and_down_recall_and_keep_the_draft() -> None:
    """Up goes back through the history, down returns to what was being typed."""
    prompt = Prompt("/")
    app = Listener(prompt)
    async with app.run_test(size=(80, 24)) as pilot:
        prompt.open("/", "x", history=["first", "second"])
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(prompt.text)
        assert seen == ["second", "first", "first", "second", "x", "x"]


async def test_tab_goes_through_the_candidates() -> None:
    """Tab puts in one candidate after another; typing starts a new completion."""
    prompt = Prompt(":", complete=lambda text: [name for name in ("runs", "rerun", "resume") if name.startswith(text)])
    app = Listener(prompt)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r", "e", "tab")
        assert prompt.text == "rerun"
        await pilot.press("tab", "tab")
        assert prompt.text == "rerun"
        prompt.open(":", "zzz")
        await pilot.press("tab")
        assert prompt.text == "zzz"


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "天",
                "e\u0301",
                " ",
                "left",
                "right",
                "home",
                "end",
                "backspace",
                "delete",
                "ctrl+w",
                "ctrl+k",
                "ctrl+u",
            ]
        )
    ),
    st.integers(1, 12),
)
def test_an_editor_never_leaves_its_width(keys: list[str], width: int) -> None:
    """After any keys the drawn text is exactly as wide as asked for, and has one cursor."""
    edit = LineEdit(most=20)
    for key in keys:
        assert edit.key(key, key if not key.isascii() or len(key) == 1 else None)
        spans = edit.spans(width)
        assert spans_width(spans) == width
        assert len([1 for _, token in spans if token == "cursor"]) == 1


def test_words_and_ends_are_removed_as_in_a_shell() -> None:
    """Ctrl-W removes a word, Ctrl-U what is before the cursor, Ctrl-K what is behind it."""
    edit = LineEdit("clear load now")
    edit.key("ctrl+w", None)
    assert edit.text == "clear load "
    edit.key("home", None)
    edit.key("right", None)
    edit.key("ctrl+k", None)
    assert edit.text == "c"
    edit.key("ctrl+u", None)
    assert edit.text == ""
    assert not edit.key("f5", None)
