"""The code of a DAG version, and how two versions differ. Text that is drawn is safe; a command line prints it raw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model.moments import Micros


class VersionCard(NamedTuple):
    """One version of a DAG, and the commit it came from where `dags/` is a checkout."""

    id: int
    number: int
    created_at: Micros
    commit: str | None = None
    author: str | None = None
    committed_at: Micros | None = None
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """From one version to another: a unified diff over all files, and which tasks came, went or are defined anew."""

    lines: tuple[str, ...] = ()
    files: int = 0
    added: int = 0
    removed: int = 0
    new_tasks: tuple[str, ...] = ()
    gone_tasks: tuple[str, ...] = ()
    changed_tasks: tuple[str, ...] = ()
    note: str = ""
    """Why the files could not be compared; empty when they were."""

    @property
    def same(self) -> bool:
        """Whether both are the same code and the same tasks."""
        return not (self.files or self.new_tasks or self.gone_tasks or self.changed_tasks or self.note)


@dataclass(frozen=True, slots=True)
class CodeCard:
    """With which code a command would run again what has run: of a preview, for one pair of versions."""

    dag_id: str
    before: VersionCard
    after: VersionCard
    current_number: int
    runs: int
    broken: bool
    diff: Diff


@dataclass(frozen=True, slots=True)
class SourceCard:
    """One version's files, and what changed from it to the current version of its DAG."""

    dag_id: str
    shown: VersionCard
    current: VersionCard
    file: str
    """The DAG file, relative to `dags/`."""
    files: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The DAG file first, then the modules it imports."""
    diff: Diff = Diff()
    task_lines: Mapping[str, int] = field(default_factory=dict)
    """The line of the DAG file on which each task is made."""
    older: int | None = None
    newer: int | None = None
    """Numbers of the versions before and after."""
    trouble: str = ""
    """Why the code cannot be shown; empty when it can."""
