"""What a stretch of the feed has changed: which rows have to be read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_DAG_KINDS = frozenset({"dag", "schedule", "hold", "pool"})


@dataclass(slots=True)
class Dirty:
    """Rows named by the feed, by what they are."""

    dags: bool = False
    imports: bool = False
    reports: bool = False
    holds: bool = False
    runs: set[int] = field(default_factory=set)
    """Runs that moved themselves."""
    task_runs: set[int] = field(default_factory=set)
    """Runs of which a task instance moved."""
    tasks: dict[int, set[int]] = field(default_factory=dict)
    """Task instances that moved, by run."""
    failing: set[int] = field(default_factory=set)
    """Task instances that failed, or wait for their next try since."""
    moves: dict[int, dict[tuple[str | None, str], int]] = field(default_factory=dict)
    """By run: how many task instances went from one state to another; from None: they are new."""
    recount: set[int] = field(default_factory=set)
    """Runs whose moves do not tell how many of their instances count: a mapped task was expanded, summed up or cleared,
    and its summary row, which is none of them, became one or ceased to be."""
    commanded: set[int] = field(default_factory=set)
    """Runs that somebody's command changed."""
    dag_ids: set[str] = field(default_factory=set)
    """DAGs of which anything moved."""

    any: bool = False
    """Whether anything at all was committed."""

    def __bool__(self) -> bool:
        return self.any

    @classmethod
    def of(cls, events: Iterable[Sequence[Any]]) -> Dirty:
        """From the columns of `events_after`."""
        dirty = cls()
        dirty.any = True
        for _, _, kind, dag_id, run, task, _, before, after, reason, command, _ in events:
            dirty._add(kind, dag_id, run, task, before, after, command)
            if run is not None and (reason == "expanded" or command is not None or after == "none"):
                dirty.recount.add(run)
        return dirty

    def _add(
        self, kind: str, dag_id: str | None, run: int | None, task: int | None, before: str | None, after: str | None,
        command: str | None,
    ) -> None:  # fmt: skip
        if dag_id is not None:
            self.dag_ids.add(dag_id)
        if run is not None and command is not None:
            self.commanded.add(run)
        if kind in _DAG_KINDS or (kind == "command" and run is None):
            self.dags = True
        if kind in ("hold", "inbox", "recovery"):
            self.holds = True
        if kind in ("import", "dag"):
            self.imports = True
        if kind == "engine" or kind == "command":
            self.reports = True
        if run is None:
            return
        if task is None:
            self.runs.add(run)
            return
        self.task_runs.add(run)
        self.tasks.setdefault(run, set()).add(task)
        if after in ("failed", "up_for_retry"):
            self.failing.add(task)
        if kind == "task" and after is not None and before != after:
            moves = self.moves.setdefault(run, {})
            moves[before, after] = moves.get((before, after), 0) + 1
