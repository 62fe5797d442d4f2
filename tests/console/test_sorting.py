"""Sorting: every table by each of its columns, from the menu, by stepping, from an address."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions.registry import SORTED
from console.actions.views import VIEWS
from console.model.audit import Audit, AuditCard
from console.model.backfills import BackfillCard, Backfills
from console.model.dags import DagStats
from console.model.limits import LimitsCard, PoolCard
from console.model.place import parse_address
from console.model.trash import Trash, TrashedCard
from console.view.columns import COMING, COMMANDS, DAGS, RUNS, TASKS
from console.view.overview import in_order
from console.view.sorting import Column, Order, chosen, named, stepped
from console.view.spans import plain
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import NOW, PLANS, Screen, attempt, console, dag, mark, run, scene, task, trades, world

RUN_ID = "trades_us@7"


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("name", "abcd"), ("-name", "cbad"), ("state", "cabd"), ("last", "bacd"), ("-last", "cabd"),
        ("duration", "cbad"), ("next", "bcad"), ("p50", "bacd"), ("ok", "bacd"),
    ],
)  # fmt: skip
def test_dags_are_sorted_by_what_was_chosen(by: str, names: str) -> None:
    """Failed first, newest first, longest first, soonest first; what is paused stays below, what is unknown last."""
    a = mark(1, "a")._replace(started_at=NOW - 2 * HOUR, ended_at=NOW - 2 * HOUR + SECOND)
    b = mark(2, "b")._replace(started_at=NOW - HOUR, ended_at=NOW - HOUR + 5 * SECOND)
    c = mark(3, "c", "failed")._replace(started_at=NOW - 3 * HOUR, ended_at=NOW - 3 * HOUR + 9 * SECOND)
    found = scene(
        dag("a", recent=(a,), next_run_after=NOW + 3 * HOUR, stats=DagStats(SECOND, SECOND, 40, 9, 1)),
        dag("b", recent=(b,), next_run_after=NOW + SECOND, stats=DagStats(2 * SECOND, SECOND, 40, 1, 9)),
        dag("c", recent=(c,), next_run_after=NOW + HOUR), dag("d", paused_at=NOW),
    )  # fmt: skip
    assert "".join(card.dag_id for card in in_order(found.snapshot, named(DAGS, by), NOW)) == names


def test_the_title_of_the_sorted_column_has_a_sign_and_nothing_else_moves() -> None:
    """The sign takes a blank cell beside the title, on the left where the title is at its right edge."""
    titles = ((" name    time type", "dim"), ("     p50", "dim"))
    time, p50 = (next(column for column in TASKS if column.name == name) for name in ("time", "p50"))
    assert plain(Order(time).titled(titles)) == " name    time▾type     p50"
    assert plain(Order(p50, True).titled(titles)) == " name    time type    ▴p50"
    assert Order(named(RUNS, "-date").column).titled(titles) == titles  # type: ignore[union-attr]


@pytest.mark.parametrize("columns", [COMMANDS, COMING], ids=["audit", "upcoming"])
def test_moments_have_one_name_in_the_menu_and_over_their_column(columns: tuple[Column[Any], ...]) -> None:
    """Who chose a column in the menu finds it in the table by the same word."""
    assert columns[0].words == columns[0].heading == "when"


def test_the_menu_turns_round_what_is_chosen_twice_and_stepping_goes_round() -> None:
    """The first column in its usual order is the table's own, which needs no sign."""
    assert chosen(RUNS, None, "date") == Order(RUNS[0], True)
    assert chosen(RUNS, Order(RUNS[0], True), "date") is None
    assert stepped(RUNS, None, -1) == Order(RUNS[-1]) and stepped(RUNS, Order(RUNS[-1]), 1) is None
    with pytest.raises(ValueError, match="sorted by date, state, time, started, type, and not by 'size'"):
        named(RUNS, "size")


async def test_s_asks_for_the_order_and_the_rule_says_it() -> None:
    """`s` opens the columns; Enter takes one, and the rows stand in it; the same again turns them round."""
    backend = world()
    backend.put_dag(dag("alpha", next_run_after=NOW + HOUR))
    backend.put_dag(dag("beta", next_run_after=NOW + SECOND))
    async with console(backend) as screen:
        await screen.press("s", *"jjjj", "enter")
        assert "by next run, soonest first" in screen.lines()[1]
        assert screen.text.index("beta") < screen.text.index("alpha")
        await screen.press("s", *"jjjj")
        assert "• next run" in screen.text and "latest first" in screen.text
        await screen.press("enter")
        assert screen.text.index("alpha") < screen.text.index("beta") and "next▴" in screen.text


def _runs() -> list[tuple[int, str, int]]:
    return [(number, state, took) for number, state, took in ((7, "success", 9), (8, "failed", 30), (9, "success", 20))]


async def test_runs_of_a_dag_are_sorted_and_the_cursor_stays_on_its_run() -> None:
    """`>` steps the column; what is under the cursor does not change; `e` goes in the order that is seen."""
    marks = [
        mark(number, "trades_us", state, NOW - (10 - number) * HOUR)._replace(
            started_at=NOW - HOUR, ended_at=NOW - HOUR + took * SECOND
        )
        for number, state, took in _runs()
    ]
    backend = world(*(run(each, PLANS, ()) for each in marks))
    async with console(backend, (120, 30)) as screen:
        await screen.press(":", *"runs trades_us", "enter", "G")
        before = screen.app.stage.front.target(screen.app.scene())
        await screen.press(">", ">")
        assert "by time, longest first" in screen.lines()[2] and "time▾" in screen.text
        assert screen.app.stage.front.target(screen.app.scene()) == before
        listed = screen.app.stage.front.listed
        assert listed is not None
        assert [key[1] for key in listed.shown_keys] == [f"trades_us@{number}" for number in (8, 9, 7)]  # type: ignore[index]
        await screen.press("e")
        assert screen.app.stage.front.target(screen.app.scene()).run_id == "trades_us@8"
        backend.put_run(run(marks[0]._replace(ended_at=NOW), PLANS, ()))
        await screen.settle()
        assert next(iter(listed.shown_keys)) == ("run", "trades_us@7"), "a commit puts it where it belongs now"


async def test_a_sorted_run_has_no_rail_and_its_own_order_is_the_graph() -> None:
    """`<` and `>` sort the table, and mean hops while the boxes are shown."""
    detail = trades("failed")
    tasks = (*detail.tasks[:4], detail.tasks[4]._replace(attempts=(attempt(1, "failed", MINUTE),)), detail.tasks[5])
    async with console(world(run(detail.mark, PLANS, tasks)), (120, 30)) as screen:
        await screen.press("j", "enter")
        assert "├" in screen.text or "│" in screen.text
        await screen.press(">", ">", ">", ">")
        assert "by time, longest first" in screen.lines()[2]
        names = _names(screen)
        assert names[0] == "load" and names[-1] == "report", "what has not run has no time"
        assert not set("├┤╮╯│╰╭┼") & set("\n".join(screen.lines()[4:10]))
        await screen.press("e")
        assert screen.app.stage.front.target(screen.app.scene()).task_id in ("load", "report")
        hops = screen.app.stage.run_pane.boxes.hops
        await screen.press("3", ">")
        assert screen.app.stage.run_pane.boxes.hops == hops + 1 and "by time" in screen.lines()[2]
        await screen.press("3", "<", "<", "<", "<")
        assert _names(screen)[0] == "extract" and "by " not in screen.lines()[2]


def _names(screen: Screen) -> list[str]:
    listed = screen.app.stage.front.listed
    assert listed is not None
    return [key[1] for key in listed.shown_keys if isinstance(key, tuple)]


async def test_a_folded_task_is_sorted_by_the_state_that_says_most() -> None:
    """The row of a mapped task of which one index failed comes first, and its indexes each by itself once unfolded."""
    detail = trades("success")
    indexes = tuple(task(80 + at, "load", state, map_index=at) for at, state in enumerate(("success", "failed")))
    summary = detail.tasks[4]._replace(reason="expanded", attempts=())
    tasks = (*detail.tasks[:4], summary, *indexes, detail.tasks[5])
    backend = world(run(detail.mark, PLANS, tasks))
    async with console(backend, (120, 30)) as screen:
        await screen.press("j", "enter", ":", *"sort state", "enter")
        assert _names(screen)[0] == "load"
        await screen.press("g", "space")
        listed = screen.app.stage.front.listed
        assert listed is not None and next(iter(listed.shown_keys)) in (("task", "load", 1), ("task", "load", -1))


async def test_an_order_is_part_of_the_history_and_of_addresses() -> None:
    """`[` comes back to the order that was left; an address names it; a name that is none is refused in words."""
    async with console(world(trades("failed")), (120, 30)) as screen:
        await screen.press("j", "enter", ":", *"sort -time", "enter")
        assert screen.app.here().address.endswith("/load?sort=-time")
        await screen.press("1", ":", *"sort p50", "enter", "[")
        assert screen.app.place.view == "run" and "by time, shortest first" in screen.lines()[2]
        await screen.press("]")
        assert "by median" in screen.lines()[1]
        await screen.press(":", *f"open run/{RUN_ID}?sort=state", "enter")
        await screen.shows("by state, failed first")
        await screen.press(":", *"sort colour", "enter")
        assert "rows here are sorted by graph, task" in screen.text and "not by 'colour'" in screen.text
    assert parse_address(f"run/{RUN_ID}?sort=-time").sort == "-time" and parse_address("overview").sort is None


def _cards() -> dict[str, object]:
    command = AuditCard(1, "c1", NOW, "zoe", "cli", "clear", "done", "cleared", None, "trades_us", None, None)
    fill = BackfillCard(
        1, "b", "running", NOW - 9 * SECOND, NOW, "oldest", 4, "none", NOW, "ada", 9, None, None, 6, 2, 0, 1
    )
    gone = TrashedCard("z@3", "z", "success", NOW, "zoe", None, False)
    return {
        "audit": Audit((command, command._replace(number=2, user="ada"))),
        "backfills": Backfills((fill, _other(fill))),
        "trash": Trash((gone, gone._replace(run_id="a@1", who="ada"))),
        "limits": LimitsCard((PoolCard("big", 10, 1, 0, None, ()), PoolCard("full", 2, 2, 3, None, ()))),
    }


def _other(card: BackfillCard) -> BackfillCard:
    from dataclasses import replace

    return replace(card, id=2, dag_id="a")


@pytest.mark.parametrize(
    ("key", "view", "by", "first"),
    [
        ("@", "audit", "who", ("command", 2)),
        ("8", "backfills", "dag", ("backfill", 2)),
        ("delete", "trash", "by", ("run", "a@1")),
        ("6", "limits", "taken", ("pool", "full")),
        ("I", "inbox", "dag", None),
        ("U", "upcoming", "-at", None),
    ],
)
async def test_every_table_is_sorted(key: str, view: str, by: str, first: tuple[str, object] | None) -> None:
    """`:sort COLUMN` sorts audit, backfills, trash, pools, inbox and upcoming; the rule and the title say so."""
    backend = world(trades("failed"), run(mark(1, "alpha", "failed"), PLANS, (task(1, "extract", "failed"),)))
    for name, card in _cards().items():
        backend.pages[name] = lambda args, card=card: card
    async with console(backend, (120, 30)) as screen:
        await screen.press(key)
        assert screen.app.place.view == view
        listed = screen.app.stage.front.listed
        assert listed is not None
        usual, cursor = listed.shown_keys, listed.cursor_key
        await screen.press(":", *f"sort {by}", "enter")
        assert "   " in screen.lines()[2] and f"by {screen.app.stage.front.sorting.column.words}" in screen.lines()[2]  # type: ignore[union-attr]
        assert sorted(map(str, listed.shown_keys)) == sorted(map(str, usual)) and listed.shown_keys != usual
        assert listed.cursor_key == cursor, "the cursor stays on its row"
        if first is not None:
            assert listed.shown_keys[0] == first
        await screen.press(":", *"sort", "enter")
        assert "Sort by" in screen.text


@pytest.mark.parametrize("view", VIEWS)
async def test_the_keys_are_there_where_something_can_be_sorted(view: str) -> None:
    """The registry and the panes agree."""
    async with console(world(trades())) as screen:
        assert bool(screen.app.stage.pane(view).columns()) is (view in SORTED)
