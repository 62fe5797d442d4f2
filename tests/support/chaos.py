"""Violence with a seed: kills of engines, runners, hosts, shims and tasks, noting which attempts were hit."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from dataclasses import dataclass, field

from engine.control import protocol as p
from engine.control.client import Client, CommandRefused, NoEngine, connect, new_command_id
from tests.support.checker import Ack
from tests.support.engine import PATIENCE, Site, until

_TAG = re.compile(r"DAGDECK_ATTEMPT_ID=([0-9A-Z]{26})")
_BLANK = "0" * 26


@dataclass
class Killer:
    """Kills processes of one home."""

    site: Site
    dice: random.Random
    hit: set[str] = field(default_factory=set)
    """Attempts of which a process was killed."""
    kills: dict[str, int] = field(default_factory=dict)

    def victims(self) -> dict[str, list[int]]:
        """The live processes by kind."""
        found: dict[str, list[int]] = {"runner": [], "template": [], "host": [], "python": [], "shim": [], "task": []}
        for pid, text in self.site.processes().items():
            tag = _TAG.search(text)
            tagged = tag is not None and tag[1] != _BLANK
            if " runner " in text:
                found["runner"].append(pid)
            elif "/bootstrap.py " in text and not tagged:
                found["template" if "template of hosts" in text else "host"].append(pid)
            elif "/bootstrap.py " in text:
                found["python"].append(pid)
            elif tagged:
                found["shim" if "read -r s </proc/" in text else "task"].append(pid)
        return found

    def strike(self, pids: list[int], kind: str) -> None:
        """Stops the processes, so that nothing changes under our eyes, notes whose they are, and kills them."""
        for pid in pids:
            self._signal(pid, signal.SIGSTOP)
        seen = self.site.processes()
        for pid in pids:
            for tag in _TAG.findall(seen.get(pid, "")):
                self.hit.add(tag)
            self._signal(pid, signal.SIGKILL)
        self._count(kind)

    def _count(self, kind: str) -> None:
        self.kills[kind] = self.kills.get(kind, 0) + 1

    def _signal(self, pid: int, number: signal.Signals) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    async def one(self) -> None:
        """One kill of something that lives, mostly of a single process, at times of all but the engine or of all."""
        kind = self.dice.choices(
            ["engine", "runner", "template", "host", "python", "shim", "task", "everything"], [6, 2, 1, 3, 4, 3, 3, 1]
        )[0]
        victims = self.victims()
        if kind == "everything":
            self.strike([pid for pids in victims.values() for pid in pids], "everything")
        if kind in ("engine", "everything"):
            if kind == "engine":
                self._count(kind)
            await self.site.crash()
            await self.site.start()
        elif victims[kind]:
            self.strike([self.dice.choice(victims[kind])], kind)

    @property
    def count(self) -> int:
        """How many times something was killed."""
        return sum(self.kills.values())


@dataclass
class Operator:
    """A client that never gives up on a command: the same id is sent again until somebody answers."""

    site: Site
    acks: list[Ack] = field(default_factory=list)
    _link: Client | None = None

    async def ask(self, verb: str, run_id: str = "", *tasks: str, dag_id: str = "", **args: object) -> Ack:
        """One command, acknowledged or refused at last."""
        name = new_command_id()
        select = p.Selector(
            dag_ids=[dag_id] if dag_id else [], run_ids=[run_id] if run_id else [], task_ids=list(tasks)
        )
        async with asyncio.timeout(PATIENCE):
            ack = await self._insist(name, verb, select, dict(args))
        self.acks.append(ack)
        return ack

    async def _insist(self, name: str, verb: str, select: p.Selector, args: dict[str, object]) -> Ack:
        run_id, tasks = "".join(select.run_ids), tuple(select.task_ids)
        while True:
            try:
                async with connect(self.site.home, "cli") as client:
                    done = await client.command(verb, select, args, command_id=name)
                    return Ack(name, verb, "done", done.seq, str(done.result.get("run_id", run_id)), tasks)
            except CommandRefused as refusal:
                if refusal.code != "degraded":
                    return Ack(name, verb, "refused", 0, run_id, tasks)
            except NoEngine:
                pass
            await asyncio.sleep(0.02)

    async def settled(self, seconds: float = 2 * PATIENCE) -> None:
        """Waits until all runs are over, and all callbacks."""
        site = self.site
        open_runs = "SELECT run_id, state FROM run WHERE state NOT IN ('success', 'failed', 'cancelled')"
        open_attempts = (
            "SELECT id FROM attempt WHERE state <> 'ended' UNION SELECT id FROM callback WHERE state <> 'ended'"
        )
        try:
            await until(lambda: not site.rows(open_runs) and not site.rows(open_attempts), "all runs end", seconds)
        except AssertionError as error:
            runs = site.rows(open_runs)
            tasks = [site.tasks(run_id) for run_id, _ in runs]
            raise AssertionError(f"{error}: {runs} {tasks} {site.rows(open_attempts)}\n{site.log()}") from None
