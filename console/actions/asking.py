"""What each changing action asks the engine for: verb, selection, arguments, switches, and how its intent reads."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import Ask, Switch
from console.actions.finding import attention_of, dag_of, mark_of, state_of
from console.model.asks import Selection
from console.model.keys import UNMAPPED, TaskRef
from console.model.snapshot import Scene
from console.model.targets import Target
from console.view.words import logical_words
from engine.model.ids import instance_name

_SCOPE = (
    Switch("downstream", "d", "downstream", on=True),
    Switch("upstream", "u", "upstream"),
    Switch("past", "p", "past"),
    Switch("future", "t", "future"),
    Switch("only_failed", "f", "only failed"),
    Switch("no_retries", "o", "once: no retries"),
)
_FORCE = Switch("force", "i", "in any case")
_LASTS = (
    Switch("open", "o", "until released", on=True, group="for"),
    Switch("30m", "3", "30 minutes", group="for"),
    Switch("2h", "2", "2 hours", group="for"),
)
_STATES = (
    Switch("success", "s", "success", on=True, group="state"),
    Switch("failed", "f", "failed", group="state"),
    Switch("skipped", "p", "skipped", group="state"),
)


def name_of(scene: Scene, target: Target) -> str:
    """How a dialog's title names what it is about, absolutely: DAG, logical date, task."""
    mark = mark_of(scene, target)
    if mark is None:
        return target.dag_id or ""
    run, card = scene.snapshot.run, scene.snapshot.by_id.get(mark.dag_id)
    known = run.timezone if run is not None and run.mark.run_id == mark.run_id else None
    when = logical_words(mark.logical_date, known or ("UTC" if card is None else card.timezone))
    return f"{mark.dag_id} {when}" + (f" / {target.task_id}" if target.task_id else "")


def _run_refs(run_ids: tuple[str, ...]) -> frozenset[TaskRef]:
    return frozenset((run_id, "", UNMAPPED) for run_id in run_ids)


def _task_refs(target: Target) -> frozenset[TaskRef]:
    return frozenset({(target.run_id or "", target.task_id or "", target.map_index)})


def _selected(target: Target) -> Selection:
    name = instance_name(target.task_id or "", target.map_index)
    return Selection(run_ids=(target.run_id or "",), task_ids=(name,))


def _runs(scene: Scene, target: Target) -> tuple[str, ...]:
    """The target's run, or all runs of an attention row."""
    row = attention_of(scene, target)
    if row is not None and row.where:
        return tuple(dict.fromkeys(run for _, run, *_ in row.where if run))
    return () if target.run_id is None else (target.run_id,)


def clear(scene: Scene, target: Target) -> Ask:
    """Clear the task, or the whole run."""
    run_ids = (target.run_id or "",)
    tasks = (instance_name(target.task_id, target.map_index),) if target.task_id else ()
    switches = (*_SCOPE, _FORCE) if tasks else _SCOPE[2:]
    refs = _task_refs(target) if tasks else _run_refs(run_ids)
    selection = Selection(run_ids=run_ids, task_ids=tasks)
    return Ask("clear", f"Clear ── {name_of(scene, target)}", selection, "clear requested", refs, switches=switches)


def rerun(scene: Scene, target: Target) -> Ask:
    """Run all of a run again."""
    return _rerun(scene, target, failed=False)


def rerun_failed(scene: Scene, target: Target) -> Ask:
    """Run what failed again, with what it dragged down."""
    return _rerun(scene, target, failed=True)


def _rerun(scene: Scene, target: Target, *, failed: bool) -> Ask:
    runs = _runs(scene, target)
    what = name_of(scene, Target(target.view, target.dag_id, target.run_id)) if len(runs) == 1 else f"{len(runs)} runs"
    switches = (Switch("failed", "f", "only what failed", on=failed), _SCOPE[5])
    return Ask("rerun", f"Rerun ── {what}", Selection(run_ids=runs), "rerun requested", _run_refs(runs), {}, switches)


def retry(scene: Scene, target: Target) -> Ask:
    """Do not wait for the retry timer."""
    title = f"Retry now ── {name_of(scene, target)}"
    return Ask("retry", title, _selected(target), "retry requested", _task_refs(target), note=False)


def again(scene: Scene, target: Target) -> Ask:
    """What running again means for this row: retry now, clear the task, rerun what failed, or rerun all."""
    if target.attention is not None:
        return rerun_failed(scene, target)
    if target.task_id and state_of(scene, target) == "up_for_retry":
        return retry(scene, target)
    if target.task_id:
        return clear(scene, target)
    mark = mark_of(scene, target)
    return rerun_failed(scene, target) if mark is not None and mark.state == "failed" else rerun(scene, target)


def again_label(scene: Scene, target: Target) -> str:
    """The same in words, for the key line."""
    if target.task_id and target.attention is None:
        return "retry now" if state_of(scene, target) == "up_for_retry" else "run again"
    mark = mark_of(scene, target)
    failed = target.attention is not None or (mark is not None and mark.state == "failed")
    return "rerun failed" if failed else "rerun"


def mark(scene: Scene, target: Target) -> Ask:
    """Decide the task's state by hand."""
    title = f"Mark ── {name_of(scene, target)}"
    return Ask("mark", title, _selected(target), "mark requested", _task_refs(target), switches=_STATES)


def mark_success(scene: Scene, target: Target) -> Ask:
    """The same, with success chosen already."""
    return mark(scene, target).switched(frozenset({"success"}))


def mark_failed(scene: Scene, target: Target) -> Ask:
    """The same, with failed chosen already."""
    return mark(scene, target).switched(frozenset({"failed"}))


def stop(scene: Scene, target: Target) -> Ask:
    """End the task's process, politely; on a run, cancel it."""
    if not target.task_id:
        return cancel(scene, target)
    return _kill(scene, target, force=False)


def force(scene: Scene, target: Target) -> Ask:
    """End the task's process at once."""
    return _kill(scene, target, force=True)


def _kill(scene: Scene, target: Target, *, force: bool) -> Ask:
    title = f"{'Kill at once' if force else 'Stop'} ── {name_of(scene, target)}"
    return Ask("kill", title, _selected(target), "kill requested", _task_refs(target), {"force": force})


def stack(scene: Scene, target: Target) -> Ask:
    """Have the task say in its log what it is doing."""
    title = f"Stack ── {name_of(scene, target)}"
    return Ask("stack", title, _selected(target), "stack requested", _task_refs(target), note=False)


def cancel(scene: Scene, target: Target) -> Ask:
    """End the run."""
    run_ids = (target.run_id or "",)
    title = f"Cancel run ── {name_of(scene, Target(target.view, target.dag_id, target.run_id))}"
    switches = (Switch("force", "t", "stop teardowns, too"),)
    return Ask("cancel", title, Selection(run_ids=run_ids), "cancel requested", _run_refs(run_ids), {}, switches)


def pause_run(scene: Scene, target: Target) -> Ask:
    """Pause the run, or resume it."""
    mark = mark_of(scene, target)
    verb = "resume" if mark is not None and mark.state == "paused" else "pause"
    run_ids = (target.run_id or "",)
    title = f"{verb.capitalize()} run ── {name_of(scene, Target(target.view, target.dag_id, target.run_id))}"
    return Ask(verb, title, Selection(run_ids=run_ids), f"{verb} requested", _run_refs(run_ids))


def pause_run_label(scene: Scene, target: Target) -> str:
    """`pause run` or `resume run`, as the run stands."""
    mark = mark_of(scene, target)
    return "resume run" if mark is not None and mark.state == "paused" else "pause run"


def pause(scene: Scene, target: Target) -> Ask:
    """Pause the DAG, or resume it."""
    card = dag_of(scene, target)
    verb = "resume" if card is not None and card.paused_at is not None else "pause"
    dag_id = target.dag_id or ""
    refs = frozenset({(dag_id, "", UNMAPPED)})
    selection = Selection(dag_ids=(dag_id,))
    return Ask(verb, f"{verb.capitalize()} ── {dag_id}", selection, f"{verb} requested", refs)


def pause_label(scene: Scene, target: Target) -> str:
    """`pause` or `resume`, as the DAG stands."""
    card = dag_of(scene, target)
    return "resume" if card is not None and card.paused_at is not None else "pause"


def stop_label(scene: Scene, target: Target) -> str:
    """`stop` for a task, `cancel run` for a run."""
    return "stop" if target.task_id else "cancel run"


def acknowledge(scene: Scene, target: Target) -> Ask:
    """Put the report of an unclean start away."""
    return Ask("acknowledge", "Acknowledge", Selection(), "acknowledged", frozenset(), note=False)


def acknowledge_label(scene: Scene, target: Target) -> str:
    """What `a` would do."""
    row = attention_of(scene, target)
    return "acknowledge" if row is None or row.kind == "report" else "on it"


def kill_retry(scene: Scene, target: Target) -> Ask:
    """End the task's process, and try it again."""
    title = f"Kill and retry ── {name_of(scene, target)}"
    return Ask("kill", title, _selected(target), "kill requested", _task_refs(target), {"again": True})


def prioritize(scene: Scene, target: Target) -> Ask:
    """Let the run's waiting tasks go first."""
    runs = (target.run_id or "",)
    return Ask("prioritize", f"Go first ── {name_of(scene, target)}", Selection(run_ids=runs), "priority requested",
               _run_refs(runs), {"by": 10})  # fmt: skip


def trigger_again(scene: Scene, target: Target) -> Ask:
    """A new run like this one."""
    run_id = target.run_id or ""
    title = f"Trigger again ── {name_of(scene, Target(target.view, target.dag_id, target.run_id))}"
    refs = frozenset({(target.dag_id or "", "", UNMAPPED)})
    return Ask("trigger", title, Selection(dag_ids=(target.dag_id or "",)), "trigger requested", refs,
               {"like": run_id, "parallel": True})  # fmt: skip


def delete(scene: Scene, target: Target) -> Ask:
    """Move the run to the trash."""
    runs = (target.run_id or "",)
    title = f"Delete ── {name_of(scene, Target(target.view, target.dag_id, target.run_id))}"
    return Ask("delete", title, Selection(run_ids=runs), "delete requested", _run_refs(runs))


def delete_history(scene: Scene, target: Target) -> Ask:
    """Move all runs of the DAG that are over to the trash."""
    dag_id = target.dag_id or ""
    refs = frozenset({(dag_id, "", UNMAPPED)})
    return Ask("delete", f"Delete ── history of {dag_id}", Selection(dag_ids=(dag_id,)), "delete requested", refs)


def open_label(scene: Scene, target: Target) -> str:
    """Enter opens, but on failures of one cause it asks to recover them."""
    return "recover" if target.attention is not None and possible.recoverable(scene, target) is None else "open"


def recover(scene: Scene, target: Target) -> Ask:
    """Run again what failed of one cause, one run first."""
    return _about_cause(scene, target, "recover", "Recover", "recovery requested")


def claim(scene: Scene, target: Target) -> Ask:
    """Say that oneself is on it."""
    return _about_cause(scene, target, "claim", "On it", "claim requested")


def resolve(scene: Scene, target: Target) -> Ask:
    """Put the failures of a cause away as seen to."""
    return _about_cause(scene, target, "resolve", "Resolve", "resolved")


def _about_cause(scene: Scene, target: Target, verb: str, title: str, words: str) -> Ask:
    row = attention_of(scene, target)
    refs = frozenset() if row is None else frozenset((run, task, index) for _, run, task, index in row.where)
    cause, text = ("", "") if row is None else (row.key.removeprefix("error:"), row.text)
    return Ask(verb, f"{title} ── {text}", Selection(), words, refs, {"cause": cause})


def undo(scene: Scene, target: Target) -> Ask:
    """Take back one's own newest change."""
    return Ask("undo", "Undo ── your newest change", Selection(), "undo requested", frozenset())


def hold(scene: Scene, target: Target) -> Ask:
    """Start nothing new, everywhere; when something is on hold: end that."""
    if scene.snapshot.holds:
        return release(scene, target)
    return Ask("hold", "Hold ── everything", Selection(), "hold requested", frozenset(), {"scope": "all"}, _LASTS)


def hold_dag(scene: Scene, target: Target) -> Ask:
    """Start nothing new of the DAG."""
    dag_id = target.dag_id or ""
    args = {"scope": "dag", "pattern": dag_id}
    refs = frozenset({(dag_id, "", UNMAPPED)})
    return Ask("hold", f"Hold ── {dag_id}", Selection(dag_ids=(dag_id,)), "hold requested", refs, args, _LASTS)


def release(scene: Scene, target: Target) -> Ask:
    """End all holds."""
    return Ask("release", "Release ── all holds", Selection(), "release requested", frozenset())


def hold_label(scene: Scene, target: Target) -> str:
    """`hold` or `release`, as the home stands."""
    return "release" if scene.snapshot.holds else "hold"


def prune(scene: Scene, target: Target) -> Ask:
    """Remove what is older than the home keeps it."""
    return Ask("prune", "Prune", Selection(), "pruning requested", frozenset(), note=False)


def trigger(scene: Scene, target: Target) -> Ask:
    """A new run of the DAG; its date and parameters come from the form."""
    dag_id = target.dag_id or ""
    refs = frozenset({(dag_id, "", UNMAPPED)})
    return Ask("trigger", f"Trigger ── {dag_id}", Selection(dag_ids=(dag_id,)), "trigger requested", refs)
