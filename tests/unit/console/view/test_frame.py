"""Folding: mapped tasks and task groups are one row each until somebody wants to see what is in them."""

from __future__ import annotations

from dataclasses import replace

from console.model.runs import RunDetail, TaskCard
from console.view.frame import Folds, Frame, group_card, group_counts
from console.view.run import RunRows
from tests.support.console import mark, plan, run, scene, task


def mapped(states: str = "success success failed") -> RunDetail:
    """list >> work (mapped) >> total."""
    cards: list[TaskCard] = [task(1, "list"), task(2, "work", "deferred")._replace(reason="expanded", attempts=())]
    cards += [task(10 + at, "work", state)._replace(map_index=at) for at, state in enumerate(states.split())]
    cards.append(task(3, "total", "none"))
    return run(mark(1, "flow"), (plan("list"), plan("work", "list"), plan("total", "work")), tuple(cards))


def grouped() -> RunDetail:
    """start >> load(a >> b) >> end."""
    plans = (
        plan("start"), plan("load.a", "start")._replace(group="load"),
        plan("load.b", "load.a")._replace(group="load"), plan("end", "load.b"),
    )  # fmt: skip
    cards = (task(1, "start"), task(2, "load.a"), task(3, "load.b", "failed"), task(4, "end", "upstream_failed"))
    return run(mark(1, "flow"), plans, cards)


def names(detail: RunDetail, folds: Folds) -> list[str]:
    """What the table lists."""
    rows = RunRows(scene(detail=detail), detail, frame=Frame(detail, folds))
    return [rows.card(index).name for index in range(1, len(rows))]


def text(detail: RunDetail, folds: Folds, row: int) -> str:
    """A row's words."""
    rows = RunRows(scene(detail=detail), detail, frame=Frame(detail, folds))
    return "".join(part for part, _ in rows.row(row, 160))


def test_a_mapped_task_is_one_row_until_it_is_unfolded() -> None:
    """Folded it stands for all its indexes; unfolded these follow it, in order."""
    detail = mapped()
    assert names(detail, Folds()) == ["list", "work", "total"]
    unfolded = Folds(unfolded=frozenset({"work"}))
    assert names(detail, unfolded) == ["list", "work", "work[0]", "work[1]", "work[2]", "total"]


def test_the_folded_row_says_how_its_indexes_stand() -> None:
    """The state that says most, how many are over, and each state with its number."""
    said = text(mapped("success running failed none"), Folds(), 2)
    assert "▸ work" in said
    assert "2/4 done" in said
    assert "1✓ 1" in said


def test_summary_rows_are_not_counted_among_the_tasks() -> None:
    """A run of two tasks and three indexes has five instances."""
    detail = mapped()
    assert sum(detail.counts.values()) == 5
    assert detail.index_counts == {"work": {"success": 2, "failed": 1}}


def test_a_folded_group_is_one_row_of_the_graph() -> None:
    """Its row takes the edges of its tasks and the state that says most of them."""
    detail = grouped()
    folds = Folds(folded=frozenset({"load"}))
    assert names(detail, folds) == ["start", "load", "end"]
    assert group_counts(detail, "load") == {"success": 1, "failed": 1}
    assert group_card(detail, "load").state == "failed"
    frame = Frame(detail, folds)
    assert frame.upstream == [[], [0], [1]]
    assert frame.visible(detail.tasks[2]) == ("task", "load", -1)


def test_a_group_that_cannot_be_one_row_stays_unfolded() -> None:
    """Where a path leaves a group and comes back, one row would stand above and below another."""
    plans = (
        plan("g.a")._replace(group="g"), plan("x", "g.a"), plan("g.b", "x")._replace(group="g"),
    )  # fmt: skip
    detail = run(mark(1, "flow"), plans, (task(1, "g.a"), task(2, "x"), task(3, "g.b")))
    assert names(detail, Folds(folded=frozenset({"g"}))) == ["g.a", "x", "g.b"]


def test_an_outer_group_folds_the_groups_in_it() -> None:
    """Groups are nested by their ids."""
    plans = (plan("o.i.a")._replace(group="o.i"), plan("o.b", "o.i.a")._replace(group="o"))
    detail = run(mark(1, "flow"), plans, (task(1, "o.i.a"), task(2, "o.b")))
    assert names(detail, Folds(folded=frozenset({"o", "o.i"}))) == ["o"]
    assert names(detail, Folds(folded=frozenset({"o.i"}))) == ["o.i", "o.b"]


def test_a_failure_in_a_fold_is_found() -> None:
    """Going to the next failure stops at the row into which the failure is folded."""
    detail = mapped()
    rows = RunRows(scene(detail=detail), detail, frame=Frame(detail))
    assert [rows.is_failure(index) for index in range(1, len(rows))] == [False, True, False]


def test_another_shape_or_fold_needs_another_frame() -> None:
    """A frame is kept while the same instances are shown in the same folds."""
    detail = mapped()
    frame = Frame(detail)
    assert frame.fits(replace(detail, tasks=tuple(detail.tasks)), Folds())
    assert not frame.fits(detail, Folds(unfolded=frozenset({"work"})))
    assert not frame.fits(replace(detail, tasks=detail.tasks[:-1]))
