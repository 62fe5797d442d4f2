"""The attempts of one task instance, one line each, and what comes next."""

from __future__ import annotations

from console.figures import bytes_, clock, countdown, duration
from console.model.runs import AttemptCard, RunDetail, TaskCard, TaskPlan
from console.model.snapshot import Scene
from console.view.frame import GROUP
from console.view.spans import ACCENT, BAD, DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import blocker_words, sign, took_words
from engine.model.moments import DAY, SECOND, Micros


def attempt_rows(
    scene: Scene, run: RunDetail, card: TaskCard, plan: TaskPlan | None, width: int, most: int
) -> list[Spans]:
    """At most `most` rows, newest last: tries, the one to come, and how the task is set up where there is room.

    `plan` is what the run's version of the DAG says of the task; None when it no longer has it.
    """
    rows = [_attempt(attempt, card, scene.now, width) for attempt in card.attempts]
    coming = _coming(card, plan, scene.now)
    if coming:
        rows.append(coming)
    folded = card.reason == GROUP or not card.stands_for_itself
    if folded:
        what = "a task group" if card.reason == GROUP else "a mapped task"
        rows.append(Line().add(f"{what}: space shows what is in it", DIM).done())
    elif not rows:
        waits = blocker_words(card.blockers, () if plan is None else plan.upstream)
        rows.append(Line().add("not started", DIM).add(f"   waits for {waits}" if waits else "", TEXT).done())
    rows = rows[-most:]
    details = () if card.reason == GROUP else _details(run, plan)
    if details and len(rows) < most:
        rows.append(details)
    return rows


def _attempt(attempt: AttemptCard, card: TaskCard, now: Micros, width: int) -> Spans:
    line = Line().add("try ", DIM).figure(str(attempt.number), 2).gap(2).add(*sign(attempt.glyph_state)).gap(1)
    start = attempt.started_at or attempt.queued_at
    if start is not None:
        day = "" if now - start < DAY else "… "
        line.add(f"{day}{clock(start)}", TEXT)
    if attempt.ended_at is not None:
        line.add(" > ", DIM).add(clock(attempt.ended_at), TEXT)
    elif attempt.state == "running":
        line.add(" > ", DIM).add("now".ljust(8), DIM)
    line.pad(30)
    took = attempt.took
    if took is None and attempt.state == "running" and attempt.started_at is not None:
        line.figure(duration(now - attempt.started_at, tenths=False), 8)
    else:
        line.figure("" if took is None else took_words(took), 8)
    line.gap(2)
    if width >= 100:
        cpu = "" if attempt.cpu_seconds is None else took_words(int(attempt.cpu_seconds * SECOND))
        line.figure(cpu, 7, DIM).figure("" if attempt.peak_bytes is None else bytes_(attempt.peak_bytes), 6, DIM).gap(2)
    _outcome(line, attempt)
    return crop(line.done(), width)


def _outcome(line: Line, attempt: AttemptCard) -> None:
    if attempt.state == "running":
        line.add("running" if attempt.pid is None else f"running as process {attempt.pid}", DIM)
    elif attempt.state == "queued":
        line.add("starting", DIM)
    elif attempt.outcome == "success":
        line.add("success", DIM)
    else:
        known = attempt.failure_class not in (None, "unknown")
        kind = (attempt.failure_class if known else attempt.outcome) or ""
        line.add(f"{kind.replace('_', ' ')}  " if kind else "", DIM)
        line.add(attempt.error or _exit(attempt), BAD if attempt.outcome in ("failed", "timeout", "lost") else TEXT)
    if attempt.late_result:
        line.add(f"  late result: {attempt.late_result}", WARN)


def _exit(attempt: AttemptCard) -> str:
    if attempt.signal is not None:
        return f"signal {attempt.signal}"
    if attempt.exit_code is not None:
        return f"exit code {attempt.exit_code}"
    return (attempt.reason or "").replace("_", " ")


def _coming(card: TaskCard, plan: TaskPlan | None, now: Micros) -> Spans:
    """The next try: when, and by which arithmetic."""
    if card.state != "up_for_retry" or card.retry_at is None:
        return ()
    line = Line().add("try ", DIM).figure(str(card.attempt + 1), 2).gap(2).add(*sign("up_for_retry")).gap(1)
    line.add(clock(card.retry_at), TEXT).pad(30).figure(countdown(card.retry_at, now), 8, WARN).gap(2)
    latest = card.latest
    if latest is not None and latest.ended_at is not None:
        delay = card.retry_at - latest.ended_at
        line.add(f"after {duration(delay, tenths=False)}", DIM)
        if plan is not None and plan.exponential and card.tries > 1 and _follows(delay, plan, card.tries):
            first = duration(int(plan.retry_delay * SECOND), tenths=False)
            line.add(f" ({first} × {plan.multiplier:g}^{card.tries - 1})", DIM)
    return line.done()


def _follows(delay: Micros, plan: TaskPlan, number: int) -> bool:
    """Whether a delay is what the formula gives: a failure or a rule may have asked for another."""
    return abs(delay - plan.retry_delay * plan.multiplier ** (number - 1) * SECOND) < SECOND


def _details(run: RunDetail, plan: TaskPlan | None) -> Spans:
    """How the task is set up: what an operator asks when it fails."""
    if plan is None:
        return (("this version of the DAG no longer has the task", DIM),)
    parts = [plan.kind, f"pool {plan.pool}", f"{plan.retries} retr{'y' if plan.retries == 1 else 'ies'}"]
    if plan.trigger_rule != "all_success":
        parts.append(f"rule {plan.trigger_rule}")
    if plan.execution_timeout is not None:
        parts.append(f"timeout {duration(int(plan.execution_timeout * SECOND), tenths=False)}")
    if plan.memory_limit is not None:
        parts.append(f"memory {bytes_(plan.memory_limit)}")
    if plan.rules:
        parts.append(f"{plan.rules} retry rule{'' if plan.rules == 1 else 's'}")
    if plan.owner:
        parts.append(f"owner {plan.owner}")
    line = Line().add("   ".join(parts), DIM)
    runbook = plan.runbook or run.runbook
    if runbook:
        line.add("   runbook: ", DIM).add(runbook, ACCENT)
    return line.done()
