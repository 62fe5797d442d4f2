"""`approval("sign_off")`: a task that waits for a person, and holds no process and no slot while it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Unpack

from engine.authoring.checks import shown
from engine.authoring.durations import seconds_of
from engine.authoring.exceptions import DefinitionError, ParamError
from engine.authoring.options import TASK_CHECKS, TaskOptions, checked
from engine.authoring.params import Param, check_default
from engine.authoring.places import user_place
from engine.authoring.registry import require_dag
from engine.authoring.wiring import Task
from engine.model.dag import ApprovalSpec
from engine.model.ids import check_id

_MEANINGLESS = frozenset(
    {"retries", "retry_delay", "pool", "pool_slots", "execution_timeout", "env", "isolate", "breaker"}
)


def approval(
    task_id: str,
    message: str = "",
    *,
    options: Sequence[str] = ("approve", "reject"),
    rejects: Sequence[str] = ("reject",),
    on_reject: str = "fail",
    params: Mapping[str, Any] | None = None,
    timeout: timedelta | str | None = None,
    default: str | None = None,
    **others: Unpack[TaskOptions],
) -> Task:
    """Asks a person, with `dagdeck answer` or in the console, to choose one of the `options`.

    One of `rejects` fails the task, or skips it (`on_reject="skip"`); any other makes it a success. After `timeout` the
    `default` is taken; without one the task fails. `params` is a form that is filled in with the answer. The result is
    `{"option": …, "params": …, "by": …, "at": …}`. Raises DefinitionError for what cannot be.
    """
    place = user_place()
    try:
        name = check_id("task", task_id)
    except ValueError as problem:
        raise DefinitionError(str(problem)) from None
    what = f"task {name!r}"
    dag = require_dag(f"approval {name!r} is made")
    if not isinstance(message, str):
        raise DefinitionError(f"{what}: message={shown(message)} is not allowed: use text", place)
    chosen = _words(what, "options", options)
    bad = [word for word in rejects if word not in chosen] if tuple(rejects) != ("reject",) else []
    if bad or (default is not None and default not in chosen):
        raise DefinitionError(
            f"{what}: {shown(bad[0] if bad else default)} is none of its options: {', '.join(chosen)}", place
        )
    if on_reject not in ("fail", "skip"):
        raise DefinitionError(f'{what}: on_reject={shown(on_reject)} is not allowed: use "fail" or "skip"', place)
    if given := _MEANINGLESS & others.keys():
        raise DefinitionError(f"{what}: {min(given)}= means nothing for an approval: no process is started", place)
    spec = ApprovalSpec(
        message=message,
        options=chosen,
        rejects=[word for word in rejects if word in chosen],
        skips=on_reject == "skip",
        params=_form(what, params or {}),
        timeout=_seconds(what, timeout),
        default=default,
    )
    return Task(dag, name, "approval", checked(what, others, TASK_CHECKS, place), approval=spec)


def _words(what: str, argument: str, given: Sequence[str]) -> list[str]:
    words = [given] if isinstance(given, str) else list(given)
    if not words or len(set(words)) != len(words):
        raise DefinitionError(f"{what}: {argument}={shown(given)} is not allowed: use different texts, at least one")
    for word in words:
        try:
            check_id("option", word)
        except ValueError as problem:
            raise DefinitionError(f"{what}: {problem}") from None
    return words


def _form(what: str, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = {name: (value if isinstance(value, Param) else Param(value)).spec() for name, value in params.items()}
        for name, spec in found.items():
            check_default(name, spec)
    except ParamError as problem:
        raise DefinitionError(f"{what}: {problem}") from None
    return found


def _seconds(what: str, timeout: timedelta | str | None) -> float | None:
    if timeout is None:
        return None
    try:
        seconds = seconds_of(timeout)
    except ValueError as problem:
        raise DefinitionError(f"{what}: timeout={shown(timeout)} is not allowed: use {problem}") from None
    if seconds <= 0:
        raise DefinitionError(f"{what}: timeout={shown(timeout)} is not allowed: use more than 0")
    return seconds
