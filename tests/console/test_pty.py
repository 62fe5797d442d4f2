"""The real console through a pseudo terminal, on a home whose engine is down."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.moments import HOUR, SECOND
from tests.support.console_store import FilledHome, trades
from tests.support.pty import PtyProgram
from tests.support.slow_link import SlowLink
from tests.support.source import PROJECT

pytestmark = pytest.mark.pty

OPEN = "import sys; from pathlib import Path; from engine.home import Home; from console.start import run_console; "
RUN = OPEN + "sys.exit(run_console(Home(Path(sys.argv[1]))))"


async def fill(root: Path) -> Path:
    """A home with a DAG that has run well, and one that has failed; nothing is under way."""
    home = FilledHome(root)
    home.now = time.time_ns() // 1000 - 3 * HOUR
    await home.open()
    for dag_id in ("fx_daily", "trades_us"):
        await home.put_dag(trades(dag_id), due_in=None)
        await home.play(await home.start(dag_id, home.now))
    memory = await home.start("trades_us", home.now + HOUR)
    attempt = await home.claim(memory, "extract")
    home.write_log(attempt, "connecting\nConnectionError: db-1:5432 refused\n")
    await home.end(memory, "extract", took=10 * SECOND, code=1, error="ConnectionError: db-1:5432 refused")
    await home.close()
    return home.home.root


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all tests of this file: nothing here changes it."""
    return asyncio.run(fill(tmp_path_factory.mktemp("console") / "home"))


@pytest.fixture
def program(home: Path) -> Iterator[PtyProgram]:
    """The console on that home, once it shows its DAGs."""
    with PtyProgram([sys.executable, "-c", RUN, str(home)], size=(120, 36), cwd=PROJECT) as found:
        found.until("fx_daily")
        yield found


def test_a_home_is_read_while_its_engine_is_down(program: PtyProgram) -> None:
    """The header says that the engine is down and when it was last seen; history, runs and logs are all there."""
    program.until("engine down")
    assert "last seen" in program.lines[0]
    program.until("trades_us/extract")
    program.press("enter")
    program.until("> scheduled")
    program.press("L")
    program.until("ConnectionError: db-1:5432 refused")
    program.press("q", "q", "q")
    assert program.wait() == 0


def test_a_calm_console_writes_nothing(program: PtyProgram) -> None:
    """Once everything stands there, not a byte goes over the wire until the minute changes."""
    program.until("engine down")
    program.quiet()
    quiet = min(program.pump(1.2) for _ in range(3))
    assert quiet == 0
    program.press("ctrl+q")
    assert program.wait() == 0


def test_bytes_that_are_no_text_do_no_harm(program: PtyProgram) -> None:
    """Half a character or a stray byte ends nothing, and a terminal's late answers are not taken for keys."""
    program.until("engine down")
    program.send(b"\xff\xfe\xc3\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
    program.press("j", "?")
    program.until("Keys here: overview")
    program.press("esc")
    program.until(lambda: "Keys here" not in program.text)
    program.press("q")
    assert program.wait() == 0


def test_keys_behind_an_escape_count_when_they_come_in_one_piece_with_it(program: PtyProgram) -> None:
    """A slow link delivers Escape and what was typed after it at once: a dialog is closed, and the line is obeyed."""
    program.until("engine down")
    program.send(b"?")
    program.until("Keys here: overview")
    program.send(b"\x1b:pools\r")
    program.until(lambda: "Keys here" not in program.text and "pools, breakers, approvals" in program.text)
    program.send(b"\x1b\x1b?")
    program.until("Keys here: overview")
    program.press("ctrl+q")
    assert program.wait() == 0


def without_clocks(program: PtyProgram) -> list[str]:
    """The lines below the first, without how long it is to something: a minute may pass between two looks."""
    return [re.sub(r"\s*\b(\d+[smhd])+\b", " #", line).rstrip() for line in program.lines[1:]]


def test_a_storm_of_sizes_leaves_the_right_picture(program: PtyProgram) -> None:
    """Thirty sizes in a row, down to a few cells: at the end the screen, but for the clocks of its first line, is that
    of a full repaint, and keys work."""
    program.until("engine down")
    for step in range(30):
        program.resize(20 + step * 37 % 130, 2 + step * 11 % 40)
        program.pump(0.01)
    program.resize(100, 30)
    program.until(lambda: "? keys" in program.lines[-1] and "fx_daily" in program.text)
    program.quiet()
    before = without_clocks(program)
    program.press("ctrl+l")
    program.quiet()
    assert without_clocks(program) == before
    program.press("?")
    program.until("Keys here")
    program.press("esc")
    program.until(lambda: "Keys here" not in program.text)
    program.press("ctrl+q")
    assert program.wait() == 0


def test_a_terminal_that_drains_slowly_gets_fewer_frames_and_keys_go_on(program: PtyProgram) -> None:
    """Sixty repaints for a terminal that reads nothing become a few, the newest last, and leaving is quick."""
    program.until("engine down")
    program.quiet()
    start = len(program.raw)
    program.press("ctrl+l")
    program.quiet()
    frame = len(program.raw) - start
    start = len(program.raw)
    program.send(b"\x0c" * 60)
    program.look_away(1.0)
    program.send(b"?")
    program.until("Keys here")
    assert len(program.raw) - start < 30 * frame
    program.press("esc")
    program.until(lambda: "Keys here" not in program.text)
    program.press("ctrl+q")
    assert program.wait(5.0) == 0


def test_clicks_are_heard_and_the_mouse_is_given_back(home: Path) -> None:
    """With the mouse on, a click selects; `:lofi` stops the reports, and so does leaving."""
    listening = RUN.replace("sys.argv[1])))", "sys.argv[1])), mouse=True)")
    with PtyProgram([sys.executable, "-c", listening, str(home)], size=(120, 36), cwd=PROJECT) as program:
        program.until("engine down")
        row = next(at for at, line in enumerate(program.lines) if "trades_us " in line and "trades_us/" not in line)
        program.quiet()
        assert b"?1000h" in bytes(program.raw) and b"?1003h" not in bytes(program.raw)
        program.send(b"\x1b[<0;10;%dM\x1b[<0;10;%dm" % (row + 1, row + 1))
        program.quiet()
        program.press("enter")
        program.until("trades_us > scheduled")
        program.send(b":lofi\r")
        program.until("low bandwidth")
        assert bytes(program.raw).rindex(b"?1000l") > bytes(program.raw).rindex(b"?1000h")
        program.press("ctrl+q")
        assert program.wait() == 0


def test_a_shell_gets_the_terminal_with_ctrl_z_and_the_console_with_fg(home: Path) -> None:
    """In a shell with jobs, Ctrl-Z stops the console and shows the prompt, echo and cursor; `fg` brings back the whole
    picture, and keys work."""
    started = shlex.join([sys.executable, "-c", RUN, str(home)])
    shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    with PtyProgram(shell, size=(120, 36), cwd=PROJECT, env={"PS1": "at your service: "}) as program:
        program.until("at your service:")
        before = program.line_settings()
        program.send(f"{started}\r".encode())
        program.until("? keys")
        program.screen.reset()
        program.press("ctrl+z")
        program.until(lambda: "Stopped" in program.text and program.line_settings()[:4] == before[:4])
        modes = program.modes()
        assert not any(modes[mode] for mode in ("1049", "1000", "1004", "2004")) and modes["25"] and modes["7"]
        program.send(b"echo $((6 * 7))\r")
        program.until(lambda: "42" in program.lines)
        program.screen.reset()
        program.send(b"fg\r")
        program.until(lambda: "? keys" in program.lines[-1] and "fx_daily" in program.text)
        program.press("?")
        program.until("Keys here")
        program.press("esc")
        program.until(lambda: "Keys here" not in program.text)
        program.press("ctrl+q")
        program.until(lambda: program.raw.endswith(b"at your service: "))
        assert program.line_settings()[:4] == before[:4]
        program.send(b"exit\r")
        assert program.wait() == 0


async def test_a_slow_link_is_told_how_to_be_spared(home: Path) -> None:
    """After a few frames that take long to come through, a line says what sends less; that sends 256 colours only."""
    command = [sys.executable, "-c", RUN, str(home)]
    async with SlowLink(command, size=(160, 50), delay=0.1, rate=3_000, cwd=str(PROJECT)) as link:
        await link.until("fx_daily")
        for _ in range(4):
            before = len(link.seen)
            link.press("ctrl+l")
            await link.until(lambda before=before: len(link.seen) > before + 800)
        await link.until("this link is slow: `:lofi` sends less")
        link.send(b":lofi\r")
        await link.until("low bandwidth")
        before = len(link.seen)
        link.press("ctrl+l")
        await link.until(lambda: len(link.seen) > before + 800)
        await link.quiet(1.0)
        assert b";5;" in link.seen[before:] and b"8;2;" not in link.seen[before:]
