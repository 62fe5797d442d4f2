"""DAG files and attempts for tests of authoring, DAG files and sample DAGs."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from engine.authoring.loading import LoadedFile, load
from engine.model.attempt_files import AttemptSpec, Context, InputRef

HEADER = "from dagdeck import *\n"


def write(folder: Path, name: str, text: str) -> Path:
    """A file below `folder`, with its folders. The text is dedented."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path


def load_text(folder: Path, text: str, name: str = "under_test.py") -> LoadedFile:
    """Loads a DAG file with this text; everything of `dagdeck` is imported on its first line."""
    return load(write(folder, name, HEADER + textwrap.dedent(text).lstrip("\n")), folder)


def attempt(
    dag_id: str,
    task_id: str,
    *,
    logical_date: str = "2024-01-15T00:00:00Z",
    interval_end: str = "2024-01-16T00:00:00Z",
    zone: str = "UTC",
    number: int = 1,
    params: dict[str, Any] | None = None,
    inputs: dict[str, Any] | None = None,
    callback: str | None = None,
    error: str | None = None,
    map_index: int = -1,
) -> AttemptSpec:
    """The spec of an attempt, as the engine would write it."""
    context = Context(
        logical_date=logical_date,
        data_interval_start=logical_date,
        data_interval_end=interval_end,
        run_after=interval_end,
        timezone=zone,
        run_type="scheduled",
        params=params or {},
        max_tries=3,
    )
    return AttemptSpec(
        attempt_id="01HZZZZZZZZZZZZZZZZZZZZZZZ",
        dag_id=dag_id,
        run_id=f"{dag_id}@20240115T000000Z",
        task_id=task_id,
        map_index=map_index,
        number=number,
        kind="callback" if callback else "python",
        context=context,
        callback=callback,
        error=error,
        inputs={name: InputRef(value) for name, value in (inputs or {}).items()},
    )
