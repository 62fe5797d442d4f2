"""Reading the store: committed rows, in short reads, whether an engine runs or not. Verbs read through here alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from console.cli.errors import NotFound
from engine.home import Home
from engine.model.dag import DEFAULT_POOL, DagSpec
from engine.model.ids import instance_name, split_name
from engine.model.moments import Micros, to_iso
from engine.model.typed import dagdeck
from engine.store import reads_backfill, reads_home, reads_inbox, reads_overview, reads_run, reads_schedule
from engine.store.errors import StoreError, StoreMissing, absence
from engine.store.reader import Reader
from engine.store.reads_trash import trashed
from engine.store.resolve import resolve_run
from engine.store.rows_out import (
    AttemptLine,
    CommandLine,
    DagLine,
    InstanceLine,
    RunDetail,
    RunLine,
    SessionLine,
    Usual,
    VersionDetail,
    VersionLine,
)

__all__ = [
    "AttemptLine",
    "CommandLine",
    "DagLine",
    "InstanceLine",
    "Reader",
    "RunDetail",
    "RunLine",
    "SessionLine",
    "StoreError",
    "Usual",
    "VersionDetail",
    "VersionLine",
    "find_dag",
    "find_run",
    "find_task",
    "in_order",
    "iso",
    "last_session",
    "near",
    "no_store",
    "open_store",
    "pools_known_in",
    "reads_backfill",
    "reads_home",
    "reads_inbox",
    "reads_overview",
    "reads_run",
    "reads_schedule",
    "seconds",
    "spec_of",
    "task_name",
    "trashed",
]


def no_store(home: Home) -> str:
    """Why a home has no store: none was made yet, or it was and is gone, which no engine makes good."""
    # Imported on first use: verbs that find a store do not look for an engine.
    from console.cli.link import engine_pid

    found = f"{home.database} {absence(home.database)}"
    runs = engine_pid(home) is not None
    if home.store_is_lost:
        way = "put a backup in its place with `dagdeck restore BACKUP --replace`"
        if runs:
            way = f"`dagdeck engine status` says what its engine has saved of it; stop that, and {way}"
        return f"{found}, but {home.attempts} holds attempts: {way}"
    if home.database.is_symlink() or home.database.exists():
        return f"{found}: " + ("`dagdeck engine status` says more" if runs else "no engine has made a store there yet")
    return f"{home.root} has no store yet, its engine makes it: {dagdeck(home.root, 'engine', 'start')}"


def pools_known_in(home: Home, configured: Mapping[str, int]) -> dict[str, int]:
    """The slots of each pool (−1: no limit), as a DAG file may name it: those of the settings, and those that operators
    made or resized as far as the store can be read."""
    known = {DEFAULT_POOL: -1, **configured}
    try:
        with Reader(home.database) as reader:
            known |= {pool.name: pool.slots for pool in reads_home.pools(reader)}
    except StoreError:
        return known  # a DAG file can be looked at without any store
    return known


@contextmanager
def open_store(home: Home) -> Iterator[Reader]:
    """The store of a home. Raises NotFound when no engine has made one yet, or it is gone."""
    try:
        reader = Reader(home.database)
    except StoreMissing as error:
        raise NotFound(no_store(home)) from error
    with reader:
        yield reader


def find_run(reader: Reader, text: str) -> RunDetail:
    """The run that `text` names: an id, its unique beginning, DAG@latest, DAG@-1, DAG@2026-11-22T01."""
    return reads_run.run(reader, resolve_run(reader, text).id)


def find_dag(reader: Reader, dag_id: str) -> DagLine:
    """A DAG. Raises NotFound, naming DAGs with ids like it."""
    known = {row.dag_id: row for row in reads_overview.dags(reader)}
    if dag_id in known:
        return known[dag_id]
    raise NotFound(f"there is no DAG {dag_id!r}{near(dag_id, known)}")


def find_task(reader: Reader, run: RunDetail, text: str) -> InstanceLine:
    """A task instance of a run: `task`, or `task[3]` for one index of a mapped task. Raises NotFound."""
    task_id, index = split_name(text)
    rows = reads_run.instances_of_task(reader, run.id, task_id)
    for row in rows:
        if row.map_index == (-1 if index is None else index):
            return row
    if rows:
        last = max(row.map_index for row in rows)
        has = f"it has {task_id}[0] to {task_id}[{last}]" if last >= 0 else "it has no indexes"
        raise NotFound(f"run {run.run_id} has no {text}: {has}")
    known = [row.task_id for row in reads_run.instances(reader, run.id)]
    raise NotFound(f"run {run.run_id} has no task {text!r}{near(task_id, known)}")


def near(name: str, known: Iterator[str] | list[str] | dict[str, DagLine]) -> str:
    """`: did you mean …?` where there are names like it, else nothing."""
    found = difflib.get_close_matches(name, list(dict.fromkeys(known)), n=3)
    return f": did you mean {' or '.join(found)}?" if found else ""


def spec_of(reader: Reader, version_id: int) -> DagSpec:
    """The serialized DAG of a version. Raises the store's NotFound."""
    # Imported on first use: listings need no specs.
    import msgspec

    return msgspec.json.decode(reads_run.version(reader, version_id).spec, type=DagSpec)


def last_session(reader: Reader) -> SessionLine | None:
    """The engine's last life."""
    found = reads_home.sessions(reader, count=1)
    return found[0] if found else None


def task_name(row: InstanceLine) -> str:
    """A task instance's name: `task`, or `task[3]`."""
    return instance_name(row.task_id, row.map_index)


def in_order(rows: list[InstanceLine]) -> list[InstanceLine]:
    """Task instances in the order of the graph, the indexes of a mapped task under its summary row."""
    first = {row.task_id: row.id for row in rows if row.map_index < 0}
    return sorted(rows, key=lambda row: (first.get(row.task_id, row.id), row.map_index))


def iso(moment: Micros | None) -> str | None:
    """A moment for `--json`: ISO 8601 in UTC with `Z`."""
    return None if moment is None else to_iso(moment)


def seconds(duration: Micros | None) -> float | None:
    """A duration for `--json`, in seconds."""
    return None if duration is None else duration / 1_000_000
