"""What a waiting task instance waits for beside slots, each in one sentence: the wait, what ends it, and when."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from engine.model.breaker import OF_DAG
from engine.model.moments import Micros
from engine.model.states import TERMINAL_TASK, Blocker
from engine.store import reads_backfill, reads_home, reads_run, reads_why
from engine.store.reader import Reader
from engine.store.reads_why import Question, moment_words, time_words
from engine.store.resolve import resolve_run
from engine.store.rows_out import HoldLine, InstanceLine, RunDetail

_NAMED = 5
_DECIDED = (Blocker.DAG_PAUSED, Blocker.RUN_PAUSED, Blocker.HOLD)


def sentence(reader: Reader, run: RunDetail, task: InstanceLine, code: str, now: Micros) -> str:
    """The sentence for one of the codes that the engine stored. Raises ValueError for a code that is none."""
    limit = reads_why.limit(reader, run, task, code, now)
    if limit is not None:
        return limit
    kind, _, detail = code.partition(":")
    say = _SENTENCES.get(kind)
    if say is None:
        raise ValueError(f"{code!r} is not a blocker code")
    return say(Question(reader, run, task, now), detail)


def held(reader: Reader, runs: Iterable[int], now: Micros) -> tuple[RunDetail, InstanceLine, list[str]] | None:
    """The first task of these runs that waits because somebody holds or paused something, with the sentences on that.

    None when none does. To be called within a snapshot.
    """
    row = reader.one("why", "held", {"runs": json.dumps(list(runs))})
    if row is None:
        return None
    run, (task,) = reads_run.run(reader, row[0]), reads_run.instances_by_id(reader, [row[1]])
    return run, task, [sentence(reader, run, task, code, now) for code in task.blockers if code in _DECIDED]


def _upstream(question: Question, detail: str) -> str:
    spec = question.task_spec()
    above = spec.get("upstream", [])
    states = {
        row.task_id: row.state for row in reads_run.instances(question.reader, question.run.id) if row.map_index < 0
    }
    left = [(name, states.get(name, "none")) for name in above if states.get(name, "none") not in TERMINAL_TASK]
    named = [f"{name} {'has not started' if state == 'none' else f'is {state}'}" for name, state in left[:_NAMED]]
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    rule = spec.get("trigger_rule", "all_success")
    return (
        f"it waits for {len(left)} of {len(above)} upstream tasks ({', '.join(named)}{more}): "
        f"how they end decides, by its trigger rule {rule}"
    )


def _retry(question: Question, detail: str) -> str:
    task = question.task
    error = f" after {task.last_error}" if task.last_error else ""
    now_words = f"`dagdeck retry {_place(question)}` starts it now"
    if task.retry_at is None or task.retry_at <= question.now:
        return f"its retry{error} is due, and it starts as soon as the engine comes to it"
    left = time_words(task.retry_at - question.now)
    return f"its retry is due at {moment_words(task.retry_at)} (in {left}){error}: {now_words}"


def _past(question: Question, run_id: str) -> str:
    if not run_id:
        return "it depends on the run before, which is being looked up"
    reader, task_id = question.reader, question.task.task_id
    before = reads_run.instances_of_task(reader, resolve_run(reader, run_id).id, task_id)
    state = before[0].state if before else "gone"
    return (
        f"it depends on {task_id} of {run_id}, which is {state}: that frees it when it is success or skipped, "
        f"`dagdeck clear {_place(question)} --force` runs it all the same"
    )


def _dag_paused(question: Question, detail: str) -> str:
    dag_id = question.run.dag_id
    row = question.reader.one("why", "pause", {"dag_id": dag_id})
    who = f" by {row[1]}" if row is not None and row[1] else ""
    since = f" since {moment_words(row[0])}" if row is not None and row[0] is not None else ""
    why = f" ({row[2]})" if row is not None and row[2] else ""
    own = next((each for each in reads_home.breakers(question.reader) if each.name == OF_DAG + dag_id), None)
    probe = ""
    if own is not None and own.state == "open" and own.until is not None:
        left = time_words(max(own.until - question.now, 0))
        probe = f", and a probe run goes out at {moment_words(own.until)} (in {left})"
    return f"its DAG is paused{who}{since}{why}: `dagdeck dags resume {dag_id}` frees it{probe}"


def _dag_broken(question: Question, detail: str) -> str:
    dag_id = question.run.dag_id
    return (
        f"the file of {dag_id} cannot be loaded, and the DAG holds its automated runs until it can: "
        "a file that loads frees it, `dagdeck dags list` says what is wrong with it"
    )


def _run_paused(question: Question, detail: str) -> str:
    if question.run.state == "cancelling":
        return "its run is being cancelled: it starts no more, unless it cleans up after what ran"
    return f"its run is paused: `dagdeck resume {question.run.run_id}` frees it"


def _run_after(question: Question, detail: str) -> str:
    at = question.run.run_after
    return f"its run may start from {moment_words(at)} (in {time_words(max(at - question.now, 0))})"


def _run_queued(question: Question, detail: str) -> str:
    return "its run has not begun: it does as soon as the engine comes to it"


def _runs(question: Question, detail: str) -> str:
    dag_id, most = question.run.dag_id, question.spec().get("max_active_runs")
    rows = question.reader.all("why", "active_runs", {"dag_id": dag_id})
    active = [row[0] for row in rows]
    named = ", ".join(active[:_NAMED]) + (", …" if len(active) > _NAMED else "")
    verb = "is" if len(active) == 1 else "are"
    return (
        f"its run has not begun: {named or 'nothing'} {verb} active, and the DAG's max_active_runs is {most}; "
        f"the oldest that waits begins when one of them ends"
    )


def _holds(hold: HoldLine, dag_id: str, pool: str) -> bool:
    if hold.scope == "dag":
        return fnmatchcase(dag_id, hold.pattern)
    return hold.scope == "all" or hold.pattern == pool


def _hold(question: Question, detail: str) -> str:
    reader, now = question.reader, question.now
    pool = question.task_spec().get("pool", "default")
    found = [hold for hold in reads_home.holds(reader) if hold.until is None or hold.until > now]
    mine = [hold for hold in found if _holds(hold, question.run.dag_id, pool)]
    if not mine:
        return "the hold has just been released, and it starts as soon as the engine comes to it"
    hold = mine[0]
    what = {"all": "everything", "pool": f"pool {hold.pattern}"}.get(hold.scope, f"the DAGs {hold.pattern}")
    note = f" ({hold.note})" if hold.note else ""
    end = (
        "" if hold.until is None else f", and it ends at {moment_words(hold.until)} (in {time_words(hold.until - now)})"
    )
    since = moment_words(hold.since)
    return f"it is on hold, {hold.who} holds {what} since {since}{note}: `dagdeck release` frees it{end}"


def _backfill_slots(question: Question, detail: str) -> str:
    found = _backfill(question)
    if found is None:
        return "its backfill has all the slots that it may have: it is freed when one of its tasks ends"
    most = f"it may have {found.max_slots}" if found.max_slots else "all backfills together may have half of each pool"
    return f"backfill {found.id} has all the slots that it may have ({most}): it is freed when one of its tasks ends"


def _not_during(question: Question, detail: str) -> str:
    found = _backfill(question)
    span = found.not_during if found is not None and found.not_during else "this time of the day"
    name = "its backfill" if found is None else f"backfill {found.id}"
    return f"{name} starts nothing during {span}: it is freed when that is over"


def _backfill(question: Question) -> reads_backfill.BackfillLine | None:
    row = question.reader.one("why", "backfill_of", {"run": question.run.id})
    return None if row is None or row[0] is None else reads_backfill.backfill(question.reader, row[0])


def _fixed(text: str) -> Callable[[Question, str], str]:
    return lambda question, detail: text


def _place(question: Question) -> str:
    task = question.task
    name = task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
    return f"{question.run.run_id} {name}"


_SENTENCES: dict[str, Callable[[Question, str], str]] = {
    Blocker.UPSTREAM: _upstream,
    Blocker.RETRY_AT: _retry,
    Blocker.DEPENDS_ON_PAST: _past,
    Blocker.DAG_PAUSED: _dag_paused,
    Blocker.DAG_BROKEN: _dag_broken,
    Blocker.RUN_PAUSED: _run_paused,
    Blocker.RUN_QUEUED: _run_queued,
    Blocker.RUN_AFTER: _run_after,
    Blocker.MAX_ACTIVE_RUNS: _runs,
    Blocker.HOLD: _hold,
    Blocker.BACKFILL_SLOTS: _backfill_slots,
    Blocker.NOT_DURING: _not_during,
    Blocker.DEGRADED: _fixed(
        "the engine cannot save its state, so it starts nothing until it can: `dagdeck engine status` says why"
    ),
    Blocker.DISK: _fixed(
        "the disk has less free space than min_free_mb: it is freed when there is room again, "
        "`dagdeck prune` makes some, `dagdeck engine status` says how much there is"
    ),
    Blocker.MEMORY_GUARD: _fixed(
        "the host has less memory left than min_free_memory_mb: it is freed when what runs has ended, or other "
        "programs give some back; `dagdeck engine status` says how much there is"
    ),
    Blocker.DRAINING: _fixed("the engine drains: it starts nothing more, and the next `dagdeck engine start` frees it"),
}
