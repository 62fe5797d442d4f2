"""Questions to people: an approval waits for its answer, holding nothing, and ends as the answer says."""

from __future__ import annotations

from engine.lifecycle.events import Answered
from engine.lifecycle.moves import Step, move_task, order_callback
from engine.model.states import Reason, TaskState

_T = TaskState


def answered(step: Step, event: Answered) -> None:
    """Awaiting input → success, failed or skipped. Of two answers the second comes too late."""
    node = step.memory.nodes.get(event.ti)
    approval = node.task.approval if node is not None else None
    if node is None or approval is None or node.ti.state is not _T.AWAITING_INPUT:
        step.changes.ignored.append(f"task instance {event.ti}: waits for no answer")
        return
    reason = Reason.ANSWERED if event.in_time else Reason.UNANSWERED
    good = event.option is not None and event.option not in approval.rejects
    to = _T.SUCCESS if good else _T.SKIPPED if approval.skips and event.option is not None else _T.FAILED
    move_task(step, node, to, reason, detail=event.option)
    if to is _T.FAILED:
        said = "nobody answered in time" if event.option is None else f"answered {event.option}"
        node.ti.last_error = f"{said} by {event.by}" if event.by else said
    if to is not _T.SKIPPED:
        order_callback(step, node.task.callbacks, "on_success" if good else "on_failure", node.ti)
