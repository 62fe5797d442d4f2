"""The engine's own life in the store: its session, the report of an unclean start, room on the disk."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil

from engine.config import Home, Settings
from engine.scheduler.core import Scheduler
from engine.scheduler.loading import Loaded, Report
from engine.scheduler.turn import Turn
from engine.version import VERSION

_SEEN_SECONDS = 5.0


class Housekeeping:
    """Writes when the engine was there, and stops new starts when the disk is nearly full."""

    def __init__(self, home: Home, settings: Settings, scheduler: Scheduler, boot_id: str) -> None:
        self._home = home
        self._settings = settings
        self._scheduler = scheduler
        self._boot_id = boot_id
        self._session = 0

    def begin(self, turn: Turn, loaded: Loaded, report: Report, pools: dict[str, int]) -> None:
        """Opens the session; after an unclean stop it leaves a report that stays until somebody acknowledges it."""
        before = loaded.recovered.session
        self._session = loaded.recovered.heads.session + 1
        turn.batch.add(
            "engine.start", id=self._session, at=turn.now, boot_id=self._boot_id, pid=os.getpid(), version=VERSION
        )
        if before is not None and before.ended_at is None:
            story = {
                **dataclasses.asdict(report),
                "last_seen_at": before.last_seen_at,
                "started_at": turn.now,
                "reboot": before.boot_id != self._boot_id,
            }
            turn.batch.add("recovery.add", session=self._session, at=turn.now, report=json.dumps(story))
        stored = {pool.name: pool for pool in loaded.recovered.pools}
        for name, slots in self._scheduler.ledger.pools.items():
            row, configured = stored.get(name), pools.get(name)
            if row is None or (row.slots, row.configured) != (slots, configured):
                turn.batch.add("pool.put", name=name, slots=slots, description=None, configured=configured)
        for name in stored.keys() - self._scheduler.ledger.pools.keys():
            turn.batch.add("pool.remove", name=name)

    def end(self, turn: Turn, reason: str) -> None:
        """Closes the session in order."""
        turn.batch.add("engine.end", id=self._session, at=turn.now, reason=reason)
        turn.note("engine", after="stopped", reason=reason)

    async def run(self) -> None:
        """Looks at the disk and signs the session every five seconds."""
        while True:
            self.look_at_disk()
            await asyncio.sleep(_SEEN_SECONDS)
            if self._scheduler.degraded is None:
                self._scheduler.post(self._sign)

    def _sign(self, turn: Turn) -> None:
        turn.batch.add("engine.seen", id=self._session, at=turn.now)

    def look_at_disk(self) -> None:
        """Has nothing new started while less than the configured space is free."""
        free = shutil.disk_usage(self._home.root).free
        low = free < self._settings.min_free
        if low != (self._scheduler.disk_low is not None):
            reason = f"{free // 2**20} MB free on the disk of {self._home.root}: nothing new starts" if low else ""
            self._scheduler.limit(disk_low=reason)
