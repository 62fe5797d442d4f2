"""The first word on failure: failed runs are read from the feed, gathered, and told in one message for each channel.

How far everything was told is noted by its number in the store, so that nothing is forgotten over a restart. A message
that was sent just before the engine died is sent again, under the same key; one that says more has another key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from engine.care import Channel, Telling
from engine.model.moments import SECOND, Micros, to_iso
from engine.observe.channels import Undelivered, call_address, run_command
from engine.store.errors import StoreError
from engine.store.reader import Reader, Row
from engine.store.recovery import load_meta

TOLD = "told_failures"
"""Key of the last event that was told of."""
MOST = 20
"""Runs that a message names; the others it counts."""
_LOOK_SECONDS = 1.0
_PAGE = 500


@dataclass(slots=True)
class Gathered:
    """What waits to be told over one channel."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    due: Micros = 0
    first: int = 0
    """Number of the first event in it."""
    key: str = ""
    """What tells this message from any other: of another home, of a store that was set back, or with more in it."""

    def add(self, run: dict[str, Any]) -> None:
        """One more failed run."""
        if not self.total:
            self.first = run["seq"]
        self.total += 1
        if len(self.runs) < MOST:
            self.runs.append(run)
        self.key = f"dagdeck-{self.runs[0]['failed_at']}-{self.first}-{run['seq']}"


class Grouping:
    """Decides when what has gathered is told. Pure: moments are arguments."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._waiting: dict[Channel, Gathered] = {}
        self._last: dict[Channel, Micros] = {}

    def add(self, run: dict[str, Any], now: Micros) -> None:
        """A run has failed. Where nobody is to hear of its DAG it is left out."""
        channel = self._telling.channel(run["dag_id"])
        if channel is None or not (channel.command or channel.webhook):
            return
        waiting = self._waiting.get(channel)
        if waiting is None:
            last = self._last.get(channel)
            earliest = now if last is None else last + round(self._telling.apart * SECOND)
            due = max(now + round(self._telling.gather * SECOND), earliest)
            waiting = self._waiting[channel] = Gathered(due=due)
        waiting.add(run)

    def due(self, now: Micros) -> list[tuple[Channel, Gathered]]:
        """What is to be told now; it is no longer waiting after that."""
        ready = [(channel, waiting) for channel, waiting in self._waiting.items() if waiting.due <= now]
        for channel, _ in ready:
            del self._waiting[channel]
            self._last[channel] = now
        return ready

    def waits(self) -> list[Gathered]:
        """What is still to be told."""
        return list(self._waiting.values())


def message_of(home: str, gathered: Gathered, now: Micros) -> dict[str, Any]:
    """What is told: words for people, and the same as data."""
    first = gathered.runs[0]
    words = f"{first['run_id']} failed: {first['task_id'] or 'no task'}: {first['error'] or 'no error'}"
    if gathered.total > 1:
        dags = sorted({run["dag_id"] for run in gathered.runs})
        words = f"{gathered.total} runs of {', '.join(dags[:5])}{' …' if len(dags) > 5 else ''} failed; first: {words}"
    return {
        "v": 1,
        "kind": "runs_failed",
        "home": home,
        "at": to_iso(now),
        "text": words,
        "total": gathered.total,
        "runs": gathered.runs,
    }


class Teller:
    """Reads failures from the feed and tells of them, until cancelled. It never holds up anything else."""

    def __init__(
        self,
        telling: Telling,
        home: str,
        environment: Mapping[str, str],
        read: Callable[[Callable[[Reader], Any]], Awaitable[Any]],
        note: Callable[[str, str], Awaitable[None]],
        committed: Callable[[], int],
        now: Callable[[], Micros],
        log: FilteringBoundLogger,
    ) -> None:
        self._home = home
        self._environment = environment
        self._read = read
        self._note = note
        self._committed = committed
        self._now = now
        self._log = log
        self._grouping = Grouping(telling)
        self._upto = 0
        self._noted = 0
        self._sending: dict[asyncio.Task[None], Gathered] = {}
        self._problems: dict[Channel, str] = {}

    @property
    def failing(self) -> str | None:
        """Why the last message over one of the channels did not arrive."""
        return "; ".join(self._problems.values()) or None

    async def run(self) -> None:
        """Until cancelled."""
        known, told = False, ""
        while True:
            try:
                if not known:
                    await self._begin()
                    known = True
                await self._look()
                told = ""
            except StoreError as error:
                if str(error) != told:
                    self._log.warning("failures_unread", error=str(error))
                told = str(error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _begin(self) -> None:
        """Goes on after what was told; an engine that has never told begins with what comes."""
        stored = await self._read(lambda reader: load_meta(reader, TOLD))
        self._upto = self._noted = int(stored) if stored else self._committed()
        if not stored:
            await self._note(TOLD, str(self._upto))

    async def _look(self) -> None:
        while self._committed() > self._upto:
            rows = await self._read(partial(_events, self._upto))
            if not rows:
                break
            for row in rows:
                if row[2] == "run" and row[8] == "failed" and row[7] != "failed":
                    run = await self._read(partial(_failed_run, row[4]))
                    if run is not None:
                        self._grouping.add({**run, "failed_at": to_iso(row[1]), "seq": row[0]}, self._now())
            self._upto = rows[-1][0]
        for channel, gathered in self._grouping.due(self._now()):
            task = asyncio.create_task(self._tell(channel, gathered))
            self._sending[task] = gathered
            task.add_done_callback(self._sending.pop)
        # Failures may go on for days: what was told is noted although something else still waits.
        told = min([one.first - 1 for one in (*self._sending.values(), *self._grouping.waits())], default=self._upto)
        if told > self._noted:
            await self._note(TOLD, str(told))
            self._noted = told

    async def _tell(self, channel: Channel, gathered: Gathered) -> None:
        message = message_of(self._home, gathered, self._now())
        ways: list[Coroutine[Any, Any, str | None]] = []
        if channel.webhook:
            ways.append(_post(channel.webhook, message, gathered.key))
        if channel.command:
            ways.append(_run(channel.command, message, self._environment))
        problems = [problem for problem in await asyncio.gather(*ways) if problem]
        if problems:
            self._problems[channel] = why = "; ".join(problems)
            self._log.error("failure_not_told", text=message["text"], why=why)
        else:
            self._problems.pop(channel, None)
            self._log.info("failure_told", text=message["text"])


async def _post(url: str, message: Mapping[str, Any], key: str) -> str | None:
    """Why it did not arrive."""
    try:
        await call_address("POST", url, json.dumps(message).encode(), key)
    except Undelivered as error:
        return f"webhook: {error}"
    return None


async def _run(command: tuple[str, ...], message: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """Why it did not arrive."""
    try:
        await run_command(command, message, environment)
    except Undelivered as error:
        return str(error)
    return None


def _events(after: int, reader: Reader) -> list[Row]:
    return reader.all("home", "events_after", {"seq": after, "count": _PAGE})


def _failed_run(key: int, reader: Reader) -> dict[str, Any] | None:
    row = reader.one("home", "failed_run", {"run": key})
    if row is None:
        return None
    task = reader.one("home", "first_failure", {"run": key}) or (None, None)
    return {
        "dag_id": row[0],
        "run_id": row[1],
        "logical_date": to_iso(row[2]),
        "task_id": task[0],
        "error": (task[1] or "")[:500] or None,
    }
