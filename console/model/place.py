"""Where an operator is: a view, and what it shows. Places are what back and forward go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.model.keys import UNMAPPED

if TYPE_CHECKING:
    from console.model.targets import Target


@dataclass(frozen=True, slots=True)
class Place:
    """A view by its id, and what it is about; fields that do not apply are None."""

    view: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = UNMAPPED
    attempt: int | None = None
    filter: str = ""
    """What its rows are filtered by."""
    at: int | None = None
    """Of a log: the byte at which the line that is meant begins."""

    @classmethod
    def of(cls, view: str, target: Target) -> Place:
        """The view of what the cursor stands on."""
        return cls(view, target.dag_id, target.run_id, target.task_id, target.map_index, target.attempt)
