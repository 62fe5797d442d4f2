"""Deleted runs as they are shown."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.moments import Micros


class TrashedCard(NamedTuple):
    """A run in the trash."""

    run_id: str
    dag_id: str
    state: str
    at: Micros
    who: str
    note: str | None
    taken: bool
    """Whether it cannot come back: another run has its place by now, or its code is gone."""


class Trash(NamedTuple):
    """What is in the trash, newest first."""

    cards: tuple[TrashedCard, ...]
