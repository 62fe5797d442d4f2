"""The real console through a pseudo terminal, on a home whose engine is down."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.moments import HOUR, SECOND
from tests.support.console_store import FilledHome, trades
from tests.support.pty import PtyProgram
from tests.support.source import PROJECT

pytestmark = pytest.mark.pty

OPEN = "import sys; from pathlib import Path; from engine.config import Home; from console.start import run_console; "
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
