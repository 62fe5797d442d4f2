"""Identities: what an id may look like, and how ids are made. Randomness and the clock are arguments."""

from __future__ import annotations

import re

from engine.model.moments import Micros, compact

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,199}\Z")
ID_RULE = "letters, digits, '_', '.' and '-', at most 200, starting with a letter or digit"

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def check_id(kind: str, value: object) -> str:
    """The id itself, if it is one. Raises ValueError naming the kind ('DAG', 'task'), the value and the rule."""
    if not isinstance(value, str) or not ID_PATTERN.match(value):
        raise ValueError(f"{kind} id {value!r} is not allowed: use {ID_RULE}")
    return value


_INDEX = re.compile(r"(.+)\[(\d{1,9})\]\Z")


def instance_name(task_id: str, map_index: int) -> str:
    """How people call a task instance: `task`, or `task[3]` for an index of a mapped task."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"


def split_name(name: str) -> tuple[str, int | None]:
    """The task id and the index that a name means; None: all of the task."""
    found = _INDEX.match(name)
    return (found[1], int(found[2])) if found else (name, None)


def ulid(now: Micros, entropy: bytes) -> str:
    """A ULID (26 characters, sorts by time) from a moment and 10 random bytes."""
    if len(entropy) != 10:
        raise ValueError("a ULID needs 10 bytes of entropy")
    number = ((now // 1000) << 80) | int.from_bytes(entropy, "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def scheduled_run_id(dag_id: str, logical_date: Micros) -> str:
    """`<dag_id>@20261122T010000Z`, for scheduled and backfill runs: one per DAG and logical date."""
    return f"{dag_id}@{compact(logical_date)}"


def manual_run_id(dag_id: str, logical_date: Micros, entropy: bytes) -> str:
    """The same with `~` and six base32 characters, for manual and asset runs; needs 4 random bytes."""
    number = int.from_bytes(entropy[:4], "big")
    tail = "".join(_BASE32[(number >> shift) & 31] for shift in range(25, -5, -5))
    return f"{dag_id}@{compact(logical_date)}~{tail}"
