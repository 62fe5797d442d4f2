"""Folding a run's rows: what a fold changes, and where the cursor stands then."""

from __future__ import annotations

from console.model.runs import RunDetail
from console.view.folding import fold, unfold
from console.view.frame import Folds, group_card
from tests.support.console import mark, plan, run, task


def flow() -> RunDetail:
    """list >> work (two indexes) >> load(a >> b)."""
    plans = (
        plan("list"), plan("work", "list"), plan("load.a", "work")._replace(group="load"),
        plan("load.b", "load.a")._replace(group="load"),
    )  # fmt: skip
    indexes = [task(10 + at, "work", map_index=at) for at in range(2)]
    cards = (task(1, "list"), task(2, "work"), *indexes, task(3, "load.a"), task(4, "load.b"))
    return run(mark(1, "flow"), plans, cards)


def test_a_mapped_task_unfolds_under_the_cursor_and_takes_it_back() -> None:
    """Unfolding leaves the cursor on the task; folding from any of its indexes brings it to the task's row."""
    found = flow()
    shown = unfold(Folds(), found, found.tasks[1])
    assert shown == (Folds(frozenset({"work"})), found.tasks[1].key)
    assert shown is not None and unfold(shown.folds, found, found.tasks[2]) is None
    assert fold(shown.folds, found.tasks[3], None) == (Folds(), ("task", "work", -1))


def test_a_group_folds_around_any_of_its_tasks_and_unfolds_to_its_first() -> None:
    """The cursor goes to the group's row, and from there to the first task that was in it."""
    found = flow()
    away = fold(Folds(), found.tasks[5], "load")
    assert away == (Folds(folded=frozenset({"load"})), ("task", "load", -1))
    assert away is not None and unfold(away.folds, found, group_card(found, "load")) == (Folds(), found.tasks[4].key)


def test_what_is_neither_mapped_nor_in_a_group_has_nothing_to_fold() -> None:
    """A plain task answers to neither."""
    found = flow()
    assert unfold(Folds(), found, found.tasks[0]) is None and fold(Folds(), found.tasks[0], None) is None
