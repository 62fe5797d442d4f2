"""One change for thousands of marked rows."""

from __future__ import annotations

from dataclasses import replace

from console.actions import many
from console.actions.asking import name_of
from console.actions.registry import BY_ID
from console.model.targets import Target
from console.view.words import logical_words
from tests.support.console import dag, scene, trades

RUN = trades("failed")
SCENE = scene(dag("trades_us", recent=(RUN.mark,)), detail=RUN)
ROWS = tuple(Target("run", "trades_us", RUN.mark.run_id, "load", index) for index in range(5000))


def test_thousands_of_rows_are_asked_for_in_one() -> None:
    """Each once, by its index, and counted in the dialog's title."""
    asked = many.ask(BY_ID["clear"], SCENE, Target("run", marked=ROWS))
    assert asked.selection.run_ids == (RUN.mark.run_id,)
    assert asked.selection.task_ids == tuple(f"load[{index}]" for index in range(5000))
    assert asked.title == "Clear ── 5000 marked tasks"
    assert many.ask(BY_ID["clear"], SCENE, Target("run", marked=ROWS[:1])).title == "Clear ── 1 marked task"


def test_what_is_possible_with_none_of_the_marked_rows_is_not_offered() -> None:
    """One with which it is possible is enough; with none of many the reason says so."""
    retry, over = BY_ID["cancel"], Target("run", marked=ROWS[:3])
    assert not many.is_offered(retry, SCENE, over)
    assert "not possible with any of 3 marked rows" in (many.why_not(retry, SCENE, over) or "")
    live = replace(SCENE, snapshot=replace(SCENE.snapshot, run=trades("running")))
    assert many.is_offered(retry, live, over) and many.why_not(retry, live, over) is None


def test_a_dialog_names_its_run_in_the_zone_of_its_dag() -> None:
    """Also where the run itself is not in front, so that lists and dialogs give it the same date."""
    berlin = scene(dag("trades_us", recent=(RUN.mark,), timezone="Europe/Berlin"))
    target = Target("overview", "trades_us", RUN.mark.run_id)
    assert name_of(berlin, target) == f"trades_us {logical_words(RUN.mark.logical_date, 'Europe/Berlin')}"
    assert name_of(berlin, target) != name_of(SCENE, target)
