"""Commands about everything that an expression fits."""

from __future__ import annotations

from dataclasses import replace

from engine.control.plans import Archive, Ask, Refusal
from engine.control.protocol import Selector
from engine.model.moments import Micros
from engine.model.terms import TermError, parse_terms
from engine.store.selecting import STATES, Kind

MOST = 20_000
"""Rows that one command may be about."""

KINDS: dict[str, Kind] = {
    "clear": "tasks",
    "mark": "tasks",
    "retry": "tasks",
    "kill": "tasks",
    "stack": "tasks",
    "rerun": "runs",
    "cancel": "runs",
    "pause": "runs",
    "resume": "runs",
    "prioritize": "runs",
    "delete": "runs",
}
"""What each verb takes; `pause` and `resume` also take DAGs, when the selector says so."""
_DAGS = frozenset({"pause", "resume"})
_WORDS: dict[Kind, str] = {"dags": "DAG", "runs": "run", "tasks": "task instance"}


async def chosen(archive: Archive, ask: Ask, now: Micros) -> Ask:
    """The same, about what its expression means now. Raises Refusal when that is nothing, or too much."""
    select = ask.select
    if select.dag_ids or select.run_ids or select.task_ids:
        raise Refusal("invalid", f"{ask.verb} takes names or an expression, not both")
    usual = KINDS.get(ask.verb)
    if usual is None:
        raise Refusal("invalid", f"{ask.verb} takes no expression; those that do are {', '.join(KINDS)}")
    kind: Kind = select.kind or usual
    if kind != usual and not (kind == "dags" and ask.verb in _DAGS):
        raise Refusal("invalid", f"{ask.verb} is about {usual}, not about {kind}")
    try:
        terms = parse_terms(select.expression, now, states=STATES)
    except TermError as error:
        raise Refusal("invalid", str(error)) from error
    if not terms.terms:
        raise Refusal("invalid", "an expression such as 'state:failed since:2h dag:trades_*' is needed")
    found = await archive.choose(terms, kind)
    if found.cut or found.count > MOST:
        raise Refusal("invalid", f"{select.expression} fits more than {MOST:,} {kind}: add state:, dag: or since:")
    if not found.count:
        raise Refusal("state", f"nothing to {ask.verb}: {select.expression} fits no {_WORDS[kind]}")
    runs = list(found.tasks) or found.run_ids
    named = Selector(dag_ids=found.dag_ids, run_ids=runs)
    return replace(ask, select=named, chosen=found.tasks if kind == "tasks" else None)
