"""One turn of the scheduler: everything that is handled together, committed together and then acted upon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from structlog.typing import FilteringBoundLogger

from engine.lifecycle.changes import Changes
from engine.lifecycle.instructions import Instruction
from engine.lifecycle.memory import RunMemory
from engine.model.moments import Micros
from engine.model.rows import Transition
from engine.store.batch import Batch


@dataclass(slots=True)
class Turn:
    """What a turn has done so far. Nothing of it is true before its commit."""

    now: Micros
    changes: Changes = field(default_factory=Changes)
    batch: Batch = field(default_factory=Batch)
    touched: dict[int, RunMemory] = field(default_factory=dict)
    """Task instances that moved, by id, with their run."""
    ended_runs: list[int] = field(default_factory=list)
    launched_callbacks: list[str] = field(default_factory=list)
    instructions: list[tuple[RunMemory, Instruction]] = field(default_factory=list)
    committed: list[Callable[[int], None]] = field(default_factory=list)
    """Called with the number of the last committed event: replies are sent from here."""
    failed: list[Callable[[Exception], None]] = field(default_factory=list)
    """Called when the commit failed."""

    def note(
        self,
        kind: str,
        *,
        dag_id: str | None = None,
        run: int | None = None,
        before: str | None = None,
        after: str | None = None,
        reason: str | None = None,
        command: str | None = None,
        detail: str | None = None,
    ) -> None:
        """An entry of the feed about something that is neither a run nor a task instance."""
        self.batch.transitions.append(
            Transition(
                kind,
                self.now,
                dag_id=dag_id,
                run=run,
                from_state=before,
                to_state=after,
                reason=reason,
                command=command,
                detail=detail,
            )
        )

    def tell(self, future: asyncio.Future[int]) -> None:
        """Has a future told how the turn's commit went."""

        def done(seq: int) -> None:
            if not future.done():
                future.set_result(seq)

        self.committed.append(done)
        self.failed.append(partial(refuse, future))

    def tell_all(self, seq: int, log: FilteringBoundLogger) -> None:
        """Calls all of `committed`. One that fails keeps nobody else from hearing."""
        for tell in self.committed:
            try:
                tell(seq)
            except Exception as error:
                log.exception("telling_failed", error=str(error))

    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        batch = self.batch
        return not (
            self.changes or batch.rows or batch.transitions or batch.results or batch.callbacks or batch.command
        )


def refuse(future: asyncio.Future[int], error: Exception) -> None:
    """Tells a future why what it waits for does not become true, if it still waits."""
    if not future.done():
        future.set_exception(error)
