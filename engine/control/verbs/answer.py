"""`answer`: what a person decides for an approval."""

from __future__ import annotations

from typing import Any

from engine.authoring.exceptions import ParamError
from engine.authoring.params import resolve_params
from engine.control.given import given_params, read_params
from engine.control.plans import Archive, Ask, Plan, Refusal, Target, by_run, task_target, the_runs, the_tasks
from engine.control.protocol import Effect
from engine.lifecycle.memory import RunMemory
from engine.model.dag import ApprovalSpec, Json
from engine.model.moments import MINUTE, SECOND, Micros, from_iso, to_iso
from engine.model.rows import TaskInstance
from engine.model.states import TERMINAL_TASK, TaskState
from engine.scheduler.approvals import answer, withdraw
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.reads_why import Answer as Answered


class Answer:
    """Answers one approval. Arguments: `option`, `params` (JSON values by name) or `param_texts` (as typed); to take an
    answer back: `withdraw` (the key of the task instance) and `at` (when it was answered).
    """

    name = "answer"

    async def gather(self, scheduler: Scheduler, archive: Archive, ask: Ask, now: Micros) -> Any:
        """The answer that the task has been given before, if any."""
        if ask.args.get("withdraw") is not None:
            return None
        (memory,) = the_runs(scheduler, ask)
        (instance,) = the_tasks(memory, ask)
        return await archive.last_answer(instance.id) if instance.state in TERMINAL_TASK else None

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        (memory, *more), option = the_runs(scheduler, ask), ask.args.get("option")
        if ask.args.get("withdraw") is not None:
            return _withdraw(scheduler, ask, memory)
        asked = [ti for ti in the_tasks(memory, ask) if memory.plan.tasks[ti.task_id].approval is not None]
        if more or len(asked) != 1 or not ask.select.task_ids:
            raise Refusal("invalid", _which(memory, ask))
        instance = asked[0]
        spec = memory.plan.tasks[instance.task_id].approval
        assert spec is not None
        if instance.state is not TaskState.AWAITING_INPUT:
            raise Refusal("stale", _too_late(scheduler, memory, instance, ask, now))
        if option not in spec.options:
            raise Refusal("invalid", f"{instance.task_id} offers {', '.join(spec.options)}, not {option!r}")
        params = _params(spec, ask.args)

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            callbacks = len(turn.changes.callbacks)
            for run, instances in by_run(scheduler, kept).items():
                for each in instances:
                    answer(
                        scheduler, turn, scheduler.state.runs[run], each, str(option), params, by=ask.actor,
                        origin=ask.origin, command=ask.command,
                    )  # fmt: skip
            plan.inverse = lambda _: Inverse(
                "answer", {"withdraw": instance.id, "at": turn.now}, run_ids=(memory.run.run_id,), rows=True, whole=True
            )
            plan.final = len(turn.changes.callbacks) > callbacks
            return {"option": option, "params": params}

        good = option not in spec.rejects
        becomes = "success" if good else "skipped" if spec.skips else "failed"
        target = task_target(memory, instance, becomes, f"answered {option}")
        sentence = f"{instance.task_id} of {memory.run.run_id} answered {option}"
        plan = Plan([target], sentence, carry, lambda _: sentence)
        return plan


def _which(memory: RunMemory, ask: Ask) -> str:
    """What is wrong with a task that cannot be answered, and which can."""
    plan = memory.plan
    approvals = ", ".join(name for name in plan.order if plan.tasks[name].approval is not None)
    known = f"its approvals are {approvals}" if approvals else f"{memory.run.dag_id} has no approvals"
    named = ask.select.task_ids
    if len(named) == 1:
        return f"{named[0]} of {memory.run.run_id} is no approval and asks nobody: {known}"
    return f"answer takes one run and one of its approvals: {known}"


def _withdraw(scheduler: Scheduler, ask: Ask, memory: RunMemory) -> Plan:
    """Forgets an answer; the rows that it had moved go back by themselves."""
    instance, at = memory.by_id.get(ask.args["withdraw"]), ask.args.get("at")
    if instance is None or not isinstance(at, int):
        raise Refusal("invalid", "withdraw names a task instance by its key, and when it was answered")

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        withdraw(scheduler, turn, memory, instance, at)
        return {}

    effect = Effect("answer", memory.run.dag_id, "given", "forgotten", run_id=memory.run.run_id)
    target = Target(("answer", instance.id), effect, instance.changed_seq)
    sentence = f"{instance.task_id} of {memory.run.run_id} waits for an answer again"
    return Plan([target], sentence, carry, lambda _: sentence)


def _too_late(scheduler: Scheduler, memory: RunMemory, instance: TaskInstance, ask: Ask, now: Micros) -> str:
    """Who came first, where somebody did."""
    ref = scheduler.state.results.get(memory.run.id, {}).get((instance.task_id, instance.map_index))
    found = ref.value if ref is not None else None
    first: tuple[str | None, str | None, Micros] | None = None
    if isinstance(found, dict) and found.get("option"):
        first = found["option"], found.get("by"), from_iso(str(found["at"]), "UTC")
    elif isinstance(ask.found, Answered):
        first = ask.found.option, ask.found.by, ask.found.answered_at
    if first is None or first[0] is None:
        return f"{instance.task_id} waits for no answer: it is {instance.state.value}"
    option, who, at = first
    by = f"by {who}" if who else "by nobody in time, so by its default"
    past = max(0, now - at)
    when = f"{past // SECOND} s ago" if past < 10 * MINUTE else f"at {to_iso(at)}"
    return f"{instance.task_id} was answered {option} {by} {when}"


def _params(spec: ApprovalSpec, args: dict[str, Any]) -> dict[str, Json]:
    values, texts = given_params(args)
    try:
        return resolve_params(spec.params, read_params(spec.params, values, texts))
    except (ParamError, TypeError, ValueError) as error:
        raise Refusal("invalid", str(error)) from error
