"""Intents: what an operator has asked for and the store does not show yet.

An intent is drawn beside the true state, never instead of it. It goes when a picture at or after its commit arrives,
or when the engine refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.model.keys import TaskRef
from engine.model.moments import Micros


@dataclass(frozen=True, slots=True)
class Intent:
    """One command under way. `committed` is the commit that carries it out, once the engine has named it."""

    command_id: str
    verb: str
    words: str
    """How it reads after the arrow: `kill requested`."""
    refs: frozenset[TaskRef]
    asked_at: Micros
    committed: int | None = None
    run_id: str | None = None
    """The run that it has made, once it is committed."""


@dataclass(frozen=True, slots=True)
class Intents:
    """All commands under way, oldest first."""

    items: tuple[Intent, ...] = ()

    def add(self, intent: Intent) -> Intents:
        """With one more."""
        return Intents((*self.items, intent))

    def drop(self, command_id: str) -> Intents:
        """Without the one that was refused or lost."""
        return Intents(tuple(item for item in self.items if item.command_id != command_id))

    def commit(self, command_id: str, seq: int, run_id: str | None = None) -> Intents:
        """With the commit that carries a command out, and the run that it made."""
        return Intents(
            tuple(
                replace(item, committed=seq, run_id=run_id) if item.command_id == command_id else item
                for item in self.items
            )
        )

    def settle(self, seq: int) -> Intents:
        """Without those that a picture at commit `seq` already shows."""
        left = tuple(item for item in self.items if item.committed is None or item.committed > seq)
        return self if len(left) == len(self.items) else Intents(left)

    def of(self, ref: TaskRef) -> Intent | None:
        """What has been asked for a row last; a command for a run stands at the run alone."""
        return next((item for item in reversed(self.items) if ref in item.refs), None)
