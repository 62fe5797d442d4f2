"""What has failed and nobody has put right, by cause; who is on it; and recoveries under way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model.causes import cause, cause_key
from engine.model.moments import Micros
from engine.store.reader import Reader

MOST = 20_000


class FailedTask(NamedTuple):
    """A task instance that failed, or waits for its next try; or a run that failed although no task of it did: it has
    no `task_id`, the key of an instance that was stopped, and its episode, negative, as `attempt`.
    """

    id: int
    dag_id: str
    run: int
    run_id: str
    task_id: str
    map_index: int
    state: str
    attempt: int
    at: Micros
    error: str
    changed_seq: int
    logical_date: Micros
    retry_at: Micros | None = None


class Dragged(NamedTuple):
    """A task instance that did not run because one before it had failed."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str


class Claim(NamedTuple):
    """Somebody is on it."""

    signature: str
    who: str
    at: Micros
    note: str | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of one cause, newest first."""

    signature: str
    rows: list[FailedTask] = field(default_factory=list)
    claim: Claim | None = None

    @property
    def key(self) -> str:
        """Its short name."""
        return cause_key(self.signature)

    @property
    def failed(self) -> int:
        """How many have failed; the others wait for their next try."""
        return sum(row.state == "failed" for row in self.rows)


class RecoveryLine(NamedTuple):
    """A recovery, and how far it is: items are runs."""

    id: int
    state: str
    cause: str
    created_by: str
    created_at: Micros
    ended_at: Micros | None
    at_once: int
    command: str
    note: str | None
    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    skipped: int

    @property
    def left(self) -> int:
        """What has not ended."""
        return self.pending + self.running


@dataclass(slots=True)
class RecoveryItem:
    """One run of a recovery: the task instances that run again. `state`: pending, running, success, failed, skipped."""

    ordinal: int
    run: int
    run_id: str
    tasks: list[int]
    state: str = "pending"
    detail: str | None = None


@dataclass(slots=True)
class StoredRecovery:
    """A recovery that is not over."""

    id: int
    cause: str
    at_once: int
    command: str
    created_by: str
    created_at: Micros
    dags: list[str]
    """DAGs that their breakers had paused: resumed once the canary has succeeded."""
    backfills: list[int] = field(default_factory=list)
    """Backfills that its failures had stopped: resumed then, too."""
    items: list[RecoveryItem] = field(default_factory=list)
    fetching: set[int] = field(default_factory=set)
    """Backfills that are being read."""


def failed(reader: Reader, since: Micros = 0, *, retrying: bool = False) -> list[FailedTask]:
    """What failed since then and was not resolved, nor decided by a person; with `retrying` also what waits to try."""
    values = {"since": since, "most": MOST}
    found = [row for name in ("unresolved", "failed_runs") for row in reader.all("inbox", name, values)]
    rows = sorted(map(FailedTask._make, found), key=lambda row: (-row.at, row.id))
    if retrying:
        rows += [FailedTask._make(row) for row in reader.all("inbox", "retrying", values)]
    return rows


def causes(reader: Reader, since: Micros = 0, *, retrying: bool = False) -> list[Cause]:
    """The same by cause, the newest first, with who is on it."""
    with reader.snapshot():
        claims = {claim.signature: claim for claim in map(Claim._make, reader.all("inbox", "claims"))}
        found: dict[str, Cause] = {}
        for row in failed(reader, since, retrying=retrying):
            signature = cause(row.error)
            found.setdefault(signature, Cause(signature, [], claims.get(signature))).rows.append(row)
    return sorted(found.values(), key=lambda each: -max(row.at for row in each.rows))


def dragged_down(reader: Reader, runs: Iterable[int]) -> list[Dragged]:
    """What of these runs did not run because something before it had failed."""
    values = {"runs": json.dumps(sorted(set(runs))), "most": MOST}
    return [Dragged._make(row) for row in reader.all("inbox", "dragged_down", values)]


def recoveries(reader: Reader, since: Micros = 0, key: int | None = None) -> list[RecoveryLine]:
    """Recoveries that are under way or ended since then, or the one of that key."""
    return [RecoveryLine._make(row) for row in reader.all("inbox", "recoveries", {"id": key, "since": since})]


def failed_again(reader: Reader, recovery: int) -> list[tuple[str, str]]:
    """Runs that failed again, or were left alone, each with why."""
    return [(row[0], row[1] or "") for row in reader.all("inbox", "recovery_failures", {"id": recovery})]


def open_recoveries(reader: Reader) -> list[StoredRecovery]:
    """What the engine goes on with."""
    found = [
        StoredRecovery(*(*row[:6], json.loads(row[6]), json.loads(row[7])))
        for row in reader.all("inbox", "open_recoveries")
    ]
    for each in found:
        for row in reader.all("inbox", "recovery_items", {"id": each.id}):
            each.items.append(RecoveryItem(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5]))
    return found


def stopped_backfills(reader: Reader, runs: Iterable[int]) -> list[int]:
    """The backfills of these runs that failures have stopped."""
    return [row[0] for row in reader.all("inbox", "stopped_backfills", {"runs": json.dumps(sorted(set(runs)))})]


def last_recovery(reader: Reader) -> int:
    """The highest key given so far."""
    row = reader.one("inbox", "last_recovery")
    return int(row[0]) if row else 0
