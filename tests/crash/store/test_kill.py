"""kill -9 around every commit: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.store.recovery import recover
from engine.store.verify import problems
from tests.support.store import look

pytestmark = pytest.mark.processes

WORK = """
import asyncio, sys
from pathlib import Path
from engine.store.batch import Batch
from engine.store.reader import Reader
from engine.store.recovery import recover
from tests.support.store import a_command, a_run, a_writer, creation, definition, instances, steps

async def main(path, rounds):
    async with a_writer(path) as writer:
        async def send(batch, name):
            print(await writer.submit(batch), name, flush=True)
        with Reader(path) as reader:
            heads = recover(reader).heads
        if heads.version == 0:
            await send(definition(), "definition")
        for number in range(heads.run + 1, heads.run + 1 + rounds):
            first = heads.task_instance + 2 * (number - heads.run) - 1
            tasks = instances(2, run=number, first=first)
            run = a_run(number)
            await send(creation(run, tasks), f"run {number}")
            ways = [steps(ti, f"A{ti.id}") for ti in tasks]
            for several in zip(*ways):
                await asyncio.gather(*(send(batch, f"step of {number}") for batch in several))
            await send(Batch(command=a_command(id=f"command {number}")), f"command {number}")
        print("all", flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def work(path: Path, rounds: int, failpoint: str = "", kill_after: int | None = None) -> tuple[list[str], int]:
    """Runs the work in a process of its own; its acknowledgements, and how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(path), str(rounds)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DAGDECK_FAILPOINT": failpoint},
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line.rstrip("\n"))
        if kill_after is not None and len(told) >= kill_after:
            process.kill()
    process.stdout.close()
    return told, process.wait(timeout=30)


def check(path: Path, told: list[str]) -> None:
    """The store is sound and holds everything that was acknowledged, now and before."""
    with Reader(path) as reader:
        found = [line for line in problems(reader) if "although all its tasks have ended" not in line]
        assert found == []
        state = recover(reader)
    for line in told:
        if line == "all":
            continue
        seq, _, name = line.partition(" ")
        assert int(seq) <= state.heads.seq, line
        kind, _, number = name.partition(" ")
        if kind == "run":
            assert look(path, "SELECT count(*) FROM task_instance WHERE run = ?", int(number)) == [(2,)]
        if kind == "command":
            assert look(path, "SELECT count(*) FROM command WHERE id = ?", name) == [(1,)]


@pytest.mark.parametrize("moment", ["store.before_commit", "store.after_commit"])
def test_a_kill_around_any_commit_loses_nothing_that_was_acknowledged(tmp_path: Path, moment: str) -> None:
    """Killed at the first, second, third … commit until the work is done without it: whatever was told is there, the
    feed has no gap, and the next engine goes on behind it.
    """
    path = tmp_path / "state.db"
    open_store(path)
    acknowledged: list[str] = []
    for count in range(1, 100):
        told, code = work(path, rounds=1, failpoint=f"{moment}:{count}")
        acknowledged += told
        check(path, acknowledged)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert told[-1] == "all"
    assert 5 <= count < 20


def test_a_kill_at_any_time_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Killed from outside after so many acknowledgements, in the middle of whatever comes next."""
    path = tmp_path / "state.db"
    open_store(path)
    acknowledged: list[str] = []
    for count in (1, 9, 30, 4):
        told, code = work(path, rounds=50, kill_after=count)
        assert code == -signal.SIGKILL
        acknowledged += told
        check(path, acknowledged)


@pytest.mark.parametrize(("moment", "made"), [("store.before_upgrade", False), ("store.after_upgrade", True)])
def test_a_kill_during_the_upgrade_leaves_the_old_or_the_new_schema(tmp_path: Path, moment: str, made: bool) -> None:
    """Never something between; opening it again completes it."""
    path = tmp_path / "state.db"
    code = "import pathlib, sys; from engine.store.migrations import open_store; open_store(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env={**os.environ, "DAGDECK_FAILPOINT": f"{moment}:1"}
    )
    assert done.returncode == -signal.SIGKILL
    tables = look(path, "SELECT count(*) FROM sqlite_master WHERE name IN ('run', '_sqlite_migrations')")
    assert tables == [(2 if made else 0,)]
    open_store(path)
    with Reader(path) as reader:
        assert problems(reader) == []
