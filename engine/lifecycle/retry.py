"""When a failed attempt is tried again, and whether it is at all."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

from engine.lifecycle.retry_rules import Matches, first_rule
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import RetryPolicy
from engine.model.moments import SECOND, Micros
from engine.model.rows import TaskInstance
from engine.model.states import FailureClass, Outcome, Reason

LOST_BUDGET = 2
"""Lost attempts of one epoch that are followed by another one, whatever the number of retries (if there are any)."""

NEVER_RETRIED = frozenset({FailureClass.PERMANENT, FailureClass.CANCELLED})
_REPORTABLE = frozenset(FailureClass) - {FailureClass.CANCELLED}
"""Classes that a status may claim: that an operator killed the attempt is known by the engine alone."""

_REASONS = frozenset(Reason)
_LONGEST_EXPONENT = 700.0


class Judgement(NamedTuple):
    """How an attempt ended, judged by its evidence."""

    outcome: Outcome
    failure_class: FailureClass | None
    reason: Reason
    delay: float | None = None
    """Seconds before the next try where a rule or the failure itself names them."""


def delay(policy: RetryPolicy, k: int, u: float) -> float:
    """Seconds before retry number `k` (1, 2, …) of an epoch; `u` in [0, 1) spreads it by the policy's jitter.

    A list of delays goes before a single one, and its last repeats. Exponential delays are computed by logarithms, so
    no number of tries overflows.
    """
    base = policy.delays[min(k, len(policy.delays)) - 1] if policy.delays else policy.delay
    if policy.exponential and base > 0 and policy.multiplier > 0:
        ceiling = math.log(policy.max_delay) if policy.max_delay > 0 else -_LONGEST_EXPONENT
        exponent = math.log(base) + (k - 1) * math.log(policy.multiplier)
        base = math.exp(min(exponent, ceiling, _LONGEST_EXPONENT))
    return _capped(base * (1.0 + policy.jitter * (2.0 * u - 1.0)), policy)


def jitter_u(run_id: str, task_id: str, map_index: int, attempt: int) -> float:
    """A number in [0, 1) that depends on the attempt alone: computed again after a restart, it is the same."""
    text = f"{run_id}\n{task_id}\n{map_index}\n{attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / (1 << 56)


def delay_after(policy: RetryPolicy, k: int, u: float, retry_after: float | None) -> Micros:
    """The delay in microseconds; a time that the failure itself asked for goes before the policy, capped like it."""
    wanted = delay(policy, k, u) if retry_after is None else _capped(retry_after, policy)
    return round(wanted * SECOND)


def _capped(wanted: float, policy: RetryPolicy) -> float:
    return max(0.0, min(wanted, policy.max_delay))


def judge(policy: RetryPolicy, status: AttemptStatus | None, reason: Reason | None, matches: Matches) -> Judgement:
    """Like `classify`, with the task's own rules, which go before what is known of failures in general."""
    found = classify(status, reason)
    if status is None or found.outcome is not Outcome.FAILED:
        return found
    rule = first_rule(policy.rules, status, matches) if reason is None else None
    if rule is None:
        return found._replace(delay=status.retry_after)
    if rule.then == "skip":
        return Judgement(Outcome.SKIPPED, None, Reason.RETRY_RULE)
    if rule.then == "fail":
        return Judgement(Outcome.FAILED, FailureClass.PERMANENT, Reason.RETRY_RULE)
    return Judgement(Outcome.FAILED, FailureClass.TRANSIENT, found.reason, rule.delay)


def classify(status: AttemptStatus | None, reason: Reason | None = None) -> Judgement:
    """Judges the evidence of an attempt's end; None means that there is none. `reason` overrides what it says."""
    if status is None:
        return Judgement(Outcome.LOST, FailureClass.INFRASTRUCTURE, reason or Reason.LOST)
    if status.outcome == "skipped":
        return Judgement(Outcome.SKIPPED, None, reason or Reason.SKIP_REQUESTED)
    if status.code == 0 and status.outcome != "failed":
        return Judgement(Outcome.SUCCESS, None, reason or Reason.EXIT)
    kind = _failure_class(status)
    said = Reason(status.reason) if status.reason in _REASONS else None
    return Judgement(Outcome.FAILED, kind, reason or said or _failure_reason(status, kind))


def _failure_class(status: AttemptStatus) -> FailureClass:
    if status.failure_class in _REPORTABLE:
        return FailureClass(status.failure_class)
    return FailureClass.INFRASTRUCTURE if status.signal else FailureClass.UNKNOWN


def _failure_reason(status: AttemptStatus, kind: FailureClass) -> Reason:
    if kind is FailureClass.PERMANENT:
        return Reason.PERMANENT
    raised = status.by == "child" and status.error is not None and not status.signal
    return Reason.EXCEPTION if raised else Reason.EXIT


def retries_used(ti: TaskInstance) -> int:
    """Attempts of the present epoch that count against the budget, the current one included."""
    return ti.attempt - ti.epoch_start - ti.lost_count - ti.spared


def retry_number(policy: RetryPolicy, ti: TaskInstance, judgement: Judgement) -> int | None:
    """Which retry follows the end of the current attempt (1, 2, …), or None when none does.

    A lost attempt has a budget of its own, but a task with `retries=0` never starts again by itself.
    """
    retries = policy.retries if ti.retries is None else ti.retries
    if judgement.outcome is Outcome.LOST:
        number = ti.lost_count + 1
        return number if policy.on_lost == "retry" and retries > 0 and number <= LOST_BUDGET else None
    if judgement.failure_class in NEVER_RETRIED:
        return None
    number = retries_used(ti)
    if judgement.reason is Reason.BREAKER_OPEN:
        return max(1, number)  # it asked to wait: that uses no budget, and is no failure of its own
    return number if number <= retries else None
