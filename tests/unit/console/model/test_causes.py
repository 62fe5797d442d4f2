"""Recoveries and claims as the attention list shows them."""

from __future__ import annotations

from console.model.attention import attention
from console.model.dags import Failure
from console.model.home import ProgressCard
from tests.support.console import NOW, scene

FAILURE = Failure("etl", 1, "etl@1", "load", -1, "failed", "no route to db-1", NOW, cause="k1")


def test_a_recovery_counts_down_while_it_is_under_way() -> None:
    """How many runs are left, and how many failed again; it is gone when it is over."""
    card = ProgressCard(3, "no route to db-#", NOW, 10, 4, 1)
    (row,) = attention(scene(recoveries=(card,)).snapshot)
    assert (row.kind, row.text) == ("recovery", "4 of 10 runs left, 1 failed again: no route to db-#")
    assert attention(scene().snapshot) == ()


def test_a_recovery_that_is_over_names_what_failed_again() -> None:
    """For as long as nobody has put that right."""
    card = ProgressCard(3, "no route to db-#", NOW, 10, 0, 1, 9, ("etl@1",))
    rows = attention(scene(recoveries=(card,), failures=(FAILURE,)).snapshot)
    assert rows[0].text == "over, 9 of 10 runs recovered; failed again: etl@1"
    assert rows[0].where == (("etl", "etl@1", "load", -1),)
    assert attention(scene(recoveries=(card,)).snapshot) == ()


def test_a_cause_says_who_is_on_it() -> None:
    """The name of whoever claimed it."""
    (row,) = attention(scene(failures=(FAILURE,), claims=(("k1", "ada"),)).snapshot)
    assert row.detail == "ada is on it"
    (row,) = attention(scene(failures=(FAILURE,)).snapshot)
    assert row.detail == ""
