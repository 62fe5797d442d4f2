"""Delays, budgets and failure classes."""

import pytest

from engine.lifecycle.retry import classify, delay, delay_after, jitter_u
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DAY_SECONDS, RetryPolicy
from engine.model.moments import SECOND
from engine.model.states import FailureClass, Outcome, Reason
from tests.support.lifecycle import ERROR, EXIT_3, OK, PERMANENT, SIGTERM, SKIP

DOUBLING = RetryPolicy(retries=9, delay=30, exponential=True, max_delay=900)


def test_exponential_delays_double_up_to_the_cap() -> None:
    """30 s, doubled each time, capped at 15 minutes."""
    assert [round(delay(DOUBLING, k, 0.0), 6) for k in range(1, 8)] == [30, 60, 120, 240, 480, 900, 900]


def test_plain_delays_are_all_the_same() -> None:
    """Without backoff every retry waits the same time, also above a thousand tries."""
    assert {delay(RetryPolicy(delay=12.5), k, 0.7) for k in (1, 2, 1000)} == {12.5}


@pytest.mark.parametrize("multiplier", [2.0, 10.0, 0.5, 1e300])
def test_a_thousand_tries_do_not_overflow(multiplier: float) -> None:
    """However often and fast the delay grows, it ends at its cap."""
    policy = RetryPolicy(delay=30, exponential=True, multiplier=multiplier)
    assert 0 <= delay(policy, 1000, 0.0) <= DAY_SECONDS
    assert delay(RetryPolicy(delay=30, exponential=True, max_delay=1e308), 5000, 0.0) > 1e300


def test_a_delay_of_zero_stays_zero() -> None:
    """Neither backoff nor jitter makes something of nothing."""
    assert delay(RetryPolicy(delay=0, exponential=True, jitter=1.0), 5, 0.9) == 0


def test_a_cap_below_the_delay_wins() -> None:
    """The cap bounds the first delay too, and a cap of zero retries at once."""
    assert delay(RetryPolicy(delay=300, max_delay=10), 1, 0.5) == 10
    assert delay(RetryPolicy(delay=300, max_delay=0, exponential=True), 3, 0.5) == 0


def test_jitter_spreads_around_the_delay_and_never_above_the_cap() -> None:
    """Jitter of 0.5 moves the delay by at most half of it, to both sides."""
    policy = RetryPolicy(delay=100, jitter=0.5, max_delay=140)
    assert delay(policy, 1, 0.0) == 50
    assert delay(policy, 1, 0.5) == 100
    assert delay(policy, 1, 0.99) == 140


def test_the_jitter_of_an_attempt_never_changes() -> None:
    """The spread depends on the attempt's identity alone, and differs between attempts."""
    assert jitter_u("etl@1", "a", -1, 1) == jitter_u("etl@1", "a", -1, 1)
    numbers = [jitter_u("etl@1", "a", -1, attempt) for attempt in range(200)]
    assert all(0 <= u < 1 for u in numbers)
    assert len(set(numbers)) == 200
    assert 0.4 < sum(numbers) / 200 < 0.6


def test_a_time_asked_for_by_the_failure_goes_before_the_policy() -> None:
    """`retry_after` replaces the delay without jitter, is capped like it, and is never negative."""
    policy = RetryPolicy(delay=30, jitter=1.0, max_delay=100)
    assert delay_after(policy, 1, 0.9, 7.5) == 7_500_000
    assert delay_after(policy, 1, 0.9, 1e9) == 100 * SECOND
    assert delay_after(policy, 1, 0.9, -5) == 0


@pytest.mark.parametrize(
    ("status", "judgement"),
    [
        (OK, (Outcome.SUCCESS, None, Reason.EXIT)),
        (AttemptStatus(0, "shim"), (Outcome.SUCCESS, None, Reason.EXIT)),
        (SKIP, (Outcome.SKIPPED, None, Reason.SKIP_REQUESTED)),
        (None, (Outcome.LOST, FailureClass.INFRASTRUCTURE, Reason.LOST)),
        (ERROR, (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXCEPTION)),
        (EXIT_3, (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT)),
        (SIGTERM, (Outcome.FAILED, FailureClass.INFRASTRUCTURE, Reason.EXIT)),
        (PERMANENT, (Outcome.FAILED, FailureClass.PERMANENT, Reason.PERMANENT)),
        (AttemptStatus(0, "child", outcome="failed"), (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT)),
        (AttemptStatus(1, "child", outcome="success"), (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT)),
        (AttemptStatus(1, "child", failure_class="cancelled"), (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT)),
        (AttemptStatus(1, "child", failure_class="odd"), (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT)),
        (
            AttemptStatus(1, "child", failure_class="permanent", reason="task_missing"),
            (Outcome.FAILED, FailureClass.PERMANENT, Reason.TASK_MISSING),
        ),
        (
            AttemptStatus(1, "child", failure_class="transient", error="x", reason="odd"),
            (Outcome.FAILED, FailureClass.TRANSIENT, Reason.EXCEPTION),
        ),
    ],
)
def test_evidence_is_judged(status: AttemptStatus | None, judgement: tuple[object, ...]) -> None:
    """Success needs a status that says 0 and does not contradict itself; only the engine knows of kills."""
    assert classify(status)[:3] == judgement


def test_what_the_caller_knows_goes_before_what_the_status_says() -> None:
    """A reason given with the evidence replaces the one it names."""
    assert classify(None, Reason.REBOOT).reason is Reason.REBOOT
    assert classify(ERROR, Reason.RESULT_INVALID).reason is Reason.RESULT_INVALID
