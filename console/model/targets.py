"""What the cursor stands on, frozen when a key is pressed: actions work on this and never on a row's place."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.keys import UNMAPPED


@dataclass(frozen=True, slots=True)
class Target:
    """A DAG, a run, a task instance or an attention row. Fields that do not apply are None."""

    view: str
    """The view it was chosen in: `overview`, `run`, `dag` or `log`."""
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = UNMAPPED
    attempt: int | None = None
    attention: str | None = None
    """Key of an attention row."""
    backfill: int | None = None
    span: tuple[int, int] | None = None
    """The first and last moment of dates that were left out."""
    marked: tuple[Target, ...] = ()
    """All marked rows, where rows are marked: changes that can take many are about these, and not about the cursor."""
