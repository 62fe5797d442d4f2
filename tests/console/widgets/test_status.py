"""One-line bars: both sides, cuts, rules, and repainting by cell."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from console.widgets.status import BarLine, rule
from tests.support.widgets import Stage, repaints


@pytest.mark.parametrize("width", [80, 160])
async def test_both_sides_stand_at_their_edges(width: int) -> None:
    """What is on the right ends at the right edge, and the fill stands between."""
    bar = BarLine((("etl-01", "accent"),), (("02:14:07", "text"),))
    app = Stage(bar)
    async with app.run_test(size=(width, 24)):
        line = app.text()[0]
        assert line == "etl-01" + " " * (width - 14) + "02:14:07"


async def test_only_changed_figures_are_repainted() -> None:
    """A clock's tick repaints its last digit alone, and an unchanged line nothing."""
    bar = BarLine((("etl-01", "accent"),), (("02:14:07", "text"),))
    async with Stage(bar).run_test(size=(80, 24)) as pilot:
        with repaints(bar) as seen:
            bar.show((("etl-01", "accent"),), (("02:14:08", "text"),))
            bar.show((("etl-01", "accent"),), (("02:14:08", "text"),))
        assert seen == [Region(79, 0, 1, 1)]
        await pilot.pause()
        assert pilot.app.text()[0].endswith("02:14:08")  # type: ignore[attr-defined]


async def test_where_both_do_not_fit_the_left_is_cut() -> None:
    """A long left side ends in an ellipsis and two blanks before the right side begins, also with wide characters."""
    bar = BarLine((("天気" * 40, "text"), ("lost", "text")), (("end", "text"),))
    app = Stage(bar)
    async with app.run_test(size=(80, 24)):
        strip = app.screen._compositor.render_strips()[0]
        assert strip.cell_length == 80
        assert strip.text.endswith("…  end") and "lost" not in strip.text


async def test_a_rule_carries_its_titles() -> None:
    """A rule is a line of one character in which titles stand."""
    bar = BarLine(*rule("load", "8 tasks"), fill="─", fill_token="rule")
    app = Stage(bar)
    async with app.run_test(size=(40, 24)) as pilot:
        assert app.text()[0] == "─ load " + "─" * 15 + " 8 tasks ─────────"
        await pilot.resize_terminal(60, 24)
        assert app.text()[0] == "─ load " + "─" * 35 + " 8 tasks ─────────"


async def test_what_is_shown_while_hidden_is_there_when_it_comes_back() -> None:
    """A line that gets other content while it is not displayed shows that content once it is displayed again."""
    bar = BarLine((("before", "text"),))
    async with Stage(bar).run_test(size=(80, 24)) as pilot:
        bar.display = False
        await pilot.pause()
        bar.show((("after", "text"),))
        bar.display = True
        await pilot.pause()
        assert pilot.app.text()[0] == "after"  # type: ignore[attr-defined]
