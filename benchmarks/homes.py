"""Throw-away homes with real engines, driven as an operator would drive them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.cli.init import make_home
from console.cli.link import EngineLink, engine_pid, select
from console.cli.spawning import start_engine
from engine.home import Home
from engine.model.states import TERMINAL_RUN
from engine.store import reads_overview, reads_run
from engine.store.reader import Reader
from engine.store.resolve import resolve_run
from engine.store.rows_out import AttemptLine, RunDetail


def wait(condition: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Returns once the condition holds. Raises TimeoutError saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


class BenchHome:
    """A home with an engine. Use `bench_home` to get one."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def start(self, dag_ids: set[str] | None = None) -> float:
        """Starts the engine; returns the seconds until it was ready. Then waits until it knows the DAGs."""
        began = time.perf_counter()
        start_engine(self.home)
        took = time.perf_counter() - began
        if dag_ids:
            with Reader(self.home.database) as reader:
                wait(lambda: {dag.dag_id for dag in reads_overview.dags(reader)} >= dag_ids, "the DAGs are known")
        return took

    def stop(self, *, kill: bool = False) -> None:
        """Stops the engine."""
        if engine_pid(self.home):
            with EngineLink(self.home) as link:
                link.command("stop", select(), {"kill": kill}, None, None)
            wait(lambda: engine_pid(self.home) is None, "the engine ends")

    def crash(self) -> None:
        """Kills the engine as a power cut would."""
        pid = engine_pid(self.home)
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait(lambda: engine_pid(self.home) is None, "the engine is dead")

    def trigger(self, dag_id: str, link: EngineLink | None = None, **params: Any) -> str:
        """Asks for a run; returns its id."""
        if link is None:
            with EngineLink(self.home) as own:
                return self.trigger(dag_id, own, **params)
        return str(link.command("trigger", select(dags=(dag_id,)), {"params": params}, None, None).result["run_id"])

    def finish(self, run_id: str, seconds: float = 300.0) -> RunDetail:
        """The run, once it has ended. Raises RuntimeError when it did not succeed."""
        with Reader(self.home.database) as reader:
            key = resolve_run(reader, run_id).id
            wait(lambda: reads_run.run(reader, key).state in TERMINAL_RUN, f"{run_id} ends", seconds)
            run = reads_run.run(reader, key)
        if run.state != "success":
            raise RuntimeError(f"{run_id} is {run.state}")
        return run

    def attempts(self, run: RunDetail) -> dict[str, AttemptLine]:
        """The newest attempt of each task."""
        with Reader(self.home.database) as reader:
            newest = reads_run.newest_attempts(reader, run.id)
            return {row.task_id: newest[row.id] for row in reads_run.instances(reader, run.id) if row.id in newest}

    def processes(self) -> list[int]:
        """Engine, runners, hosts and tasks."""
        found = []
        root = str(self.home.root)
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if root in (entry / "cmdline").read_bytes().decode(errors="replace"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return [pid for pid in found if pid != os.getpid()]


@contextmanager
def bench_home(files: dict[str, str], *, slots: int = 16, config: str = "") -> Iterator[BenchHome]:
    """A home with these DAG files and settings; everything of it is gone at the end."""
    root = Path(tempfile.mkdtemp(prefix="ddb-"))
    made = BenchHome(make_home(root, files, f'name = "bench"\nslots = {slots}\nmin_free_mb = 0\n{config}'))
    try:
        yield made
    finally:
        try:
            made.stop(kill=True)
        finally:
            for pid in made.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            shutil.rmtree(root, ignore_errors=True)


def processor_seconds(pids: list[int]) -> float:
    """Processor time that these processes have used so far."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def proportional_bytes(pids: list[int]) -> float:
    """Memory of these processes, shared pages counted by their share."""
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            continue
    return total
