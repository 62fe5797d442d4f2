"""What only the view of one task instance shows: its result, and how long the task took in other runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.model.moments import Micros


class Took(NamedTuple):
    """How long a task took in one run that succeeded; moments in microseconds UTC."""

    logical_date: Micros
    duration: Micros


@dataclass(frozen=True)
class TaskPage:
    """`took` is oldest first. `result` is the JSON text of the newest result, None where there is none at hand."""

    took: tuple[Took, ...] = ()
    result: str | None = None
    result_bytes: int | None = None
    """Its size, also where it is kept as a file."""
