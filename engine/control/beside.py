"""The same tasks in earlier or later runs of a DAG: what `past` and `future` add to a command about one run."""

from __future__ import annotations

from dataclasses import replace

from engine.control.plans import Archive, Ask, Refusal
from engine.control.protocol import Selector

MOST_RUNS = 5_000


async def with_runs_beside(archive: Archive, ask: Ask) -> Ask:
    """The same, about earlier (`past`) and later (`future`) runs too, by logical date. Raises Refusal for none."""
    past, future = bool(ask.args.get("past")), bool(ask.args.get("future"))
    if not (past or future) or ask.select.expression:
        return ask
    if len(ask.select.run_ids) != 1:
        raise Refusal("invalid", "past and future are about the runs around one run")
    run_id = ask.select.run_ids[0]
    others = await archive.runs_beside(run_id, past=past, future=future)
    if not others:
        words = "earlier or later" if past and future else "earlier" if past else "later"
        raise Refusal("state", f"there is no {words} run of the DAG of {run_id}")
    if len(others) > MOST_RUNS:
        raise Refusal("invalid", f"that are more than {MOST_RUNS:,} runs: use an expression with dag: and since:")
    select = Selector(run_ids=[run_id, *others], task_ids=ask.select.task_ids)
    return replace(ask, select=select, beside=frozenset(others))
