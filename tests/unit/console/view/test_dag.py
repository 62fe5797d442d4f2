"""The runs of a DAG as rows."""

from __future__ import annotations

import pytest

from console.model.runs import DagDetail
from console.view.dag import DagRows, title
from console.view.spans import plain
from engine.model.moments import DAY
from tests.support.console import NOW, dag, mark, scene


def test_a_dag_without_runs_says_how_to_start_one() -> None:
    """Below the titles stands one row that nothing can be done with, at every width."""
    rows = DagRows(scene(dag("fresh")), DagDetail("fresh", ()))
    assert (len(rows), rows.key(1)) == (2, None)
    assert plain(rows.row(1, 80)).rstrip() == "no runs yet: t starts one"
    assert len(plain(rows.row(1, 10))) == 10


def test_runs_are_rows_below_the_titles() -> None:
    """With runs that row is gone, and each row is found by its run."""
    marks = (mark(2, "busy"), mark(1, "busy"))
    rows = DagRows(scene(dag("busy", recent=marks)), DagDetail("busy", marks))
    assert len(rows) == 3
    assert [rows.index(rows.key(at)) for at in (1, 2)] == [1, 2]


@pytest.mark.parametrize(("starts", "words"), [(NOW, "@daily, UTC, trigger"), (NOW - DAY, "@daily, UTC, interval")])
def test_the_title_says_what_kind_of_schedule_it_is(starts: int, words: str) -> None:
    """A run is due at its date, or at the end of its interval."""
    card = dag("etl", schedule="@daily", timezone="UTC", next_logical=starts, next_run_after=NOW)
    left, _ = title(scene(card), "etl", 120)
    assert f"etl   {words}" in "".join(text for text, _ in left)
