"""Pools, circuit breakers and questions to people."""

from __future__ import annotations

from dataclasses import replace

from console.actions import possible
from console.actions.action import EVERYWHERE, ROWS, Action, Ask, Danger, View, WhyNot
from console.actions.finding import active_of, state_of, task_of
from console.figures import clock
from console.model.asks import Selection
from console.model.snapshot import Scene
from console.model.targets import Target

_HERE = frozenset({"limits"})
_DOING = "console.screens.limits:"


def _a(kind: str) -> WhyNot:
    """Needs the cursor on a pool, or on a breaker."""

    def check(scene: Scene, target: Target) -> str | None:
        return None if (target.attention or "").startswith(f"{kind}:") else f"no {kind} is selected"

    return check


def _awaits_input(scene: Scene, target: Target) -> str | None:
    """Needs an approval that waits."""
    if target.view == "limits":
        return None if target.task_id else "nothing that waits for a person is selected"
    if not target.task_id:
        asked = _questions(scene, target)
        if len(asked) > 1:
            return f"{len(asked)} tasks of the run wait for an answer: enter shows them"
        return None if asked else "nothing of it waits for an answer" if target.run_id else "no task is selected"
    if state_of(scene, target) == "awaiting_input":
        return None
    card = task_of(scene, target)
    if card is not None and card.mention is not None and card.mention.verb == "answer":
        return f"{target.task_id} was answered by {card.mention.who} at {clock(card.mention.at)}"
    if card is not None and card.reason == "unanswered":
        return f"nobody answered {target.task_id} in time: its default was taken, or it failed"
    return f"{target.task_id} waits for no answer"


def _questions(scene: Scene, target: Target) -> list[tuple[str, int]]:
    """The approvals of the target's run that wait for a person."""
    active = active_of(scene, target)
    live = () if active is None else active.live
    return [(task.task_id, task.map_index) for task in live if task.state == "awaiting_input"]


def asked_of(scene: Scene, target: Target) -> Target:
    """The approval that is meant: the target's own task, or, of a run as a whole, the one of it that waits."""
    found = [] if target.task_id else _questions(scene, target)
    return replace(target, task_id=found[0][0], map_index=found[0][1]) if len(found) == 1 else target


def name_in(target: Target) -> str:
    """The pool or breaker that is meant."""
    return (target.attention or "").partition(":")[2]


def ask_resize(scene: Scene, target: Target) -> Ask:
    """Another size; how many slots is typed."""
    name = name_in(target)
    return Ask("resize", f"Resize ── pool {name}", Selection(), "resize requested", frozenset(), {"pool": name})


def ask_trip(scene: Scene, target: Target) -> Ask:
    """Opens the breaker, held until it is reset."""
    name = name_in(target)
    return Ask("trip", f"Trip ── breaker {name}", Selection(), "trip requested", frozenset(), {"breaker": name})


def ask_reset(scene: Scene, target: Target) -> Ask:
    """Closes the breaker."""
    name = name_in(target)
    return Ask("reset", f"Reset ── breaker {name}", Selection(), "reset requested", frozenset(), {"breaker": name})


def ask_answer(scene: Scene, target: Target) -> Ask:
    """An answer; which one is typed."""
    target = asked_of(scene, target)
    run_id, task_id = target.run_id or "", target.task_id or ""
    refs = frozenset({(run_id, task_id, target.map_index)})
    selection = Selection(run_ids=(run_id,), task_ids=(task_id,))
    return Ask("answer", f"Answer ── {task_id}", selection, "answered", refs)


VIEW = View(
    "limits",
    "pools, breakers and host",
    "console.screens.limits:LimitsPane",
    10,
    frozenset(),
    (
        Action("limits", "pools", "Pools and who holds them, circuit breakers, questions to people, and the host.",
               ("6",), EVERYWHERE, rank=11, opens="limits"),
        Action("limits.open", "enter", "The task of a question; of a pool or a breaker why it stands as it does.",
               ("l", "right"), _HERE, why_not=possible.something),
        Action("limits.details", "details", "What is known of it: who holds it, who waits, what frees it.", ("d",),
               _HERE, why_not=possible.something),
        Action("limits.back", "back", "Back to where it was opened.", ("escape", "h", "left"), _HERE),
        Action("limits.resize", "resize", "Gives the pool another size: a number, 0 to stop it, or `unlimited`.",
               ("enter",), _HERE, Danger.CHANGES, "resize", 90, possible.change("resize", _a("pool")), ask_resize,
               group="change"),
        Action("limits.trip", "trip", "Opens the circuit breaker and holds it open.", ("x",), _HERE, Danger.CHANGES,
               "trip", 80, possible.change("trip", _a("breaker")), ask_trip, group="change"),
        Action("limits.reset", "reset", "Closes the circuit breaker: what waits for it starts.", ("r",), _HERE,
               Danger.CHANGES, "reset", 85, possible.change("reset", _a("breaker")), ask_reset, group="change"),
        Action("answer", "answer",
               "Answers an approval: its options and its form. On a run: the one task of it that waits for an answer.",
               ("A",), ROWS | _HERE, Danger.CHANGES, "answer", 95, possible.change("answer", _awaits_input),
               ask_answer, group="change"),
    ),
    {
        "limits.open": f"{_DOING}enter",
        "limits.details": "console.screens.explaining:why",
        "limits.back": "console.screens.doing:back",
        "limits.resize": f"{_DOING}resize",
        "answer": "console.screens.trigger:open_answer",
    },
)  # fmt: skip
