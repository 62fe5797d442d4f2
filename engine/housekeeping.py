"""The engine's own life in the store: its session, and the report of an unclean start."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Callable

from engine.scheduler import pools
from engine.scheduler.core import Scheduler
from engine.scheduler.loading import Loaded, Report
from engine.scheduler.turn import Turn
from engine.version import VERSION

_SEEN_SECONDS = 5.0


class Housekeeping:
    """Writes when the engine was there, and has the host looked at by `looks`."""

    def __init__(self, scheduler: Scheduler, boot_id: str, *looks: Callable[[], None]) -> None:
        self._looks = looks
        self._scheduler = scheduler
        self._boot_id = boot_id
        self._session = 0

    def begin(self, turn: Turn, loaded: Loaded, report: Report, reported: bool) -> None:
        """Opens the session. After an unclean stop, and where tasks were interrupted although the engine had stopped in
        order, as when the machine is shut down, it leaves a report that stays until somebody acknowledges it.

        `reported`: one of an earlier start still stands.
        """
        before = loaded.recovered.session
        self._session = loaded.recovered.heads.session + 1
        turn.batch.add(
            "engine.start", id=self._session, at=turn.now, boot_id=self._boot_id, pid=os.getpid(), version=VERSION
        )
        told = before is not None and (before.ended_at is None or bool(report.interrupted))
        self._scheduler.report_open = reported or told
        if before is not None and told:
            story = {
                **dataclasses.asdict(report),
                "last_seen_at": before.ended_at or before.last_seen_at,
                "started_at": turn.now,
                "reboot": before.boot_id != self._boot_id,
            }
            turn.batch.add("recovery.add", session=self._session, at=turn.now, report=json.dumps(story))
        pools.keep(self._scheduler, turn, loaded.recovered.pools)

    def end(self, turn: Turn, reason: str) -> None:
        """Closes the session in order."""
        turn.batch.add("engine.end", id=self._session, at=turn.now, reason=reason)
        turn.note("engine", after="stopped", reason=reason)

    async def run(self) -> None:
        """Looks at the host and signs the session every five seconds."""
        while True:
            for look in self._looks:
                look()
            await asyncio.sleep(_SEEN_SECONDS)
            if self._scheduler.degraded is None:
                self._scheduler.post(self._sign)

    def _sign(self, turn: Turn) -> None:
        turn.batch.add("engine.seen", id=self._session, at=turn.now)
