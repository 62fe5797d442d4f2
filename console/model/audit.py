"""The audit as it is shown: who asked for what, when, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.moments import Micros


class AuditCard(NamedTuple):
    """One command."""

    number: int
    id: str
    at: Micros
    user: str
    client: str
    """`console` or `cli`."""
    verb: str
    outcome: str
    """`done` or `refused`."""
    message: str
    note: str | None
    dag_id: str | None
    run_id: str | None
    task: str | None
    """What it was about: of many things the first."""
    details: tuple[tuple[str, str], ...] = ()
    """All else that is known of it, by name: where from, what it was asked with."""
    limit: str | None = None
    """Of a command about no DAG: which backfill, pool, breaker or cause it was about."""


class Audit(NamedTuple):
    """The newest commands, newest first."""

    cards: tuple[AuditCard, ...]
