"""The executor of this machine: attempts as processes under a runner, watched through their directories."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine import failpoints
from engine.clock import Clock
from engine.execution import directory as files
from engine.execution import evidence, stacks
from engine.execution.activity import Activity, Running
from engine.execution.adoption import Watch
from engine.execution.cold_start import ColdStarts
from engine.execution.live import Live, group_of
from engine.execution.logs import LogKeeper, LogLimits
from engine.execution.lookups import Resolve, Wanted, look_up, not_configured
from engine.execution.memory import Memory
from engine.execution.port import Bundle, Deliver, Ended, Evidence, Finding, LaunchOrder, SpawnFailed, Unkillable
from engine.execution.process import proc
from engine.execution.runners import Runners
from engine.execution.sessions import Counter
from engine.execution.signals import Killer
from engine.model.attempt_files import AttemptStatus

_encode = msgspec.json.Encoder().encode
_SWEEP_SECONDS = 2.0
_QUIET_SECONDS = 5.0
_CHUNK = 100


class LocalExecutor:
    """Implements the executor's port on asyncio. All calls on the loop's thread."""

    def __init__(
        self,
        attempts: Path | str,
        clock: Clock,
        log: Path | str | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        dags: Path | None = None,
        python: str = "",
        log_limits: LogLimits | None = None,
        resolve: Resolve = not_configured,
    ) -> None:
        """`attempts` is the home's folder of attempts, `log` where the runner and its hosts print to.

        `environment` and `dags` are what DAG files are imported in: the environment, and the folder they lie in.
        `python` is the interpreter that most of them name: it is made ready at once.
        """
        self._root = os.path.abspath(attempts)
        self._clock = clock
        self._log = str(log) if log is not None else None
        self._log_limits = log_limits
        self._hosts: dict[str, Any] = {
            "env": dict(environment or {}),
            "dags": str(dags) if dags else "",
            "python": python,
        }
        self.activity = Activity(clock)
        self._resolve = resolve
        self._live: dict[str, Live] = {}
        self._out: list[Evidence] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self, deliver: Deliver) -> None:
        """Starts the runner and the watches."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        os.makedirs(self._root, 0o700, exist_ok=True)
        self._boot_id = proc.boot_id()
        counter = Counter()
        self._watch = Watch(self._boot_id, counter, self._begun, self._over, self._unbegun)
        self._killer = Killer(self._boot_id, counter, self._killed, self._outlived)
        self._cold = ColdStarts(self._root, self._boot_id, self._cold_over)
        self._logs = LogKeeper(self._log_limits)
        self._memory = Memory(self._root)
        self._runners = Runners(self._root, self._log, self._hosts, self._hear, self._go_on)
        self._runners.start()
        self._spawn_task(self.activity.run(self._running))
        self._spawn_task(self._sweep())
        self._spawn_task(self._logs.run(lambda: [live.path for live in self._live.values()]))

    async def close(self) -> None:
        """Lets go of runner, watches and kills; attempts run on."""
        self._closed = True
        self._runners.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._killer.close()
        self._watch.close()
        self._cold.close()
        await self._runners.close(patience=0.0 if self._live else 2.0)

    # orders

    def launch(self, orders: Iterable[LaunchOrder]) -> None:
        """Writes the attempts' directories and has them started."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for order in orders:
            attempt_id = order.spec.attempt_id
            try:
                path = files.path_of(self._root, attempt_id)
                self._memory.prepare(order.spec)
                fresh = files.create(path, _encode(order.spec))
                if not fresh and not self._may_start_again(attempt_id, path, order):
                    continue
            except OSError as problem:
                self._say(SpawnFailed(attempt_id, f"its directory cannot be made: {problem.strerror or problem}"))
                continue
            group = group_of(order)
            live = self._live[attempt_id] = Live(path, group, time.monotonic())
            live.launched = time.time_ns() // 1000
            if order.connections:
                self._spawn_task(self._start_with_secrets(attempt_id, group, order.connections))
            else:
                groups.setdefault(group, []).append(attempt_id)
        self._send(groups)

    async def _start_with_secrets(self, attempt_id: str, group: tuple[str, ...], wanted: Wanted) -> None:
        found = await look_up(self._resolve, wanted)
        live = self._live.get(attempt_id)
        if live is None or self._killer.has(attempt_id):
            return
        if isinstance(found, AttemptStatus):
            del self._live[attempt_id]
            self._say(Ended(attempt_id, found))
        else:
            live.secrets = found
            self._send({group: [attempt_id]})

    def _may_start_again(self, attempt_id: str, path: str, order: LaunchOrder) -> bool:
        if files.survey(path).state != "never_started":
            self.adopt([attempt_id])
            return False
        files.rewrite_spec(path, _encode(order.spec))
        return True

    def _send(self, groups: dict[tuple[str, ...], list[str]]) -> None:
        if not groups:
            return
        link = self._runners.link
        if link is None:
            for group, attempt_ids in groups.items():
                self._start_cold(group, attempt_ids)
            return
        message: dict[str, Any] = {"start": [[*group, attempt_ids] for group, attempt_ids in groups.items()]}
        started = (each for ids in groups.values() for each in ids)
        secrets = {each: given for each in started if (given := self._live[each].secrets) is not None}
        if secrets:
            message["secrets"] = secrets
        link.send(message)
        failpoints.hit("executor.start.after")

    def _start_cold(self, group: tuple[str, ...], attempt_ids: list[str]) -> None:
        for attempt_id in attempt_ids:
            secrets = self._live[attempt_id].secrets
            error = self._cold.start(attempt_id, None if group[0] == "shell" else group[1], secrets)
            if error is not None:
                self._live.pop(attempt_id, None)
                self._say(SpawnFailed(attempt_id, error))
            else:
                self._watch.add(attempt_id, self._live[attempt_id].path)

    def warm(self, bundles: Iterable[Bundle]) -> None:
        """Has hosts import these bundles now."""
        keys = [[bundle.python, bundle.directory, bundle.file] for bundle in bundles]
        if self._runners.link is not None and keys:
            self._runners.link.send({"warm": keys})

    def kill(self, attempt_id: str, grace: float) -> None:
        """Ends the attempt; Ended follows when nothing of it is left."""
        live = self._live.get(attempt_id)
        if live is None:
            live = self._live[attempt_id] = Live(files.path_of(self._root, attempt_id), (), time.monotonic())
        live.asked = True
        self._killer.kill(attempt_id, live.path, grace)

    def stack(self, attempt_id: str) -> None:
        """Has the attempt's log say what its processes and their Python threads are doing."""
        live = self._live.get(attempt_id)
        if live is not None:
            self._spawn_task(asyncio.to_thread(stacks.write, attempt_id, live.path))

    def _running(self) -> Iterable[Running]:
        for attempt_id, live in self._live.items():
            if live.claim is not None and live.claim.pid:
                yield Running(attempt_id, live.path, live.claim.pid, live.claim.started, live.claim.at)

    def survey(self, attempt_id: str) -> Finding:
        """What the attempt's directory says now."""
        return evidence.finding(files.path_of(self._root, attempt_id), self._clock)

    def adopt(self, attempt_ids: Iterable[str]) -> None:
        """Watches attempts of an earlier engine, or of an earlier runner."""
        for attempt_id in attempt_ids:
            path = files.path_of(self._root, attempt_id)
            if attempt_id not in self._live:
                self._live[attempt_id] = Live(path, (), time.monotonic())
            self._watch.add(attempt_id, path)

    # the runner

    def _go_on(self) -> None:
        """After a runner was lost: attempts go on by themselves and are watched; what had not begun is started anew."""
        again: dict[tuple[str, ...], list[str]] = {}
        for attempt_id, live in self._live.items():
            if attempt_id in self._watch:
                continue
            if live.group and files.has_surely_not_begun(live.path):
                again.setdefault(live.group, []).append(attempt_id)
            else:
                self._watch.add(attempt_id, live.path, live.claim)
        self._send(again)

    def _hear(self, report: dict[str, Any]) -> None:
        items: list[tuple[Any, list[Any]]] = [(self._look_at_claim, [each]) for each in report.get("claimed", ())]
        items += [(self._over, [item[0], item[1:]]) for item in report.get("ended", ())]
        items += [(self._not_started, item) for item in report.get("failed", ())]
        items += [(self._watch_on, [each]) for each in report.get("orphaned", ())]
        for take, item in items:
            try:
                take(*item)
            except OSError:  # its files cannot be looked at now, and nobody will tell again
                self._watch_on(item[0])
        self._hand_out()

    def _watch_on(self, attempt_id: str) -> None:
        live = self._live.get(attempt_id)
        if live is not None:
            self._watch.add(attempt_id, live.path, live.claim)

    # what became of attempts

    def _look_at_claim(self, attempt_id: str) -> None:
        live = self._live.get(attempt_id)
        if live is None or live.claim is not None:
            return
        claim = files.read_claim(live.path)
        if claim is not None:
            self._begun(attempt_id, claim)

    def _begun(self, attempt_id: str, claim: files.Claim) -> None:
        live = self._live.get(attempt_id)
        if live is not None and live.claim is None and claim.pid:
            live.claim = claim
            live.secrets = None
            claim.at = max(claim.at, live.launched)
            self._say(evidence.claimed(attempt_id, claim, self._clock))

    def _over(self, attempt_id: str, measured: list[Any] | None = None) -> None:
        """The attempt's process is gone. `measured` is what whoever waited for it has to say, if it was a shell's."""
        live = self._live.get(attempt_id)
        if live is None:
            return
        live.measured = measured or live.measured
        if self._killer.has(attempt_id):
            return
        self._look_at_claim(attempt_id)
        status = self._status_of(live)
        if status is None:
            self._watch.add(attempt_id, live.path, live.claim)
            return
        if status.code != 0 and live.claim is not None and self._killer.leaves_traces(live.claim):
            self._killer.sweep(attempt_id, live.path)
            return
        self._end(attempt_id, status)

    def _end(self, attempt_id: str, status: AttemptStatus | None) -> None:
        live = self._live[attempt_id]
        self._logs.last_look(live.path)
        status = self._memory.judge(attempt_id, live.claim, live.began, status, asked=live.asked)
        size = files.result_bytes(live.path) if status is not None and status.by == "child" else None
        del self._live[attempt_id]  # nothing fails from here on: what is forgotten before is never told
        self._watch.drop(attempt_id)
        self._say(Ended(attempt_id, status, size))

    def _unbegun(self, attempt_id: str, lost: bool) -> None:
        """The watch has found that there is nothing to watch: lost, or never begun."""
        live = self._live.get(attempt_id)
        if live is None or self._killer.has(attempt_id):
            return
        if lost:
            self._end(attempt_id, None)
            return
        self._watch.drop(attempt_id)
        del self._live[attempt_id]
        self._say(SpawnFailed(attempt_id, "it has never begun"))

    def _outlived(self, attempt_id: str, why: str) -> None:
        live = self._live.get(attempt_id)
        if live is not None:
            self._say(Unkillable(attempt_id, why if live.asked else f"the task has ended, but {why}"))

    def _killed(self, attempt_id: str) -> None:
        """Nothing of the attempt is left after a kill."""
        live = self._live.get(attempt_id)
        if live is not None:
            self._look_at_claim(attempt_id)
            self._end(attempt_id, self._status_of(live))

    def _status_of(self, live: Live) -> AttemptStatus | None:
        status = evidence.status_of(live.path, self._clock)
        if status is not None and status.by == "shim" and live.measured:
            evidence.add_measurements(status, live.measured, self._clock)
        return status

    def _not_started(self, attempt_id: str, error: str) -> None:
        live = self._live.get(attempt_id)
        if live is None or self._killer.has(attempt_id):
            return
        if live.claim is not None or files.has_claim(live.path):
            self._watch.add(attempt_id, live.path, live.claim)
            return
        del self._live[attempt_id]
        self._say(SpawnFailed(attempt_id, error))

    def _cold_over(self, attempt_id: str, begun: bool) -> None:
        if begun:
            self._over(attempt_id)
        else:
            self._watch.drop(attempt_id)
            self._not_started(attempt_id, "its process ended before it began")
        self._hand_out()

    async def _sweep(self) -> None:
        """Finds what a lost message would have told: claims and ends of attempts that have been quiet for a while."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.monotonic()
            self._memory.sample(self._live)
            quiet = [each for each in self._live.items() if now - each[1].since >= _QUIET_SECONDS]
            for index, (attempt_id, live) in enumerate(quiet):
                live.since = now
                if attempt_id in self._live and attempt_id not in self._watch and not self._killer.has(attempt_id):
                    with contextlib.suppress(OSError):  # no descriptor is left, for instance: it is looked at again
                        self._look_at(attempt_id, live)
                if index % _CHUNK == _CHUNK - 1:
                    await asyncio.sleep(0)
            self._hand_out()

    def _look_at(self, attempt_id: str, live: Live) -> None:
        seen = files.survey(live.path)
        if seen.claim is not None:
            self._begun(attempt_id, seen.claim)
        if seen.state == "ended":
            self._over(attempt_id)
        elif seen.state == "lost":
            self._watch.add(attempt_id, live.path, live.claim)

    # evidence

    def _say(self, item: Evidence) -> None:
        self._out.append(item)
        if len(self._out) == 1:
            self._loop.call_soon(self._hand_out)

    def _hand_out(self) -> None:
        if self._out and not self._closed:
            batch, self._out = self._out, []
            self._deliver(batch)

    def _spawn_task(self, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
