"""What has failed and nobody has put right, as the failure inbox reads it, kept up to date from the feed."""

from __future__ import annotations

import json

from console.backends.changes import Dirty
from console.backends.rows import Rows
from console.model import reading
from console.model.dags import Failure

AT_FIRST = 500
"""Of very many open failures the first picture has the newest; all others are in the next one."""
MOST = 20_000


class OpenFailures:
    """Task instances by their keys; runs that failed although no task of them did, by that of an instance of theirs.

    Used by one thread.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._tasks: dict[int, Failure] = {}
        self._moved = True
        self.due = False
        """Whether there are more than have been read so far."""

    def load(self) -> None:
        """Reads the newest."""
        self._read(AT_FIRST)

    def fill(self) -> None:
        """Reads the others too, where there are more."""
        if self.due:
            self._read(MOST)

    def _read(self, most: int) -> None:
        values = {"since": 0, "most": most}
        found = [self._rows.all("inbox", name, values) for name in ("unresolved", "failed_runs", "retrying")]
        self._tasks = {row[0]: reading.failure(row) for rows in found for row in rows}
        self.due = most < MOST and any(len(rows) == most for rows in found)
        self._moved = True

    def follow(self, dirty: Dirty) -> None:
        """Reads again what has moved: instances by themselves, and all of a run that moved itself."""
        moved = {task for tasks in dirty.tasks.values() for task in tasks}
        ids = dirty.failing | (moved & self._tasks.keys())
        if not ids and not dirty.runs:
            return
        self._moved = True
        of_runs = [key for key, failure in self._tasks.items() if failure.run in dirty.runs] if dirty.runs else []
        for key in (*ids, *of_runs):
            self._tasks.pop(key, None)
        values = {"ids": json.dumps(sorted(ids)), "runs": json.dumps(sorted(dirty.runs))}
        for row in (
            *self._rows.all("inbox", "open_of", values),
            *self._rows.all("inbox", "failed_runs_of", {"runs": values["runs"]}),
        ):
            self._tasks[row[0]] = reading.failure(row)

    def all(self, before: tuple[Failure, ...]) -> tuple[Failure, ...]:
        """All of them, newest first; the same object as before where nothing has changed."""
        if not self._moved:
            return before
        self._moved = False
        found = list(self._tasks.values())
        found.sort(key=lambda failure: (-failure.at, failure.run, failure.task_id, failure.map_index))
        return before if tuple(found) == before else tuple(found)
