"""Trigger rules: whether a task may run, given how its upstream instances ended. A verdict never depends on the order
in which they ended: skipping waits for all of them, and the early verdicts only become firmer.

Cancelled counts as failed; removed upstreams do not count at all. A task without upstreams that count may run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from engine.model.states import TERMINAL_TASK, TaskState, TriggerRule


class Verdict(StrEnum):
    """What a trigger rule says: run, not decided yet, skip, or `upstream_failed`."""

    RUN = "run"
    WAIT = "wait"
    SKIP = "skip"
    FAIL = "fail"


RUN, WAIT, SKIP, FAIL = Verdict.RUN, Verdict.WAIT, Verdict.SKIP, Verdict.FAIL
_SUCCESS, _FAILED, _SKIPPED = TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED
_UPSTREAM_FAILED, _CANCELLED, _REMOVED = TaskState.UPSTREAM_FAILED, TaskState.CANCELLED, TaskState.REMOVED


class UpstreamCounts:
    """How the direct upstream instances of one instance stand: how many count, how many are pending, and by end."""

    __slots__ = ("failed", "pending", "skipped", "success", "total", "upstream_failed")

    def __init__(self) -> None:
        self.total = 0
        """Upstream instances that count: all but removed ones."""
        self.pending = 0
        """Of these, not terminal."""
        self.success = 0
        self.failed = 0
        """Failed or cancelled."""
        self.upstream_failed = 0
        self.skipped = 0

    def include(self, state: TaskState) -> None:
        """Counts one more upstream instance, which is in `state`."""
        self.total += 1
        self.pending += 1
        self.shift(TaskState.NONE, state)

    def expect(self, count: int) -> None:
        """Counts so many more upstream instances, none of them terminal."""
        self.total += count
        self.pending += count

    def shift(self, before: TaskState, after: TaskState) -> None:
        """Follows one upstream instance from one state to another."""
        self._add(before, -1)
        self._add(after, 1)

    def ended(self, state: TaskState) -> None:
        """The same as a shift to `state` from one that was not terminal."""
        if state is _SUCCESS:
            self.pending -= 1
            self.success += 1
        else:
            self._add(state, 1)

    def _add(self, state: TaskState, by: int) -> None:
        if state is _SUCCESS:
            self.success += by
        elif state is _FAILED or state is _CANCELLED:
            self.failed += by
        elif state is _UPSTREAM_FAILED:
            self.upstream_failed += by
        elif state is _SKIPPED:
            self.skipped += by
        elif state is _REMOVED:
            self.total -= by
        else:
            return
        self.pending -= by

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UpstreamCounts) and self._key() == other._key()

    def _key(self) -> tuple[int, ...]:
        return (self.total, self.pending, self.success, self.failed, self.upstream_failed, self.skipped)

    def __repr__(self) -> str:
        names = ("total", "pending", "success", "failed", "upstream_failed", "skipped")
        return f"UpstreamCounts({', '.join(f'{n}={v}' for n, v in zip(names, self._key(), strict=True))})"


def evaluate(rule: TriggerRule, counts: UpstreamCounts) -> Verdict:
    """What the rule says for these upstreams."""
    return RULES[rule](counts)


def after_setups(states: Iterable[TaskState]) -> Verdict:
    """What becomes of a teardown, once all is over, by how its setups ended: it runs if there is something to clean
    up, after at least one of them. Without any that counts it just runs."""
    counted = [state for state in states if state is not _REMOVED]
    if not counted or _SUCCESS in counted:
        return RUN
    return SKIP if all(state is _SKIPPED for state in counted) else FAIL


def setups_needed(states: Iterable[TaskState]) -> Verdict:
    """What becomes of a task by how the setups that it needs stand: it may run when all of them have succeeded."""
    counted = {state for state in states if state is not _REMOVED}
    if counted - TERMINAL_TASK:
        return WAIT
    if counted - {_SUCCESS, _SKIPPED}:
        return FAIL
    return SKIP if _SKIPPED in counted else RUN


def _all_success(c: UpstreamCounts) -> Verdict:
    if c.failed or c.upstream_failed:
        return FAIL
    if c.pending:
        return WAIT
    return SKIP if c.skipped else RUN


def _all_failed(c: UpstreamCounts) -> Verdict:
    if c.pending:
        return WAIT
    return SKIP if c.success or c.skipped else RUN


def _all_done(c: UpstreamCounts) -> Verdict:
    return WAIT if c.pending else RUN


def _all_done_min_one_success(c: UpstreamCounts) -> Verdict:
    if c.pending:
        return WAIT
    if c.skipped:
        return SKIP
    return RUN if c.success or not c.total else FAIL


def _all_skipped(c: UpstreamCounts) -> Verdict:
    if c.pending:
        return WAIT
    return RUN if c.skipped == c.total else SKIP


def _all_ran(c: UpstreamCounts) -> Verdict:
    if c.upstream_failed:
        return FAIL
    if c.pending:
        return WAIT
    return SKIP if c.skipped else RUN


def _one_success(c: UpstreamCounts) -> Verdict:
    if c.success or not c.total:
        return RUN
    if c.pending:
        return WAIT
    return SKIP if c.skipped == c.total else FAIL


def _one_failed(c: UpstreamCounts) -> Verdict:
    if c.failed or c.upstream_failed or not c.total:
        return RUN
    return WAIT if c.pending else SKIP


def _one_done(c: UpstreamCounts) -> Verdict:
    if c.success or c.failed or not c.total:
        return RUN
    return WAIT if c.pending else SKIP


def _none_failed(c: UpstreamCounts) -> Verdict:
    if c.failed or c.upstream_failed:
        return FAIL
    return WAIT if c.pending else RUN


def _none_failed_min_one_success(c: UpstreamCounts) -> Verdict:
    verdict = _none_failed(c)
    return SKIP if verdict is RUN and c.total and not c.success else verdict


def _none_skipped(c: UpstreamCounts) -> Verdict:
    if c.pending:
        return WAIT
    return SKIP if c.skipped else RUN


def _always(c: UpstreamCounts) -> Verdict:
    return RUN


RULES: dict[TriggerRule, Callable[[UpstreamCounts], Verdict]] = {
    TriggerRule.ALL_SUCCESS: _all_success,
    TriggerRule.ALL_FAILED: _all_failed,
    TriggerRule.ALL_DONE: _all_done,
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: _all_done_min_one_success,
    # The rule of teardown tasks: without a setup task among the upstreams it only waits for them.
    TriggerRule.ALL_DONE_SETUP_SUCCESS: _all_done,
    TriggerRule.ALL_SKIPPED: _all_skipped,
    TriggerRule.ALL_RAN: _all_ran,
    TriggerRule.ONE_SUCCESS: _one_success,
    TriggerRule.ONE_FAILED: _one_failed,
    TriggerRule.ONE_DONE: _one_done,
    TriggerRule.NONE_FAILED: _none_failed,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: _none_failed_min_one_success,
    TriggerRule.NONE_SKIPPED: _none_skipped,
    TriggerRule.ALWAYS: _always,
}
