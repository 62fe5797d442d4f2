"""Why not: for every action that can be impossible, the sentence that says so."""

from __future__ import annotations

from console.actions.action import WhyNot
from console.actions.finding import ALIVE, attention_of, dag_of, logged_task, mark_of, newest_running, state_of, task_of
from console.model.audit import Audit
from console.model.backfills import Backfills
from console.model.calendar import Calendar
from console.model.limits import LimitsCard
from console.model.link import LinkState
from console.model.snapshot import Scene
from console.model.targets import Target


def engine(scene: Scene, target: Target) -> str | None:
    """Changes need the engine."""
    match scene.link.state:
        case LinkState.UP:
            return scene.link.barred or None
        case LinkState.REFUSED:
            return scene.link.message or "the engine refuses this console"
        case LinkState.CONNECTING:
            return "the engine has not answered yet"
        case LinkState.DOWN:
            return "the engine is down: start it with `dagdeck engine start`"


def first(*checks: WhyNot) -> WhyNot:
    """The first of several reasons."""

    def check(scene: Scene, target: Target) -> str | None:
        return next((why for each in checks if (why := each(scene, target)) is not None), None)

    return check


def can(verb: str) -> WhyNot:
    """The backend has to know the verb."""

    def check(scene: Scene, target: Target) -> str | None:
        return None if verb in scene.verbs else f"this engine cannot {verb}"

    return check


def a_dag(scene: Scene, target: Target) -> str | None:
    """Needs a DAG."""
    return None if dag_of(scene, target) is not None else "no DAG is selected"


def a_live_dag(scene: Scene, target: Target) -> str | None:
    """Needs a DAG whose file is there."""
    card = dag_of(scene, target)
    if card is None:
        return "no DAG is selected"
    return None if card.state == "active" else f"{card.dag_id} is inactive: its file {card.file} is gone"


def a_run(scene: Scene, target: Target) -> str | None:
    """Needs a run."""
    if target.run_id is None or mark_of(scene, target) is None:
        return f"{target.dag_id} has no run yet" if target.dag_id else "no run is selected"
    return None


def an_active_run(scene: Scene, target: Target) -> str | None:
    """Needs a run that has not ended."""
    mark = mark_of(scene, target)
    if mark is None:
        return a_run(scene, target) or "no run is selected"
    return None if mark.active else f"{mark.run_id} is over ({mark.state})"


def an_ended_run(scene: Scene, target: Target) -> str | None:
    """Needs a run that is over."""
    mark = mark_of(scene, target)
    if mark is None:
        return a_run(scene, target) or "no run is selected"
    return f"{mark.run_id} is {mark.state}: cancel it first" if mark.active else None


def a_task(scene: Scene, target: Target) -> str | None:
    """Needs a task instance."""
    return None if target.task_id else "no task is selected"


def one_task(scene: Scene, target: Target) -> str | None:
    """Needs a task instance, or one that is to come: a folded group is none."""
    run = scene.snapshot.run
    if run is None or target.task_id is None or run.mark.run_id != target.run_id or task_of(scene, target) is not None:
        return a_task(scene, target)
    planned = any(task.task_id == target.task_id for task in run.plan)
    return None if planned else f"{target.task_id} is a group: unfold it for the pages of its tasks"


def alive(scene: Scene, target: Target) -> str | None:
    """Needs a process that runs, or is about to; while it is being killed only force is left."""
    state = state_of(scene, target)
    if state == "killing":
        return f"{target.task_id} is being killed; X forces"
    return None if state in ALIVE else _not_alive(target, state)


def running(scene: Scene, target: Target) -> str | None:
    """Needs a process that has begun."""
    state = state_of(scene, target)
    return None if state in ("running", "killing") else _not_alive(target, state)


def stoppable(scene: Scene, target: Target) -> str | None:
    """Needs a task with a process, or, where no task is selected, a run that has not ended."""
    return alive(scene, target) if target.task_id else an_active_run(scene, target)


def alive_or_killing(scene: Scene, target: Target) -> str | None:
    """Needs a process, also one that is being killed."""
    state = state_of(scene, target)
    return None if state in ALIVE else _not_alive(target, state)


def _not_alive(target: Target, state: str | None) -> str:
    words = "" if state is None else f" ({state.replace('_', ' ')})"
    return f"{target.task_id} has no process{words}; `:cancel` ends the whole run"


def waiting_for_retry(scene: Scene, target: Target) -> str | None:
    """Needs a task that waits for its next try."""
    state = state_of(scene, target)
    return None if state == "up_for_retry" else f"{target.task_id} does not wait for a retry"


def begun(scene: Scene, target: Target) -> str | None:
    """Needs a task that has been decided, runs or waits for a retry: there is nothing to forget of others."""
    state = state_of(scene, target)
    if target.task_id and state in ("none", "scheduled"):
        return f"{target.task_id} has not run yet: there is nothing to clear"
    return None


def a_log(scene: Scene, target: Target) -> str | None:
    """Needs a task that has had an attempt."""
    if target.run_id is None:
        return "no run is selected"
    if logged_task(scene, target) is None:
        return "no task of this run has run yet"
    run = scene.snapshot.run
    if target.task_id and run is not None and run.mark.run_id == target.run_id:
        card = run.task(target.task_id, target.map_index)
        if card is None:
            return f"{target.task_id} has no log of its own: space shows what is in it"
        if not run.logged(card).attempts:
            yet = " yet" if card.state in ("none", "scheduled", "queued") else ""
            return f"{target.task_id} has not run{yet}: there is no log"
    return None


def an_earlier_attempt(scene: Scene, target: Target) -> str | None:
    """Needs an attempt before the one whose log is shown."""
    return None if (target.attempt or 1) > 1 else "this is the first attempt"


def a_later_attempt(scene: Scene, target: Target) -> str | None:
    """Needs an attempt after the one whose log is shown."""
    card = task_of(scene, target)
    last = card.attempts[-1].number if card is not None and card.attempts else 0
    return None if (target.attempt or last) < last else "this is the newest attempt"


def growing(scene: Scene, target: Target) -> str | None:
    """Needs an attempt that has not ended."""
    card = task_of(scene, target)
    attempts = () if card is None else card.attempts
    shown = next((a for a in attempts if a.number == target.attempt), attempts[-1] if attempts else None)
    return None if shown is not None and shown.state != "ended" else "the attempt has ended: its log does not grow"


def a_report(scene: Scene, target: Target) -> str | None:
    """Needs the row of an unclean start's report."""
    row = attention_of(scene, target)
    words = "only the report of an unclean start, and causes of failures, are acknowledged"
    return None if row is not None and row.kind == "report" else words


def a_cause(scene: Scene, target: Target) -> str | None:
    """Needs the row of failures of one cause."""
    row = attention_of(scene, target)
    return (
        None
        if row is not None and row.kind in ("failures", "retries")
        else "only failures of one cause: `I` lists them"
    )


def a_failed_cause(scene: Scene, target: Target) -> str | None:
    """Needs one of which something has failed for good."""
    row = attention_of(scene, target)
    if row is not None and row.kind == "retries":
        return "nothing of it has failed: it waits for its next try"
    return a_cause(scene, target)


def a_hold(scene: Scene, target: Target) -> str | None:
    """Needs something on hold."""
    return None if scene.snapshot.holds else "nothing is on hold"


def something(scene: Scene, target: Target) -> str | None:
    """Needs a row."""
    named = target.dag_id or target.run_id or target.attention
    return None if named else "nothing is selected"


def openable(scene: Scene, target: Target) -> str | None:
    """Needs a row that leads on: where a DAG's runs are listed, the DAG itself is open already."""
    if target.view in ("dag", "grid") and target.run_id is None:
        return "no run is selected"
    return something(scene, target)


def something_runs(scene: Scene, target: Target) -> str | None:
    """Needs a running task anywhere."""
    return None if newest_running(scene) is not None else "no task is running"


def a_failure(scene: Scene, target: Target) -> str | None:
    """Needs a failure somewhere in the view."""
    if target.view in ("overview", "inbox"):
        return None if scene.snapshot.failures else "nothing has failed"
    known = _failed_in(scene, target)
    if known is not None:
        return None if known else "nothing has failed here"
    if target.view == "dag":
        listed = scene.snapshot.dag
        failed = listed is not None and any(mark.state == "failed" for mark in listed.runs)
        return None if failed else "no run of this DAG has failed"
    run = scene.snapshot.run
    if run is not None and run.counts.keys() & {"failed", "upstream_failed", "up_for_retry"}:
        return None
    return "nothing has failed here"


def _failed_in(scene: Scene, target: Target) -> bool | None:
    """Whether what only this view shows has a failure; None where the view is about something else."""
    page = scene.snapshot.paged
    match target.view:
        case "backfills":
            return isinstance(page, Backfills) and any(card.failed for card in page.cards)
        case "audit":
            return isinstance(page, Audit) and any(card.outcome == "refused" for card in page.cards)
        case "limits":
            return isinstance(page, LimitsCard) and any(each.state == "open" for each in page.breakers)
        case "grid":
            # What has failed in it is looked for when the key is pressed: it may be tens of thousands of cells.
            return target.run_id is not None
        case "calendar":
            return isinstance(page, Calendar) and bool(page.cells)
        case "upcoming":
            return any(failure.state == "up_for_retry" for failure in scene.snapshot.failures)
        case "task":
            card = task_of(scene, target)
            return card is not None and any(each.outcome not in (None, "success") for each in card.attempts)
        case _:
            return None


def change(verb: str, *checks: WhyNot) -> WhyNot:
    """What every change needs beside its own checks: a backend that can, and an engine that answers."""
    return first(*checks, can(verb), engine)


recoverable = change("recover", a_cause)
"""Enter on failures of one cause recovers them where that is possible; else it opens the newest of them."""


def a_pausable_run(scene: Scene, target: Target) -> str | None:
    """Needs a run that runs or is paused."""
    mark = mark_of(scene, target)
    if mark is None:
        return a_run(scene, target) or "no run is selected"
    return None if mark.state in ("running", "paused") else f"the run is {mark.state}: there is nothing to pause"


def acknowledgeable(scene: Scene, target: Target) -> str | None:
    """Needs failures of one cause, which are claimed, or the report of an unclean start."""
    if a_cause(scene, target) is None:
        return change("claim")(scene, target)
    return change("acknowledge", a_report)(scene, target)
