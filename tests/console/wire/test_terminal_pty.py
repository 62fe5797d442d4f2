"""However the console ends, the terminal is as it was, and the process is gone."""

from __future__ import annotations

import os
import signal
import termios
import time
from pathlib import Path

import pytest

from tests.support.pty import PtyProgram
from tests.support.stage import stage

pytestmark = pytest.mark.pty


def assert_given_back(program: PtyProgram, before: list[object]) -> None:
    """The terminal is in its normal screen, with echo, visible cursor, and none of the console's modes."""
    modes = program.modes()
    for mode in ("1049", "1000", "1003", "1006", "2004", "1004"):
        assert modes.get(mode) is False, mode
    assert modes.get("25") is True
    assert modes.get("7") is True
    assert program.raw.count(b"\x1b[<u") >= 1
    after = program.line_settings()
    assert after[:4] == before[:4]
    assert after[3] & termios.ECHO and after[3] & termios.ICANON


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["term", "hup", "int"]
)
def test_signals_end_it_and_give_the_terminal_back(number: signal.Signals, code: int) -> None:
    """SIGTERM, SIGHUP and SIGINT end the console at once, with 128 and the number, and the terminal as it was."""
    with stage("timers") as program:
        before = program.line_settings()
        program.until("stage ready")
        assert not program.line_settings()[3] & termios.ECHO
        started = time.monotonic()
        program.signal(number)
        assert program.wait(5) == code
        assert time.monotonic() - started < 5
        assert_given_back(program, before)


def test_leaving_gives_the_terminal_back() -> None:
    """An ordinary exit leaves nothing behind."""
    with stage("timers") as program:
        before = program.line_settings()
        program.until("stage ready")
        program.press("q")
        assert program.wait() == 0
        assert_given_back(program, before)


def test_no_mouse_reports_are_ever_asked_for() -> None:
    """Mouse reporting is off from the start, so that none can spill into a shell after a lost connection."""
    with stage("still") as program:
        program.until("stage ready")
        assert program.modes()["1003"] is False
        assert b"?1003h" not in program.raw and b"?1000h" not in program.raw


def test_an_error_in_a_handler_gives_the_terminal_back_and_says_what() -> None:
    """An exception ends the console with code 1, its text harmless, after the terminal was given back."""
    with stage("fail") as program:
        before = program.line_settings()
        program.until("stage ready")
        program.press("x")
        assert program.wait() == 1
        assert_given_back(program, before)
        after = bytes(program.raw).rsplit(b"\x1b[?1049l", 1)[1]
        assert b"ValueError: broken" in after
        assert b"pwned" in after and b"\x1b]0;" not in after
        assert b"nothing that runs was touched" in after


def test_a_blocked_event_loop_cannot_keep_the_terminal() -> None:
    """With a handler that never returns, SIGTERM still ends it within five seconds, the terminal given back."""
    with stage("stuck") as program:
        before = program.line_settings()
        program.until("stage ready")
        program.press("b")
        program.pump(0.3)
        started = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.wait(6) == 143
        assert time.monotonic() - started < 5
        assert_given_back(program, before)


@pytest.mark.parametrize("mode", ["still", "flood"])
def test_a_terminal_that_hangs_up_ends_it(mode: str) -> None:
    """When the other side of the terminal closes, the process is gone within five seconds and burns no processor."""
    with stage(mode) as program:
        program.until("stage ready")
        program.hang_up()
        started = time.monotonic()
        assert program.wait(5) in (129, -signal.SIGHUP)
        assert time.monotonic() - started < 5


def test_a_terminal_that_takes_nothing_cannot_hold_it_up() -> None:
    """While nobody reads the terminal, SIGTERM ends the process within five seconds."""
    with stage("flood", size=(200, 60)) as program:
        program.until("stage ready")
        program.look_away(1.0)
        program.signal(signal.SIGTERM)
        program.look_away(5.0)
        assert program.process.poll() == 143


@pytest.mark.parametrize("by", ["key", "signal"])
def test_it_can_be_stopped_and_continued(by: str) -> None:
    """Ctrl-Z and SIGTSTP give the terminal back and stop; SIGCONT takes it again and repaints the whole screen."""
    with stage("still") as program:
        before = program.line_settings()
        program.until("stage ready")
        program.quiet()
        if by == "key":
            program.press("ctrl+z")
        else:
            program.signal(signal.SIGTSTP)
        stat = Path(f"/proc/{program.process.pid}/stat")
        program.until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T")
        program.pump(0.1)
        assert_given_back(program, before)
        program.screen.reset()
        os.kill(program.process.pid, signal.SIGCONT)
        program.until("stage ready")
        program.until(lambda: program.lines[20].startswith(" task_19"))
        program.press("q")
        assert program.wait() == 0


def test_stopped_and_continued_by_others_it_is_as_before() -> None:
    """SIGSTOP tells nobody. However often it is followed by SIGCONT, the console has the threads that it had, reads
    each key once, and gives back the terminal of its beginning.
    """
    with stage("still") as program:
        before = program.line_settings()
        program.until("stage ready")
        program.quiet()
        stat, threads = (Path(f"/proc/{program.process.pid}/{name}") for name in ("stat", "task"))
        count = len(list(threads.iterdir()))
        for _ in range(3):
            os.kill(program.process.pid, signal.SIGSTOP)
            program.until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T")
            program.screen.reset()
            os.kill(program.process.pid, signal.SIGCONT)
            program.until(lambda: program.lines[20].startswith(" task_19"))
            program.quiet()
        program.until(lambda: len(list(threads.iterdir())) == count)
        program.press("q")
        assert program.wait() == 0
        assert_given_back(program, before)
