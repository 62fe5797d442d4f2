"""Asking for changes: what a command is about, what it would touch, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from console.model.source import CodeCard


@dataclass(frozen=True, slots=True)
class Selection:
    """What a command is about: DAGs, or runs, or task instances of these runs; `RUN/TASK` is that of one run alone."""

    dag_ids: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    task_ids: tuple[str, ...] = ()


class EffectCard(NamedTuple):
    """One row of a preview: what it is, the state it is in, what the command would make of it."""

    kind: str
    dag_id: str
    run_id: str | None
    task_id: str | None
    map_index: int
    state: str
    becomes: str
    detail: str
    kills: bool


@dataclass(frozen=True, slots=True)
class PreviewCard:
    """What a command would touch, exactly, as of commit `seq`. `more` asks for the rows that are not here."""

    preview_id: str
    seq: int
    verb: str
    sentence: str
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[EffectCard, ...] = ()
    more: str | None = None
    kills: int = 0
    reopens: int = 0
    warnings: tuple[str, ...] = ()
    code: tuple[CodeCard, ...] = ()
    """For what runs again: with which code, and what changed in it."""

    @property
    def instances(self) -> int:
        """What is counted: task instances; a run that ends with them is a row, and not one more. Else all rows."""
        return sum(self.counts.values()) or self.total


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command that is committed. `skipped` names the rows left alone because they had moved."""

    seq: int
    message: str
    changed: int = 0
    skipped: tuple[str, ...] = ()
    run_id: str | None = None


class Refused(Exception):
    """Nothing was changed. `code`: `not_found`, `stale`, `state`, `invalid`, `degraded`, `role` or `protocol`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unreachable(Exception):
    """No engine answers: nothing is known to have changed."""
