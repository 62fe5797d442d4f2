"""Which version of its DAG a run goes on with when it runs again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.control.protocol import Code
from engine.lifecycle.memory import RunMemory
from engine.model.states import TERMINAL_RUN
from engine.scheduler.core import Scheduler


def code_of(scheduler: Scheduler, memories: Iterable[RunMemory]) -> list[Code]:
    """One entry for each pair of versions, with the number of runs it is about.

    A run that is over is reopened with the DAG's current version; one that is not keeps the version of its episode.
    """
    found: dict[tuple[int, int], Code] = {}
    for memory in memories:
        run, entry = memory.run, scheduler.state.dags.get(memory.run.dag_id)
        before = scheduler.state.versions.get(run.version_id)
        if entry is None or before is None:
            continue
        after = entry.version if run.state in TERMINAL_RUN else before
        known = found.get((before.id, after.id))
        if known is not None:
            known.runs += 1
            continue
        found[before.id, after.id] = Code(
            run.dag_id,
            before.id,
            after.id,
            before.number,
            after.number,
            entry.version_number,
            broken=entry.state == "broken",
        )
    return list(found.values())


def said(codes: Iterable[Code]) -> str:
    """How a command's reply says which code runs again; empty where that is what ran before."""
    parts = []
    for code in codes:
        if code.after != code.before:
            parts.append(f"with version {code.after_number} of {code.dag_id} (was {code.before_number})")
        elif code.current_number != code.after_number:
            parts.append(f"still with version {code.after_number} of {code.dag_id} (current: {code.current_number})")
    return ", ".join(parts)


def as_result(codes: Iterable[Code]) -> list[dict[str, Any]]:
    """The same for scripts, under the keys of a command's result."""
    return [
        {"dag_id": code.dag_id, "before": code.before_number, "after": code.after_number, "runs": code.runs}
        for code in codes
    ]
