"""Homes with real engines, for tests that need the whole thing."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from console.cli.init import make_home
from console.cli.link import engine_pid
from console.cli.spawning import start_engine
from engine.home import Home
from engine.store.reader import Reader
from engine.store.reads_overview import dags
from engine.upkeep.evidence import verify

PATIENCE = 60.0


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Returns once the condition holds. Fails, saying what was waited for, when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def contradictions(home: Home) -> list[str]:
    """Everything that does not hold of a home, in words; empty when all does."""
    return [each.text for each in verify(home, engine_runs=engine_pid(home) is not None) if each.verdict == "wrong"]


@contextmanager
def a_home(files: dict[str, str], config: str = "") -> Iterator[Home]:
    """A home with these DAG files, whose path is short enough for a socket; stopped and removed at the end."""
    root = Path(tempfile.mkdtemp(prefix="dd-"))
    home = make_home(root, {name: dedent(text) for name, text in files.items()}, config)
    try:
        yield home
    finally:
        end_engine(home)
        shutil.rmtree(root, ignore_errors=True)


def run_engine(home: Home, dag_ids: set[str], **environment: str) -> int:
    """Starts the engine of a home, waits until it knows these DAGs, and returns its pid."""
    start_engine(home, environment)
    with Reader(home.database) as reader:
        until(lambda: {dag.dag_id for dag in dags(reader)} >= dag_ids, f"DAGs {dag_ids} are known")
    pid = engine_pid(home)
    assert pid
    return pid


def end_engine(home: Home) -> None:
    """Ends the home's engine and everything that belongs to the home, however it is."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = engine_pid(home) if home.lock.exists() else None
        if not pid:
            break
        os.kill(pid, number)
        try:
            until(lambda: engine_pid(home) is None, "the engine ends", 20.0)
        except AssertionError:
            continue
    for pid in processes_of(home):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def processes_of(home: Home) -> list[int]:
    """The processes whose command line or working folder lies in the home: runners, hosts, tasks."""
    found = []
    root = str(home.root)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            folder = str((entry / "cwd").readlink())
        except OSError:
            continue
        if int(entry.name) != os.getpid() and (root in command or folder.startswith(root)):
            found.append(int(entry.name))
    return found
