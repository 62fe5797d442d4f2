"""What a scan of the DAG files reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.model.dag import Commit, DagSpec, ImportFailure


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file defines these DAGs now, and the version that holds them is on disk.

    A DAG of the file that is neither in `dags` nor named by a failure's `dag_id` is not there any more. One that a
    failure names is broken: its last good version goes on.
    """

    file: str
    """Relative to `dags/`."""
    bundle_hash: str
    dags: tuple[DagSpec, ...]
    warnings: tuple[str, ...] = ()
    failures: tuple[ImportFailure, ...] = ()
    modules: tuple[str, ...] = ()
    commit: Commit | None = None
    """Where `dags/` is a checkout: what was checked out."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A file cannot be used as it is now. The last good versions of its DAGs go on."""

    file: str
    failures: tuple[ImportFailure, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A file is not there any more, and has not been for two scans."""

    file: str


FileUpdate: TypeAlias = Loaded | Broken | Gone
