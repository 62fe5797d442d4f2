"""A task's own retry rules, partial work, and the budget that a clear gives."""

import pytest

from engine.lifecycle.events import Clear, Ended, EngineKill, RetryDue, TaskTimeout, Unkillable
from engine.lifecycle.retry import delay, judge
from engine.lifecycle.retry_rules import first_rule
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import RetryPolicy, RetryRule
from engine.model.moments import SECOND
from engine.model.states import FailureClass, Outcome, Reason, TaskState
from tests.support.lifecycle import ERROR, EXIT_3, OK, PERMANENT, World, task

RAISED = AttemptStatus(
    1,
    "child",
    outcome="failed",
    failure_class="unknown",
    error="HTTPError: 503",
    exceptions=["httpx.HTTPStatusError", "httpx.HTTPError"],
    http_status=503,
)
SHELL = AttemptStatus(75, "shim", outcome="failed", error="exit code 75")


@pytest.mark.parametrize(
    ("rule", "status", "speaks"),
    [
        (RetryRule(exceptions=["httpx.HTTPError"]), RAISED, True),
        (RetryRule(exceptions=["HTTPStatusError"]), RAISED, True),
        (RetryRule(exceptions=["requests.HTTPError"]), RAISED, False),
        (RetryRule(exceptions=["ValueError", "HTTPError"], http_status=[503]), RAISED, True),
        (RetryRule(exceptions=["HTTPError"], http_status=[404]), RAISED, False),
        (RetryRule(exit_codes=[75]), SHELL, True),
        (RetryRule(exit_codes=[1, 2]), SHELL, False),
        (RetryRule(exceptions=["HTTPError"]), SHELL, False),
        (RetryRule(exit_codes=[0]), OK, False),
        (RetryRule(exit_codes=[1]), AttemptStatus(1, "child", outcome="failed"), False),
    ],
)
def test_a_rule_speaks_where_all_its_conditions_hold(rule: RetryRule, status: AttemptStatus, speaks: bool) -> None:
    """Classes match by either name, subclasses included; what the task itself decided is beyond all rules."""
    assert (first_rule([rule], status, ()) is rule) == speaks


def test_the_first_rule_that_speaks_decides() -> None:
    """Later rules are not asked; a rule with an expression needs it to have been found."""
    rules = [RetryRule(match="x"), RetryRule(exit_codes=[75], match="y"), RetryRule(exit_codes=[75])]
    assert first_rule(rules, SHELL, ()) is rules[2]
    assert first_rule(rules, SHELL, (1,)) is rules[1]
    assert first_rule(rules, SHELL, (0, 1)) is rules[0]


@pytest.mark.parametrize(
    ("rule", "judgement"),
    [
        (RetryRule(exit_codes=[75], delay=9.0), (Outcome.FAILED, FailureClass.TRANSIENT, Reason.EXIT, 9.0)),
        (RetryRule(exit_codes=[75], then="fail"), (Outcome.FAILED, FailureClass.PERMANENT, Reason.RETRY_RULE, None)),
        (RetryRule(exit_codes=[75], then="skip"), (Outcome.SKIPPED, None, Reason.RETRY_RULE, None)),
        (RetryRule(exit_codes=[1], then="fail"), (Outcome.FAILED, FailureClass.UNKNOWN, Reason.EXIT, None)),
    ],
)
def test_a_rule_decides_what_follows(rule: RetryRule, judgement: tuple[object, ...]) -> None:
    """Retry (after its own delay), fail for good, or skip; where no rule speaks, what is known of failures counts."""
    assert judge(RetryPolicy(rules=[rule]), SHELL, None, ()) == judgement


def test_a_list_of_delays_is_taken_one_by_one() -> None:
    """The delays follow each other, the last one repeats, and the cap bounds each of them."""
    policy = RetryPolicy(retries=9, delay=10, delays=[10, 60, 300, 7200], max_delay=3600)
    assert [delay(policy, k, 0.5) for k in (1, 2, 3, 4, 5, 1000)] == [10, 60, 300, 3600, 3600, 3600]


def test_a_rules_delay_replaces_the_policys() -> None:
    """The retry timer is set by the delay of the rule that spoke, from the attempt's end."""
    world = World(task("a", retry=RetryPolicy(2, delay=300, rules=[RetryRule(exit_codes=[3], delay=7.0)])))
    world.finish("a", EXIT_3)
    assert world.ti("a").retry_at == world.now + 7 * SECOND


def test_a_rule_can_end_a_task_that_has_retries_left() -> None:
    """`fail` ends it at once, `skip` skips it, and an expression counts only where it was found."""
    fails = World(task("a", retry=RetryPolicy(5, rules=[RetryRule(match="denied", then="fail")])))
    attempt = fails.claim("a")
    fails.do(Ended(attempt, EXIT_3, matches=(0,)))
    assert (fails.ti("a").state, fails.ti("a").reason) == (TaskState.FAILED, Reason.RETRY_RULE)
    again = World(task("a", retry=RetryPolicy(5, rules=[RetryRule(match="denied", then="fail")])))
    again.finish("a", EXIT_3)
    assert again.ti("a").state is TaskState.UP_FOR_RETRY
    skips = World(task("a", retry=RetryPolicy(5, rules=[RetryRule(exit_codes=[3], then="skip")])), task("b", "a"))
    skips.finish("a", EXIT_3)
    assert skips.states() == {"a": "skipped", "b": "skipped"}


PARTIAL = AttemptStatus(
    1, "child", outcome="failed", failure_class="partial", reason="partial", error="2 failed", failed_keys=["x", 7]
)


def test_failed_keys_stay_until_the_work_is_done() -> None:
    """They survive a lost attempt, a stop of the engine and a restart; success and a clear forget them."""
    world = World(task("a", retries=2))
    world.finish("a", PARTIAL)
    ti = world.ti("a")
    assert (ti.state, ti.reason, ti.failed_keys) == (TaskState.UP_FOR_RETRY, Reason.PARTIAL, '["x",7]')
    assert world.attempt("a").failure_class is FailureClass.PARTIAL
    world.do(RetryDue(ti.id))
    world.finish("a", None)
    world.restart()
    assert world.ti("a").failed_keys == '["x",7]'
    world.do(RetryDue(world.ti("a").id))
    attempt = world.claim("a")
    world.do(EngineKill(world.ti("a").id))
    world.do(Ended(attempt, None))
    assert world.ti("a").failed_keys == '["x",7]'
    world.do(RetryDue(world.ti("a").id))
    world.finish("a", OK)
    assert (world.ti("a").state, world.ti("a").failed_keys) == (TaskState.SUCCESS, None)


def test_a_clear_forgets_failed_keys() -> None:
    """A new epoch does all of the work."""
    world = World(task("a"))
    world.finish("a", PARTIAL)
    assert (world.ti("a").state, world.ti("a").failed_keys) == (TaskState.FAILED, '["x",7]')
    world.do(Clear(world.tis("a")))
    assert world.ti("a").failed_keys is None


def test_a_clear_may_give_another_number_of_retries() -> None:
    """It holds for one epoch: none although the task has some, some although it has none; the next clear ends it."""
    world = World(task("a", retries=3), task("b"))
    world.finish("a", PERMANENT)
    world.finish("b", ERROR)
    world.do(Clear(world.tis("a"), retries=0))
    world.do(Clear(world.tis("b"), retries=1))
    world.finish("a", ERROR)
    world.finish("b", ERROR)
    assert world.states() == {"a": "failed", "b": "up_for_retry"}
    world.restart()
    assert (world.ti("a").retries, world.ti("b").retries) == (0, 1)
    world.do(Clear(world.tis("a", "b")))
    world.finish("a", ERROR)
    world.finish("b", ERROR)
    assert world.states() == {"a": "up_for_retry", "b": "failed"}


def test_a_running_task_is_cleared_with_another_number_of_retries() -> None:
    """The number holds once the old process is dead; a lost attempt is not tried again where it is 0."""
    world = World(task("a", retries=3))
    attempt = world.claim("a")
    world.do(Clear(world.tis("a"), retries=0))
    world.do(Ended(attempt, None))
    world.finish("a", None)
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.LOST)


def test_what_does_not_die_is_said_and_still_being_killed() -> None:
    """The instance keeps its slot and its decision; the reason is committed once, and death ends it as decided."""
    world = World(task("a", retries=1))
    attempt = world.claim("a")
    world.do(Unkillable(attempt, "the task has ended, but process 8 has not"))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.RUNNING, Reason.UNKILLABLE)
    world.do(TaskTimeout(world.ti("a").id, attempt))
    world.do(Unkillable(attempt, "process 7 is in uninterruptible sleep"))
    ti = world.ti("a")
    assert (ti.state, ti.reason, ti.then) == (TaskState.KILLING, Reason.UNKILLABLE, TaskState.UP_FOR_RETRY)
    assert world.attempt("a").error == "process 7 is in uninterruptible sleep"
    assert not world.do(Unkillable(attempt, "process 7 is in uninterruptible sleep")).transitions
    world.do(Ended(attempt, None))
    assert (world.ti("a").state, world.attempt("a").outcome) == (TaskState.UP_FOR_RETRY, Outcome.TIMEOUT)


def test_a_task_may_refuse_to_be_started_again_once_lost() -> None:
    """With `on_lost="fail"` a lost attempt is the last, whatever retries are left; other failures are tried again."""
    world = World(task("a", retry=RetryPolicy(3, on_lost="fail")), task("b", retry=RetryPolicy(3, on_lost="fail")))
    world.finish("a", None)
    world.finish("b", ERROR)
    assert world.states() == {"a": "failed", "b": "up_for_retry"}
