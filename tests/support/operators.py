"""Many operators at one scheduler, at random: commands, stale ones, sent twice, and what processes do meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

from engine.control import protocol as p
from engine.control.actors import Actor
from engine.control.plans import Refusal
from engine.execution import port
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.validate import problems
from engine.model.breaker import BreakerSpec
from engine.model.dag import ApprovalSpec, TaskSpec
from engine.model.states import ALIVE_TASK, AttemptState
from engine.store.stored import StoredCommand
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig

VERBS = (
    "clear",
    "mark",
    "retry",
    "kill",
    "cancel",
    "pause",
    "resume",
    "rerun",
    "prioritize",
    "undo",
    "hold",
    "release",
    "resize",
    "trip",
    "reset",
    "answer",
)
HOME_WIDE = frozenset({"undo", "hold", "release", "resize", "trip", "reset"})
"""Verbs that are about no run."""
TASKS = ("a", "b", "c", "d", "e")
RUNS = 4


class Operators:
    """A small home, and people who act on it at the same time. Every step is checked."""

    def __init__(self, root: Path, seed: int) -> None:
        self.rig = Rig(root, slots=3)
        self.random = random.Random(seed)
        self.people = [Actor(1000 + number, 1000 + number) for number in range(5)]
        self.runs: list[RunMemory] = []
        self.done = Counter[str]()
        self.refused = Counter[str]()
        self.launched = 0
        self.living: dict[str, tuple[str, str]] = {}
        """Attempts whose end nobody has seen, with their run and task."""
        self.names = 0

    async def prepare(self) -> None:
        """A diamond of four tasks with retries, a question beside it, and some runs of it that stay in memory."""
        diamond = (
            task("a", retries=3, delay=600.0),
            task("b", "a", retries=3, delay=600.0, breaker=BreakerSpec("db", failures=3, cooldown=60.0)),
            task("c", "a"),
            task("d", "b", "c"),
            TaskSpec("e", "approval", upstream=["a"], approval=ApprovalSpec(rejects=["reject"])),
        )
        await self.rig.dag(*diamond, max_active_runs=RUNS)
        for day in range(RUNS):
            memory = await self.rig.trigger(logical_date=f"2023-01-{day + 1:02}")
            self.rig.scheduler.state.pin(memory.run.id)
            self.runs.append(memory)

    async def step(self) -> None:
        """Several people ask at once; then time passes and processes begin, end, succeed and fail."""
        asked = [self._ask() for _ in range(self.random.randint(1, 4))]
        before = {ti.id: (ti.state, ti.changed_seq) for memory in self.runs for ti in memory.by_id.values()}
        futures = [asyncio.ensure_future(self._send(command, actor)) for command, actor in asked]
        await self.rig.turn()
        for (command, actor), answer in zip(asked, await asyncio.gather(*futures), strict=True):
            await self._check(command, actor, answer, before, alone=len(asked) == 1)
        self._look()
        await self._live()
        self._look()

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self) -> tuple[p.Command, Actor]:
        verb = self.random.choice(VERBS)
        memory = self.random.choice(self.runs)
        tasks = self.random.sample(TASKS, self.random.randint(1, 2)) if verb in ("clear", "mark", "kill") else []
        tasks = ["e"] if verb == "answer" else tasks
        runs = [] if verb in HOME_WIDE else [memory.run.run_id]
        args: dict[str, Any] = {}
        if verb == "mark":
            args = {"state": self.random.choice(("success", "failed", "skipped"))}
        elif verb == "clear":
            args = {"downstream": self.random.random() < 0.5, "only_failed": self.random.random() < 0.3}
        elif verb == "resize":
            args = {"pool": "default", "slots": self.random.choice((-1, 1, 2))}
        elif verb in ("trip", "reset"):
            args = {"breaker": "db"}
        elif verb == "answer":
            args = {"option": self.random.choice(("approve", "reject"))}
        elif verb == "kill":
            args = {"again": self.random.random() < 0.5}
        seen = self.rig.scheduler.committed_seq - self.random.choice((0, 0, 0, 5, 40))
        self.names += 1
        select = p.Selector(run_ids=runs, task_ids=tasks)
        command = p.Command(1, f"{self.names:032x}", verb, select, args, seen_seq=max(0, seen))
        return command, self.random.choice(self.people)

    async def _send(self, command: p.Command, actor: Actor) -> p.Done | Refusal:
        try:
            return await self.rig.commands.carry_out(command, actor, "cli")
        except Refusal as refusal:
            return refusal

    async def _check(
        self, command: p.Command, actor: Actor, answer: p.Done | Refusal, before: dict[int, tuple[str, int]], *,
        alone: bool,
    ) -> None:  # fmt: skip
        rows = [batch.command for batch in self.rig.writer.committed if batch.command is not None]
        mine = [row for row in rows if row.id == command.command_id]
        if isinstance(answer, Refusal):
            self.refused[answer.code] += 1
            assert all(row.outcome == "refused" for row in mine), f"{command}: refused, but recorded as done"
            return
        self.done[command.verb] += 1
        assert [row.outcome for row in mine] == ["done"], f"{command}: acknowledged, but {len(mine)} rows of it"
        assert answer.seq <= self.rig.writer.committed_seq, f"{command}: acknowledged before its commit"
        if command.verb == "mark" and alone:
            self._none_was_stale(command, before)
        stored = StoredCommand(
            command.command_id, command.verb, "done", answer.message, dict(answer.result), answer.seq, actor.uid, "x"
        )
        self.rig.archive.commands = {command.command_id: stored}
        if self.random.random() < 0.1:
            again = await self._send(replace_id(command), actor)
            assert isinstance(again, p.Done)
            assert (again.message, again.seq, again.id) == (answer.message, answer.seq, 2), f"{command}: sent twice"
        self.rig.writer.committed[:] = self.rig.writer.committed[-50:]

    def _none_was_stale(self, command: p.Command, before: dict[int, tuple[str, int]]) -> None:
        """What had moved after the operator looked was left alone."""
        memory = self.rig.run(command.select.run_ids[0])
        for name in command.select.task_ids:
            ti = memory.instances[name, -1]
            state, seq = before[ti.id]
            assert command.seen_seq is not None
            if seq > command.seen_seq and state != command.args["state"] and ti.reason == "manual":
                assert ti.state != command.args["state"], f"{command}: {name} had moved at {seq}"

    # --- processes ------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Some processes begin, some end."""
        for memory in self.runs:
            for ti in list(memory.by_id.values()):
                current = ti.current
                if current is None or self.random.random() < 0.4:
                    continue
                if current.state is AttemptState.QUEUED and ti.state is not ti.state.KILLING:
                    await self.rig.see(port.Claimed(current.id, 4711, 99, "boot", self.rig.clock.now()))
                else:
                    self.living.pop(current.id, None)
                    await self.rig.see(port.Ended(current.id, OK if self.random.random() < 0.5 else FAILED))
        await self.rig.later(self.random.choice((0.1, 1.0, 30.0)))

    def _look(self) -> None:
        """Every run is sound, and no task has two processes."""
        for memory in self.runs:
            found = problems(memory)
            assert found == [], f"{memory.run.run_id}: {found}"
        launched = self.rig.executor.launched
        for order in launched[self.launched :]:
            place, name = (order.spec.run_id, order.spec.task_id), order.spec.attempt_id
            others = [other for other, where in self.living.items() if where == place]
            assert not others, f"{place} has two processes: {name} beside {others}"
            self.living[name] = place
        self.launched = len(launched)
        slots = sum(ti.state in ALIVE_TASK for memory in self.runs for ti in memory.by_id.values())
        assert slots == self.rig.scheduler.ledger.used, "slots that are booked are not those that are taken"


def replace_id(command: p.Command) -> p.Command:
    """The same command under another number of the connection."""
    return p.Command(2, command.command_id, command.verb, command.select, command.args, command.seen_seq)
