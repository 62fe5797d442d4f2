"""A real executor on a throw-away home, the orders that tests give it, and a check that nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.clock import SystemClock
from engine.execution import directory
from engine.execution.local import LocalExecutor
from engine.execution.port import Claimed, Ended, Evidence, LaunchOrder, SpawnFailed
from engine.execution.process import proc
from engine.model.attempt_files import AttemptSpec, AttemptStatus, Context, InputRef
from engine.model.ids import ulid

PATIENCE = 60.0
"""Seconds within which anything a test waits for must have happened."""

CONTEXT = Context(
    logical_date="2026-01-01T00:00:00Z",
    data_interval_start="2026-01-01T00:00:00Z",
    data_interval_end="2026-01-02T00:00:00Z",
    run_after="2026-01-02T00:00:00Z",
    timezone="UTC",
    run_type="manual",
)
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", "TZ": "UTC"}


class Stage:
    """A home's folders, one executor at a time, and all the evidence it has delivered."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.attempts = home / "attempts"
        self.bundle = home / "bundle"
        self.bundle.mkdir(parents=True)
        self.clock = SystemClock()
        self.seen: list[Evidence] = []
        self.opened: list[LocalExecutor] = []
        self._news = asyncio.Event()

    @property
    def executor(self) -> LocalExecutor:
        """The executor opened last."""
        return self.opened[-1]

    async def open(self) -> LocalExecutor:
        """A further executor on the same home."""
        executor = LocalExecutor(self.attempts, self.clock, self.home / "engine.log")
        self.opened.append(executor)
        await executor.open(self._deliver)
        return executor

    async def abandon(self) -> None:
        """Ends the present executor as a crash of its engine would: no more evidence, its runner sees the end."""
        await self.opened.pop().close()
        self.seen.clear()

    def _deliver(self, batch: Sequence[Evidence]) -> None:
        self.seen.extend(batch)
        self._news.set()

    # orders

    def dag_file(self, source: str, name: str = "flow.py") -> None:
        """Puts a DAG file into the bundle."""
        (self.bundle / name).write_text(textwrap.dedent(source))

    def tasks(self, source: str, name: str = "flow.py") -> None:
        """A DAG `flow` whose file defines these functions, each of which becomes a task of its name."""
        body = textwrap.dedent(source)
        calls = [line[4:].split("(")[0] for line in body.splitlines() if line.startswith("def ")]
        lines = ["from dagdeck import DAG, task", body, "with DAG('flow', schedule=None):"]
        lines += [f"    task({call})()" for call in calls] or ["    pass"]
        (self.bundle / name).write_text("\n".join(lines) + "\n")

    def order(self, task_id: str, *, cold: bool = False, python: str = sys.executable, **fields: Any) -> LaunchOrder:
        """An order for a Python task of the DAG `flow`; `fields` replace those of its spec."""
        values: dict[str, Any] = {
            "attempt_id": ulid(self.clock.now(), self.clock.entropy(10)),
            "dag_id": "flow",
            "run_id": "flow@20260101T000000Z",
            "task_id": task_id,
            "map_index": -1,
            "number": 1,
            "kind": "python",
            "context": CONTEXT,
            "bundle": str(self.bundle),
            "file": "flow.py",
            "cwd": str(self.home),
            "env": {**ENVIRONMENT, "STAGE": str(self.home)},
        }
        return LaunchOrder(AttemptSpec(**{**values, **fields}), python, cold=cold)

    def shell(self, script: str, **fields: Any) -> LaunchOrder:
        """An order for a shell task."""
        return self.order("shell", kind="shell", argv=["/bin/sh", "-c", script], **fields)

    def make_gate(self) -> None:
        """A pipe `gate` in the tasks' working folder, at which they can wait."""
        os.mkfifo(self.home / "gate")

    async def pass_gate(self, text: str = "go\n") -> None:
        """Lets those go on that wait at the gate."""
        await asyncio.to_thread((self.home / "gate").write_text, text)

    # what became of them

    def path(self, order: LaunchOrder | str) -> Path:
        """The attempt's directory."""
        attempt_id = order if isinstance(order, str) else order.spec.attempt_id
        return Path(directory.path_of(str(self.attempts), attempt_id))

    def log(self, order: LaunchOrder) -> str:
        """What the attempt has printed so far."""
        path = self.path(order) / "log"
        return path.read_text(errors="backslashreplace") if path.exists() else ""

    def result(self, order: LaunchOrder) -> str:
        """The text of the attempt's result file."""
        return (self.path(order) / "result.json").read_text()

    def of(self, order: LaunchOrder, kind: type[Evidence]) -> list[Any]:
        """The evidence of one kind about one attempt."""
        return [item for item in self.seen if isinstance(item, kind) and item.attempt_id == order.spec.attempt_id]

    async def until(self, condition: Callable[[], object], what: str = "it", patience: float = PATIENCE) -> None:
        """Waits until the condition holds, looking whenever evidence comes and every few milliseconds."""
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, f"{what} has not happened within {patience:g} s; seen: {self.seen}"
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), 0.01)
            except TimeoutError:
                pass

    async def claim_of(self, order: LaunchOrder) -> Claimed:
        """Waits for the attempt to begin."""
        await self.until(lambda: self.of(order, Claimed), f"the claim of {order.spec.task_id}")
        claimed: Claimed = self.of(order, Claimed)[0]
        return claimed

    async def end_of(self, order: LaunchOrder) -> AttemptStatus | None:
        """Waits for the attempt to end; its status, None if it was lost."""
        await self.until(lambda: self.of(order, Ended), f"the end of {order.spec.task_id}")
        ended: Ended = self.of(order, Ended)[0]
        return ended.status

    async def status_of(self, order: LaunchOrder) -> AttemptStatus:
        """The same for an attempt that must not be lost."""
        status = await self.end_of(order)
        assert status is not None, "the attempt was lost"
        return status

    async def refusal_of(self, order: LaunchOrder) -> SpawnFailed:
        """Waits for the news that the attempt could not be started."""
        await self.until(lambda: self.of(order, SpawnFailed), f"the refusal of {order.spec.task_id}")
        refusal: SpawnFailed = self.of(order, SpawnFailed)[0]
        return refusal

    async def run(self, order: LaunchOrder) -> AttemptStatus:
        """Launches one attempt and waits for its end."""
        self.executor.launch([order])
        return await self.status_of(order)

    async def prints(self, order: LaunchOrder, text: str) -> None:
        """Waits until the attempt has printed the text."""
        await self.until(lambda: text in self.log(order), f"{text!r} in the log")

    # processes

    def processes(self, word: str | None = None) -> list[int]:
        """Live processes that belong to this home: its path is in their command line or their environment."""
        mark, found = (word or str(self.home)).encode(), []
        for pid in proc.processes():
            seen = proc.stat(pid)
            if seen is None or seen.dead or pid == os.getpid():
                continue
            if mark in command(pid) or str(self.home).encode() in proc.environment(pid):
                found.append(pid)
        return found

    def helper(self, kind: str) -> int:
        """The pid of this home's only `runner`, `template` or `host`, by what its command line says it is."""
        mark = f"bootstrap.py\0runner\0{self.attempts}" if kind == "runner" else f"\0{kind} "
        found = [pid for pid in self.processes() if mark.encode() in command(pid)]
        assert len(found) == 1, f"{kind}: {found}"
        return found[0]

    def spares(self) -> list[int]:
        """The pids of children that wait for an attempt."""
        return [pid for pid in self.processes() if b"\0spare child" in command(pid)]

    async def clean_up(self) -> None:
        """Ends everything and proves that it has ended."""
        while self.opened:
            await self.opened.pop().close()
        try:
            await self.until(lambda: not self.processes(), "the end of all processes", patience=30.0)
        except AssertionError:
            left = {pid: command(pid) for pid in self.processes()}
            for pid in left:
                kill(pid)
            raise AssertionError(f"still running: {left}") from None


def command(pid: int) -> bytes:
    """The command line of a process, arguments ending in NUL; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(pid: int) -> None:
    """SIGKILL, if it still runs."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def result_input(value: object) -> dict[str, InputRef]:
    """Inputs of a task that takes the result of the task `before`."""
    return {"before": InputRef(value=value)}
