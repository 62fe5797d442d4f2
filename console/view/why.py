"""Why: what a task waits for or why it failed, in sentences; and what an operator could do about it."""

from __future__ import annotations

from collections.abc import Sequence

from console.figures import clock, countdown, duration
from console.model.attention import Attention, import_key
from console.model.dags import DagCard
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Scene
from console.view.run import quiet_words
from console.view.spans import BAD, DIM, TEXT, WARN
from console.view.words import blocker_words, logical_words, moment_words
from engine.model.ids import instance_name

Parts = list[tuple[str, str]]


def why_task(scene: Scene, run: RunDetail, card: TaskCard, sentences: Sequence[str] = ()) -> tuple[str, Parts]:
    """Title and paragraphs for a task instance. `sentences` say what limits, breakers and people hold it back."""
    now = scene.now
    parts: Parts = []
    match card.state:
        case "up_for_retry":
            title = f"Why is {card.name} not running?"
            of = f" of {card.max_tries}" if card.max_tries else ""
            if card.retry_at is not None:
                when = f"at {clock(card.retry_at)} (in {countdown(card.retry_at, now)})"
                parts.append((f"It waits for its retry: try {card.tries + 1}{of} {when}.", TEXT))
            parts += _error(card)
            parts.append(("Frees it sooner: retry now (r), one attempt; the budget stays as it is.", DIM))
        case "none" | "scheduled" | "queued":
            title = f"Why is {card.name} not running?"
            parts += _waiting(run, card) if not sentences or "upstream" in card.blockers else []
            parts += [(as_sentence(text), TEXT) for text in sentences]
        case "awaiting_input":
            title = f"What does {card.name} wait for?"
            parts += [(as_sentence(text), TEXT) for text in sentences]
            parts.append(("Answer it: A.", DIM))
        case "failed" | "upstream_failed":
            title = f"Why did {card.name} fail?"
            parts += _failed(run, card)
        case "running" | "killing":
            title = f"What is {card.name} doing?"
            elapsed = card.elapsed(now)
            parts.append((f"It has run for {duration(elapsed or 0, tenths=False)}.", TEXT))
            if card.reason == "unkillable":
                words = f"SIGKILL was sent, and it does not end: {card.last_error or 'nobody knows why'}."
                parts.append((words, BAD))
                parts.append(("It keeps its slot until it is gone; nothing of this run starts in its place.", DIM))
            quiet = quiet_words(scene, card)
            if quiet:
                parts.append((f"It is {quiet[0][0].replace('  ', ', ')}. What it does: stack (K).", quiet[0][1]))
            usual = card.usual
            if usual is not None and usual.p50 is not None and usual.p95 is not None:
                words = (
                    f"Usually it takes {duration(usual.p50)} (p50) to {duration(usual.p95)} (p95), of {usual.samples}."
                )
                parts.append((words, DIM))
        case _:
            title = f"Why is {card.name} {card.state.replace('_', ' ')}?"
            parts.append((_REASONS.get(card.reason or "") or _reason(card.reason) or "Its task ended this way.", TEXT))
    if card.mention is not None:
        parts.append((f"{card.mention.verb} by {card.mention.who} at {clock(card.mention.at)}.", DIM))
    return title, parts


def as_sentence(text: str) -> str:
    """With a capital, and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def _states(run: RunDetail) -> dict[str, str]:
    """The state of each task; of a mapped one that of its summary row, not of whichever index comes last."""
    return {task.task_id: task.state for task in run.tasks if task.map_index < 0}


def _waiting(run: RunDetail, card: TaskCard) -> Parts:
    plan = next((task for task in run.plan if task.task_id == card.task_id), None)
    states = _states(run)
    above = [] if plan is None else [name for name in plan.upstream if states.get(name) not in ("success", "skipped")]
    parts: Parts = []
    if card.state == "queued":
        parts.append(("Its process is being started.", TEXT))
    elif card.blockers:
        parts.append((f"It waits for {blocker_words(card.blockers, above)}.", TEXT))
    elif above:
        parts.append((f"It waits for {', '.join(above)}.", TEXT))
    parts.extend((f"{name} is {states.get(name, 'unknown').replace('_', ' ')}.", DIM) for name in above[:10])
    if plan is not None and plan.trigger_rule != "all_success":
        parts.append((f"Its trigger rule is {plan.trigger_rule}.", DIM))
    return parts or [("Nothing holds it: it starts with the next free slot.", TEXT)]


def _failed(run: RunDetail, card: TaskCard) -> Parts:
    if card.state == "upstream_failed":
        plan = next((task for task in run.plan if task.task_id == card.task_id), None)
        states = _states(run)
        above = [] if plan is None else [n for n in plan.upstream if states.get(n) in ("failed", "upstream_failed")]
        return [(f"It never ran: {', '.join(above) or 'a task above it'} failed.", TEXT)]
    if not card.stands_for_itself:
        return _failed_indexes(run, card)
    parts: Parts = [(f"{_reason(card.reason)} after {card.tries} tr{'y' if card.tries == 1 else 'ies'}.", TEXT)]
    parts += _error(card)
    latest = card.latest
    if latest is not None and latest.failure_class == "permanent":
        parts.append(("The failure is permanent, so the tries that were left were not used.", DIM))
    parts.append(("The log (L) opens at its first error.", DIM))
    return parts


def _failed_indexes(run: RunDetail, card: TaskCard) -> Parts:
    indexes = [each for each in run.tasks if each.task_id == card.task_id and each.stands_for_itself]
    failed = [each for each in indexes if each.state == "failed"]
    parts: Parts = [(f"{len(failed)} of {len(indexes)} indexes failed.", TEXT)]
    for each in failed[:10]:
        said = _error(each) or [("no error is known", DIM)]
        parts.append((f"{each.name}: {said[0][0]}", said[0][1]))
    if len(failed) > 10:
        parts.append((f"… and {len(failed) - 10} more", DIM))
    parts.append(("The log (L) opens at the first error; e goes on to the next index.", DIM))
    return parts


def _error(card: TaskCard) -> Parts:
    latest = card.latest
    error = card.last_error or (None if latest is None else latest.error)
    return [(error, BAD)] if error else []


_REASONS = {
    "branch": "A branch before it chose other tasks. Clearing it in any case (c, then i) runs it all the same.",
    "short_circuit": "A short circuit left out what lies below it. Clearing it in any case (c, then i) runs it.",
    "upstream": "Its trigger rule is not met by how the tasks before it ended.",
    "run_timeout": "Its run took longer than it may.",
    "cancel": "Its run was cancelled.",
    "deadlock": "It could never have run: nothing that it waited for was going to happen.",
    "manual": "An operator decided so.",
    "undone": "An operator took a command back: it is as it was before.",
    "skip_requested": "The task asked to be skipped.",
    "exit": "Its process ended well.",
    "expanded": "It is mapped: its state sums up those of its indexes.",
    "answered": "A person answered.",
    "unanswered": "Nobody answered in time, so its default was taken.",
}


def _reason(reason: str | None) -> str:
    return "" if not reason else reason.replace("_", " ").capitalize()


def why_dag(scene: Scene, card: DagCard) -> tuple[str, Parts]:
    """Title and paragraphs for a DAG on the overview."""
    now = scene.now
    parts: Parts = []
    if card.broken_since is not None:
        parts.append((f"Its file {card.file} does not load since {moment_words(card.broken_since, now)}.", WARN))
        parts.append(("New runs use the last good version, unless the DAG says to hold them.", DIM))
    if card.paused_at is not None:
        by = f" by {card.paused_by}" if card.paused_by else ""
        why = f" ({card.pause_reason})" if card.pause_reason else ""
        parts.append((f"It is paused{by} since {moment_words(card.paused_at, now)}{why}: no new runs start.", TEXT))
        probe = " When its breaker sends out a probe run: pools (6)." if card.paused_by == "its breaker" else ""
        parts.append((f"Resume it: p.{probe}", DIM))
    for run in card.active[:5]:
        waits = [task for task in run.live if task.blockers]
        words = f"{run.mark.run_id} is {run.mark.state}, {run.done} of {run.total} tasks done."
        parts.append((words, TEXT))
        parts += [(f"  {task.task_id} waits for {blocker_words(task.blockers)}.", DIM) for task in waits[:10]]
    failures = [failure for failure in scene.snapshot.failures if failure.dag_id == card.dag_id]
    for failure in failures[:5]:
        where = failure.task_id or "the run"
        parts.append((f"{where} of {failure.run_id} failed at {clock(failure.at)}: {failure.error}", BAD))
    if not card.active and card.paused_at is None:
        due = card.next_run_after
        parts.append(
            (f"It is due at {logical_words(due)} UTC." if due else "It has no schedule: trigger it (t).", TEXT)
        )
    return f"Why: {card.dag_id}", parts


def why_attention(scene: Scene, row: Attention) -> tuple[str, Parts]:
    """Title and paragraphs for a row of the attention list."""
    snapshot = scene.snapshot
    if row.kind == "report" and snapshot.report is not None:
        return "After an unclean start", [(line, TEXT) for line in snapshot.report.lines]
    if row.kind == "import":
        parts: Parts = []
        for problem in (problem for problem in snapshot.imports if import_key(problem) == row.key):
            place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
            parts += [("", TEXT)] if parts else []
            parts += [(place, DIM), (problem.message, BAD)]
            parts += [(line, TEXT) for line in ("", *problem.traceback)] if problem.traceback else []
        return "Import error", parts or [(row.detail, DIM), (row.text, BAD)]
    title, said = {
        "question": ("What waits for a person", ("Nothing is held meanwhile. Answer it: A.", DIM)),
        "breaker": ("What a circuit breaker holds back", (f"{row.text}. Since when and until when: pools (6).", TEXT)),
    }.get(row.kind, ("The same failure", (row.text, BAD)))
    parts = [said, ("", TEXT)]
    for dag, run, task, index in row.where[:50]:
        parts.append((f"{instance_name(task, index) if task else 'the run'} of {run or dag}", TEXT))
    if len(row.where) > 50:
        parts.append((f"… and {len(row.where) - 50} more", DIM))
    return title, parts
