"""How rows are named: small things that everything else may import."""

from __future__ import annotations

UNMAPPED = -1
"""The map index of a task that is not mapped."""

TaskRef = tuple[str, str, int]
"""A task instance by run id, task id and map index; with an empty task id, the run, or a DAG by its id."""
