"""What the newest commands changed, as it was before: kept for as long as it can be taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from engine.lifecycle.changes import Former
from engine.model.moments import SECOND, Micros
from engine.model.rows import Run, TaskInstance
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

LASTS: Micros = 60 * SECOND
"""How long a command can be taken back."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """The command that does the opposite, for what is not rows of runs."""

    verb: str
    args: dict[str, Any] = field(default_factory=dict)
    dag_ids: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    unstarted: bool = False
    """Only as long as nothing of these runs has started."""
    about: str = ""
    """What it is about (`pool:db`): it can be taken back until somebody else has changed that again."""
    rows: bool = False
    """Rows that the command has changed get their former states back, too."""
    whole: bool = False
    """Only if all of these rows can get theirs back."""


@dataclass(slots=True)
class Undoable:
    """One command: who gave it, what it said of itself, and what taking it back needs."""

    command: str
    verb: str
    actor: str
    at: Micros
    message: str
    tasks: list[TaskInstance] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """The ids of all runs concerned, by key."""
    inverse: Inverse | None = None


_decoder: msgspec.json.Decoder[Undoable] = msgspec.json.Decoder(Undoable)


def remember(scheduler: Scheduler, turn: Turn, made: Undoable, former: Former) -> None:
    """Keeps what a command changed. Commands that can no longer be taken back are forgotten."""
    made.tasks, made.runs = list(former.tasks.values()), list(former.runs.values())
    keys = {instance.run for instance in made.tasks} | {run.id for run in made.runs}
    made.names = {key: scheduler.state.runs[key].run.run_id for key in keys}
    if not keys and made.inverse is None:
        return
    known = scheduler.state.undo
    for old in [name for name, other in known.items() if other.at < turn.now - LASTS]:
        del known[old]
    known[made.command] = made
    turn.batch.add("undo.put", command=made.command, at=made.at, former=msgspec.json.encode(made).decode())
    turn.batch.add("undo.forget", command="", before=turn.now - LASTS)


def forget(scheduler: Scheduler, turn: Turn, command: str) -> None:
    """What has been taken back cannot be taken back again."""
    scheduler.state.undo.pop(command, None)
    turn.batch.add("undo.forget", command=command, before=turn.now - LASTS)


def restored(rows: list[str]) -> dict[str, Undoable]:
    """From the store, oldest first."""
    found = sorted((_decoder.decode(row) for row in rows), key=lambda made: (made.at, made.command))
    return {made.command: made for made in found}


def later(scheduler: Scheduler, made: Undoable) -> dict[int, Undoable]:
    """Task instances and runs of a command that other commands have changed after it (runs by their negative key)."""
    found: dict[int, Undoable] = {}
    after = False
    for other in scheduler.state.undo.values():
        if after:
            found.update((instance.id, other) for instance in other.tasks)
            found.update((-run.id, other) for run in other.runs)
        after = after or other is made
    return found
