"""Trigger rules, enumerated."""

import itertools

import pytest

from engine.lifecycle.rules import UpstreamCounts, evaluate
from engine.model.states import TaskState, TriggerRule
from tests.support.lifecycle import ERROR, OK, SKIP, World, task
from tests.support.trigger_oracle import DONE, verdict

PENDING = [state for state in TaskState if state not in DONE]
KINDS = [*(TaskState(state) for state in DONE), TaskState.RUNNING]


def counts_of(states: tuple[TaskState, ...]) -> UpstreamCounts:
    counts = UpstreamCounts()
    for state in states:
        counts.include(state)
    return counts


@pytest.mark.parametrize("rule", TriggerRule)
def test_every_rule_agrees_with_the_table_for_up_to_four_upstreams(rule: TriggerRule) -> None:
    """For every combination of up to four upstream states, the verdict is the one of the spelled-out table."""
    for size in range(5):
        for states in itertools.product(KINDS, repeat=size):
            assert evaluate(rule, counts_of(states)) == verdict(rule, states), states


@pytest.mark.parametrize("state", PENDING)
def test_every_state_that_is_not_terminal_is_pending(state: TaskState) -> None:
    """An upstream in any state that is not terminal is waited for."""
    assert evaluate(TriggerRule.ALL_DONE, counts_of((TaskState.SUCCESS, state))) == "wait"


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_verdict_once_given_stands_whatever_ends_next(rule: TriggerRule) -> None:
    """No further end changes a verdict, so all orders of arrival lead to the same state."""
    for size in range(1, 5):
        for states in itertools.combinations_with_replacement(KINDS, size):
            early = evaluate(rule, counts_of(states))
            if early == "wait" or TaskState.RUNNING not in states:
                continue
            at = states.index(TaskState.RUNNING)
            for end in DONE:
                later = (*states[:at], TaskState(end), *states[at + 1 :])
                if all(state is TaskState.REMOVED for state in later):
                    continue
                assert evaluate(rule, counts_of(later)) == early, (states, end)


def test_counts_follow_an_upstream_from_state_to_state() -> None:
    """Shifting an upstream gives the same counts as counting it anew."""
    for before, after in itertools.permutations(TaskState, 2):
        counts = counts_of((before, TaskState.SUCCESS))
        counts.shift(before, after)
        assert counts == counts_of((after, TaskState.SUCCESS))


def test_all_orders_of_arrival_give_the_same_states() -> None:
    """Three upstreams that end in any order leave a task of every rule in the same state."""
    children = [task(f"r_{rule}", "a", "b", "c", trigger_rule=rule) for rule in TriggerRule]
    for ends in itertools.product((OK, ERROR, SKIP), repeat=3):
        results = []
        for order in itertools.permutations(range(3)):
            world = World(task("a"), task("b"), task("c"), *children)
            for which in order:
                world.finish("abc"[which], ends[which])
            results.append(world.states())
        assert all(states == results[0] for states in results)


@pytest.mark.parametrize("rule", TriggerRule)
def test_every_order_of_arrival_of_up_to_four_upstreams_leads_to_the_same_verdict(rule: TriggerRule) -> None:
    """Upstreams that end one after the other, in whatever order, lead to the verdict of all of them together."""
    for size in range(1, 5):
        for arrivals in itertools.product((TaskState(state) for state in DONE), repeat=size):
            counts = counts_of((TaskState.NONE,) * size)
            given = evaluate(rule, counts)
            for state in arrivals:
                counts.ended(state)
                now = evaluate(rule, counts)
                assert given == now or given == "wait" or counts.total == 0, (arrivals, given, now)
                given = now
            assert given == verdict(rule, arrivals), arrivals
