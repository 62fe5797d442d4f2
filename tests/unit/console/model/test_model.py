"""The model: what enters it is safe, what was asked for is kept apart, and percentiles say nothing of too little."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import reading
from console.model.figures import durations, percentile
from console.model.intents import Intent, Intents
from console.model.link import Link, LinkState
from engine.model.causes import cause
from engine.model.moments import SECOND
from tests.support.console import NOW

RUN = ("trades_us@7", "", -1)


def intent(command: str, committed: int | None = None) -> Intent:
    """A clear of run 7."""
    return Intent(command, "clear", "clear requested", frozenset({RUN}), NOW, committed)


def test_an_intent_stands_until_a_picture_shows_its_commit() -> None:
    """It is there while it is asked for, still there once committed, and gone with a picture at that commit."""
    asked = Intents().add(intent("c1"))
    assert asked.of(RUN) is not None and asked.settle(100).of(RUN) is not None
    committed = asked.commit("c1", 50)
    assert committed.settle(49).of(RUN) is not None
    assert committed.settle(50).of(RUN) is None
    assert asked.drop("c1").of(RUN) is None


def test_the_newest_of_several_intents_is_shown() -> None:
    """Two commands for one row show the last that was asked for; settling keeps the same object if nothing goes."""
    both = Intents().add(intent("c1")).add(Intent("c2", "kill", "kill requested", frozenset({RUN}), NOW))
    found = both.of(RUN)
    assert found is not None and found.words == "kill requested"
    assert both.settle(1) is both and both.of(("other", "", -1)) is None


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([1, 2, 3, 4], 0.5, None),
        ([1, 2, 3, 4, 5], 0.5, 3),
        ([10, 20, 30, 40, 50], 0.95, 48),
        ([7] * 9, 0.95, 7),
    ],
)
def test_percentiles_interpolate_and_need_five_samples(values: list[int], share: float, expected: int | None) -> None:
    """Between the two nearest ranks, and nothing below five values."""
    assert percentile(values, share) == expected


@given(st.lists(st.integers(0, 10**12), min_size=5))
def test_a_percentile_lies_between_the_ends(values: list[int]) -> None:
    """It is never below the least nor above the largest value, and the 95th is not below the 50th."""
    ordered = sorted(values)
    middle, high = percentile(ordered, 0.5), percentile(ordered, 0.95)
    assert middle is not None and high is not None
    assert ordered[0] <= middle <= high <= ordered[-1]


def test_joined_durations_are_read_in_order() -> None:
    """The store joins them with commas; none at all is an empty list."""
    assert durations("30,10,20") == [10, 20, 30] and durations(None) == []


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_whatever_is_read_can_be_drawn(text: str) -> None:
    """No control character, line end or invisible sign is left in any text that enters the model."""
    for made in (reading.safe(text), reading.one_line(text)):
        assert all(character.isprintable() for character in made)


def test_damaged_cells_do_not_hide_their_row() -> None:
    """Tags or blockers that are not a list of text are read as none."""
    row = ("a", "a.py", "active", 1, "UTC", None, None, "{not json", None, None, None, None, None, None, None)
    assert reading.dag_card(row).tags == ()
    assert reading.dag_card((*row[:7], '"text"', *row[8:])).tags == ()


def test_causes_are_the_same_without_what_is_particular() -> None:
    """Numbers, addresses and hashes do not keep two occurrences of one failure apart; words do."""
    assert cause("Timeout after 12 s at 0x7f3a") == cause("Timeout after 15 s at 0x11")
    assert cause("row 3 of a1b2c3d4e5") == cause("row 7 of ffffffffff")
    assert cause("no such table: a") != cause("no such table: b")


def test_the_report_of_an_unclean_start_is_readable() -> None:
    """Counts stand in its title, names below their heading, moments as times; empty parts are left out."""
    report = {"adopted": ["load of a@1", "x of b@2"], "interrupted": [], "last_seen_at": NOW, "reboot": True}
    card = reading.recovery_card((1, 2, NOW, json.dumps(report)))
    assert card.title == "2 adopted"
    assert card.lines == (
        "adopted", "  load of a@1", "  x of b@2", "last seen: 2026-11-22T02:14:07Z", "reboot: yes",
    )  # fmt: skip
    assert reading.recovery_card((1, 2, NOW, "not json")).lines == ("report: not json",)


def test_tasks_and_parameters_come_from_the_serialized_dag() -> None:
    """What a version does not say has the default that authors know."""
    spec = {
        "tasks": [{"task_id": "a"}, {"task_id": "b", "upstream": ["a"], "retry": {"retries": 2, "exponential": True}}],
        "params": {"env": {"default": "prod", "schema": {"enum": ["dev", "prod"]}, "description": "two\nlines"}},
    }
    first, second = reading.task_plans(spec)
    assert (first.upstream, first.retries, first.trigger_rule) == ((), 0, "all_success")
    assert (second.upstream, second.retries, second.exponential) == (("a",), 2, True)
    (param,) = reading.param_cards(spec)
    assert (param.name, param.default, param.description) == ("env", "prod", "two lines")


def test_only_a_link_that_should_be_alive_grows_stale() -> None:
    """A link that is down is down; one that is up is stale when nothing has been heard for three seconds."""
    assert Link(LinkState.DOWN, NOW, NOW).stale_for(NOW + 60 * SECOND) is None
    assert Link(LinkState.UP, NOW, NOW).stale_for(NOW + 2 * SECOND) is None
    assert Link(LinkState.UP, NOW, NOW).stale_for(NOW + 4 * SECOND) == 4 * SECOND
