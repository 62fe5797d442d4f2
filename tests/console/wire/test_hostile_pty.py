"""Nothing that a task, a file or a person wrote reaches the terminal as anything but printable text."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from console import wire
from console.actions.views import VIEWS
from console.app import ConsoleApp
from console.backends import pages as readers
from console.theming import DEFAULT, load_theme
from tests.console.wire.test_terminal_pty import assert_given_back
from tests.support import hostile
from tests.support.attacks import EVIL, foreign, inks, tame
from tests.support.hostile_program import WORLD, keep
from tests.support.hostile_walk import Walk, never_opened
from tests.support.poison import poison
from tests.support.pty import PtyProgram
from tests.support.source import PROJECT
from tests.support.stage import stage
from tests.support.tour import EVIL as HOSTILE
from tests.support.tour import furnish

SIZE = (100, 30)
OWN_INKS = {*load_theme(DEFAULT).roles.values(), *load_theme(DEFAULT).log.values()}


@dataclass
class Walked:
    """What a walk has left: all that went to the terminal, and what its screens looked like."""

    code: int
    sent: bytes
    stops: dict[str, list[str]]
    spoken: set[str]


def walk(what: str, folder: Path, size: tuple[int, int]) -> Walked:
    """Lets a console walk through itself in a terminal, which it has to give back at the end."""
    command = [sys.executable, "-m", "tests.support.hostile_program", what, str(folder / "told.json")]
    with PtyProgram(command, size=size, cwd=PROJECT, blind=True) as program:
        before = program.line_settings()
        code, sent = program.wait(120), bytes(program.raw)
        assert (folder / "told.json").exists(), sent[-3000:].decode("utf-8", "replace")
        assert_given_back(program, before)
    told = json.loads((folder / "told.json").read_text("utf-8"))
    return Walked(code, sent, told["stops"], set(told["spoken"]))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """The walk through the world in which nothing has been cleaned."""
    yield walk(WORLD, tmp_path_factory.mktemp("world"), SIZE)


@pytest.mark.pty
def test_raw_text_in_every_view_dialog_and_form_sends_nothing_of_its_own(walked: Walked) -> None:
    """Views by the registry, what their keys lead to, every change's dialog, banners, and the end by a fault."""
    assert foreign(walked.sent) == b""
    assert inks(walked.sent) <= OWN_INKS
    assert walked.code == 1
    last = walked.sent.rsplit(b"\x1b[?1049l", 1)[1]
    assert b"nothing that runs was touched" in last and b"ValueError: [bold]no[/] ^[[31mred" in last
    assert walked.stops.keys() > VIEWS.keys()
    assert walked.stops.keys() - walked.spoken == SILENT


SILENT = {
    "calendar", "calendar: calendar.left", "calendar: calendar.right", "failures", "help", "help, filled in", "palette",
    "palette, filled in",
}  # fmt: skip
"""What shows ids, dates and the console's own words."""


async def test_markup_changes_the_style_of_no_cell(walked: Walked, tmp_path: Path) -> None:
    """With parentheses for brackets every cell of every stop has the style that it has with markup, and no change is
    left of which the dialog was not seen."""
    text = tame(EVIL)
    world = hostile.HostileWorld(text)
    app = ConsoleApp(world.home, lambda: world, now=world.now, keep=keep(text), reports=tmp_path)
    try:
        async with app.run_test(size=SIZE) as pilot:
            tamed = Walk(app, pilot, text)
            await tamed.go(keys=False)
    finally:
        wire.uninstall()
    assert [what for what, cells in tamed.stops.items() if walked.stops[what] != cells] == []
    assert never_opened(tamed) == set()


@pytest.mark.pty
def test_a_poisoned_store_sends_nothing_of_its_own(tmp_path: Path) -> None:
    """Every text column of the schema, the home's name and path, a file of code and a log: all views show them, in a
    small terminal, as text."""
    home = tmp_path / os.fsdecode(b"h\x1b]0;x\x07[bold]\xe2\x80\xae\xff")
    filled = asyncio.run(furnish(home, HOSTILE))
    poison(filled.home.database)
    name = json.dumps(EVIL.replace("\x7f", ""), ensure_ascii=False)
    filled.home.config.write_text(f"name = {name}\n", "utf-8")
    walked = walk(str(home), tmp_path, (80, 24))
    assert walked.code == 0
    assert foreign(walked.sent) == b""
    assert inks(walked.sent) <= OWN_INKS
    assert walked.stops.keys() > VIEWS.keys()
    assert VIEWS.keys() - walked.spoken == {"dag", "grid", "calendar", "durations", "schedule", "upcoming"}


def test_what_is_read_for_single_views_is_hostile_too() -> None:
    """Every reader of a page has an attack among those of the hostile world: a new one fails here until it has."""
    names = {path.stem for path in Path(str(readers.__file__)).parent.glob("*.py")} - {"__init__"}
    assert hostile.pages(EVIL).keys() == names


@pytest.mark.pty
@pytest.mark.parametrize("env", [{}, {"STAGE_STOCK": "1"}], ids=["own wire", "stock rendering"])
def test_unsanitised_text_in_every_widget_sends_no_sequence_of_its_own(env: dict[str, str]) -> None:
    """Lists, bars, dialogs, prompts, logs and stock widgets full of raw text send only what the console sends."""
    with stage("hostile", size=(120, 60), env=env) as program:
        program.until("canary")
        program.press("down", "pgdn")
        program.quiet()
        program.press("esc")
        program.until(lambda: "Esc close" not in program.text)
        program.press("down", "tab", "down", "pgdn")
        program.quiet()
        sent = bytes(program.raw)
        assert sent.count(b"canary") > 10
        assert foreign(sent) == b""
        assert program.process.poll() is None
        for line in program.lines:
            assert len(line) <= 120
