"""Attempts launched while processes of the executor, and executors themselves, die at random."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

from engine.execution.port import Ended, LaunchOrder, NeverStarted, SpawnFailed
from tests.support.execution import PATIENCE, Stage, command, kill

TASKS = """
import os, random, time
def mark():
    with open("marks-" + os.environ["DAGDECK_ATTEMPT_ID"], "a") as out:
        out.write("x")
    time.sleep(random.choice([0, 0, 0.01, 0.05, 0.2]))
    return 1
"""
SCRIPT = "printf x >>marks-$DAGDECK_ATTEMPT_ID; sleep 0.0"


class Soak:
    """What was launched, what was told of it, and who was killed meanwhile."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.random = random.Random(seed)
        self.orders: dict[str, LaunchOrder] = {}
        self.ends: dict[str, list[int | None]] = {}
        self.kills: Counter[str] = Counter()
        self._again: list[str] = []
        stage.tasks(TASKS)

    async def run(self, kills: int) -> None:
        """Launches and kills until so many processes have been killed, then waits for all ends."""
        deadline = time.monotonic() + 3 * PATIENCE
        while self.kills.total() < kills and time.monotonic() < deadline:
            self._launch_some()
            await asyncio.sleep(self.random.random() * 0.05)
            self._hear()
            self._kill_one()
            if self.random.random() < 0.1:
                await self._next_executor()
        deadline = time.monotonic() + PATIENCE
        while len(self.ends) < len(self.orders) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            self._hear()

    def _launch_some(self) -> None:
        batch = []
        for _ in range(self.random.randrange(1, 5)):
            draw = self.random.random()
            if draw < 0.3:
                order = self.stage.shell(f"{SCRIPT}{self.random.randrange(10)}")
            else:
                order = self.stage.order("mark", cold=draw > 0.95)
            self.orders[order.spec.attempt_id] = order
            batch.append(order)
        self.stage.executor.launch(batch)

    def _hear(self) -> None:
        for item in self.stage.seen:
            if isinstance(item, Ended):
                self.ends.setdefault(item.attempt_id, []).append(item.status.code if item.status else None)
            elif isinstance(item, SpawnFailed):
                self._again.append(item.attempt_id)
        self.stage.seen.clear()
        again, self._again = self._again, []
        self.stage.executor.launch([self.orders[attempt_id] for attempt_id in again])

    def _kill_one(self) -> None:
        alive = self.stage.processes()
        if alive:
            pid = self.random.choice(alive)
            text = command(pid)
            kinds = {"runner": b"\0runner\0", "template": b"\0template of", "host": b"\0host "}
            self.kills[next((kind for kind, mark in kinds.items() if mark in text), "attempt")] += 1
            kill(pid)

    async def _next_executor(self) -> None:
        """As a restarted engine does: launches what has never started, adopts the rest."""
        self._hear()
        await self.stage.abandon()
        executor = await self.stage.open()
        unknown = [attempt_id for attempt_id in self.orders if attempt_id not in self.ends]
        fresh = {attempt_id for attempt_id in unknown if isinstance(executor.survey(attempt_id), NeverStarted)}
        executor.launch([self.orders[attempt_id] for attempt_id in sorted(fresh)])
        executor.adopt([attempt_id for attempt_id in unknown if attempt_id not in fresh])

    def marks(self, attempt_id: str) -> int:
        """How often the attempt's task ran."""
        path = self.stage.home / f"marks-{attempt_id}"
        return len(path.read_text()) if path.exists() else 0
