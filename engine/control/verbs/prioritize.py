"""`prioritize`: let waiting tasks of runs go before others, or after them."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, plural, run_target, the_runs
from engine.model.moments import Micros
from engine.model.rows import Transition
from engine.model.states import TERMINAL_RUN
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn

MOST = 1_000
STEP = 10
"""What a bump adds: as much as the longest waiting can make up for."""


class Prioritize:
    """Adds to the priority weight of all tasks of runs. Arguments: `by` (a whole number, 10 by default, may be
    negative), or `to` (the sum that is wanted; 0 is as the DAG says).
    """

    name = "prioritize"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        by, to = _number(ask, "by"), _number(ask, "to")
        targets: list[Target] = []
        wanted: dict[int, int] = {}
        for memory in the_runs(scheduler, ask):
            run = memory.run
            priority = to if to is not None else run.priority + (STEP if by is None else by)
            if run.state in TERMINAL_RUN or priority == run.priority:
                continue
            if abs(priority) > MOST:
                raise Refusal("invalid", f"a run's priority is between -{MOST} and {MOST}, not {priority}")
            wanted[run.id] = priority
            targets.append(run_target(memory, run.state.value, f"priority {run.priority:+d} → {priority:+d}"))
        if not targets:
            raise Refusal("state", "nothing to prioritize: what was named is over, or has that priority")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for target in kept:
                memory = scheduler.state.runs[int(target.key[1])]
                run = memory.run
                turn.changes.touch_run(run)
                run.priority = wanted[run.id]
                words = f"priority {run.priority:+d}"
                turn.changes.transitions.append(
                    Transition("run", turn.now, run.dag_id, run.id, None, None, run.state, run.state, run.reason,
                               ask.command, words)
                )  # fmt: skip
                scheduler.admission.renew(memory, turn.now)
            return {}

        sentence = f"{plural(len(targets), 'run')}: its waiting tasks go {_direction(wanted, targets)}"
        return Plan(targets, sentence, carry, lambda kept: f"priority of {plural(len(kept), 'run')} changed")


def _direction(wanted: dict[int, int], targets: list[Target]) -> str:
    return "before others" if max(wanted.values()) > 0 else "after others" if min(wanted.values()) < 0 else "as usual"


def _number(ask: Ask, name: str) -> int | None:
    value = ask.args.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal("invalid", f"{name} is a whole number, not {value!r}")
    return value
