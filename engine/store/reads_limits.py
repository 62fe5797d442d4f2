"""Pools and circuit breakers one by one, in sentences: how they stand, who holds them, who waits, what frees them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.model.breaker import OF_DAG, Breaker
from engine.model.moments import SECOND, Micros
from engine.model.states import Blocker
from engine.store import reads_home
from engine.store.errors import NotFound
from engine.store.reader import Reader
from engine.store.reads_why import Holder, holders_by_pool, moment_words, name_of, reserved_words, time_words

_NAMED = 10


def pool_story(reader: Reader, name: str, now: Micros) -> list[str]:
    """A pool. Raises NotFound."""
    with reader.snapshot():
        pool = next((each for each in reads_home.pools(reader) if each.name == name), None)
        if pool is None:
            raise NotFound(f"there is no pool {name}")
        held = holders_by_pool(reader).get(name, [])
        said = [f"pool {name}: {pool.description}" if pool.description else f"pool {name}"]
        if pool.slots < 0:
            said = [f"{said[0]} has no limit; {_taken(pool.used)}"]
        elif pool.slots == 0:
            said = [f"{said[0]} has 0 slots: nothing of it starts until `dagdeck pools resize {name} SLOTS`"]
        else:
            over = f", {pool.used - pool.slots} more than it has since it was resized" if pool.used > pool.slots else ""
            said = [f"{said[0]} has {_slots(pool.slots)}, of which {_taken(pool.used)}{over}"]
        if pool.include_deferred:
            said.append("tasks of it that have begun and wait without a process, as for a retry, keep their slots")
        said += [_holding(holder, slots, now) for holder, slots in held[:_NAMED]]
        if len(held) > _NAMED:
            said.append(f"held by {len(held) - _NAMED} more")
        said += _waiters(reader, f"{Blocker.POOL}:{name}", f"{Blocker.POOL_RESERVED}:{name}:", now)
        for hold in reads_home.holds(reader):
            if hold.scope == "pool" and hold.pattern == name and (hold.until is None or hold.until > now):
                end = f"until {moment_words(hold.until)}" if hold.until is not None else "until `dagdeck release`"
                said.append(f"on hold by {hold.who} {end}{f': {hold.note}' if hold.note else ''}")
        return said


def breaker_story(reader: Reader, name: str, now: Micros) -> list[str]:
    """A circuit breaker. Raises NotFound for one that was never needed."""
    with reader.snapshot():
        found = next((each for each in reads_home.breakers(reader) if each.name == name), None)
        if found is None:
            raise NotFound(f"there is no breaker {name}: one exists once something of it has failed, or it was tripped")
        said = [*_standing(found, now)]
        if found.last_error and not found.name.startswith(OF_DAG):
            at = f" at {moment_words(found.last_failure_at)}" if found.last_failure_at is not None else ""
            said.append(f"the last failure{at}: {found.last_error}")
        if found.victims:
            said.append(f"what failed was of {', '.join(found.victims)}")
        code = f"{Blocker.BREAKER}:{name}"
        return [*said, *_waiters(reader, code, f"{code}:", now)]


def _standing(found: Breaker, now: Micros) -> list[str]:
    name, whole = found.name, found.name.startswith(OF_DAG)
    runs = "runs" if whole else "calls"
    if found.state == "closed":
        failures = f" after {found.failures} failures in a row" if found.failures else ""
        return [f"breaker {name} is closed{failures}: {runs} pass"]
    if found.state == "half_open":
        probing = "one is on its way" if found.probe is not None else "it goes out as soon as something waits for it"
        again = f"its failure opens the breaker for {time_words(found.cooldown * 2)}, or the longest that it may"
        return [f"breaker {name} is half open and lets one probe pass: {probing}; its success closes it, {again}"]
    who = f"tripped by {found.by}" if found.by else f"after {found.failures} failures in a row"
    note = f" ({found.note})" if found.note else ""
    said = [f"breaker {name} is open since {moment_words(found.opened_at or now)}, {who}{note}"]
    if found.until is None:
        free = f"dagdeck dags resume {name.removeprefix(OF_DAG)}" if whole else f"dagdeck breakers reset {name}"
        return [*said, f"it is held open until `{free}`"]
    left = time_words(max(found.until - now, 0))
    after = "" if found.by else f", {time_words(found.cooldown)} after the last failure"
    return [
        *said,
        f"one probe goes out at {moment_words(found.until)} (in {left}){after}; if it fails, it is open twice as long",
    ]


def _waiters(reader: Reader, code: str, reserved: str, now: Micros) -> Iterator[str]:
    """Whoever waits, the longest first; and for whom free slots are kept, if they are."""
    rows = reader.all("why", "waiters", {"code": code, "beginning": f'"{reserved}'})
    for blockers in (json.loads(row[4]) for row in rows):
        kept = next((each for each in blockers if each.startswith(reserved)), None)
        if kept is not None:
            yield reserved_words(reader, kept.partition(":")[2], now)
            break
    for row in rows[:_NAMED]:
        since = f" for {time_words(max(now - row[3], 0))}" if row[3] is not None else ""
        yield f"wanted by {name_of(row[0], row[1], row[2])}{since}"
    if len(rows) > _NAMED:
        yield f"wanted by {len(rows) - _NAMED} more"


def _holding(holder: Holder, slots: int, now: Micros) -> str:
    many = _slots(slots)
    name = name_of(holder.task_id, holder.map_index, holder.run_id)
    if holder.is_waiting:
        due = f" at {moment_words(holder.started_at)}" if holder.started_at is not None else ""
        return f"kept by {name}: {many}, until it is tried again{due}"
    since = f" for {time_words(max(now - holder.started_at, SECOND))}" if holder.started_at is not None else ""
    return f"held by {name}: {many}{since}"


def _slots(count: int) -> str:
    return "1 slot" if count == 1 else f"{count} slots"


def _taken(count: int) -> str:
    return "1 is taken" if count == 1 else f"{count or 'none'} are taken"
