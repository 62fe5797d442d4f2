"""Parts of a view, whole names, the whole screen for a list, matches; and that every digit works everywhere."""

from __future__ import annotations

import pytest

from console.actions.views import VIEWS
from console.keymap import Keymap
from console.model.audit import Audit, AuditCard
from console.model.limits import BreakerCard, LimitsCard
from console.model.link import Gauges
from engine.model.host import HostFigures
from tests.support.console import NOW, PLANS, attempt, console, link, mark, run, task, trades, world


async def test_tab_goes_to_the_tries_of_a_task_and_back() -> None:
    """The lower part grows and has a cursor; Enter opens the log of that try, Esc comes back to the tasks."""
    detail = trades("failed")
    tries = tuple(attempt(number, "failed", error=f"error {number}") for number in (1, 2, 3))
    load = task(75, "load", "failed", attempts=tries, attempt=3)
    backend = world(run(detail.mark, PLANS, (*detail.tasks[:4], load, detail.tasks[5])))
    async with console(backend, (120, 30)) as screen:
        await screen.press("j", "enter")
        assert screen.app.place.view == "run"
        await screen.press("tab", "k")
        target = screen.app.stage.front.target(screen.app.scene())
        assert (target.task_id, target.attempt) == ("load", 2)
        await screen.press("escape")
        target = screen.app.stage.front.target(screen.app.scene())
        assert (screen.app.place.view, target.task_id, target.attempt) == ("run", "load", None)
        await screen.press("shift+tab", "enter")
        assert (screen.app.place.view, screen.app.place.attempt) == ("log", 3)


async def test_the_lower_part_grows_and_gives_way_to_a_full_screen() -> None:
    """`+` and `_` change its lines, `f` takes it away, and again brings it back."""
    async with console(world(trades("failed")), (120, 30)) as screen:
        await screen.press("j", "enter")
        pane = screen.app.stage.run_pane
        height = pane.attempts.size.height
        await screen.press("+", "+")
        assert pane.attempts.size.height == height + 2
        await screen.press("_")
        assert pane.attempts.size.height == height + 1
        tasks = pane.list.size.height
        await screen.press("f")
        assert pane.list.size.height > tasks + height and screen.lines()[0].strip()
        await screen.press("f")
        assert pane.list.size.height == tasks


async def test_names_are_shown_whole_when_asked_for() -> None:
    """`W` gives a long name its column, at the cost of figures, and takes it back."""
    name = "a_dag_with_a_name_that_is_longer_than_its_column"
    async with console(world(run(mark(1, name), PLANS, ())), (100, 24)) as screen:
        assert name not in screen.text
        await screen.press("W")
        assert name in screen.text and all(len(line) <= 100 for line in screen.lines())
        await screen.press("W")
        assert name not in screen.text


async def test_matches_and_what_does_not_match() -> None:
    """`!` asks for what rows are not to have; `n` and `N` go round among the rows that are left."""
    backend = world(*(run(mark(number, f"dag_{number}"), PLANS, ()) for number in range(1, 5)))
    async with console(backend, (100, 24)) as screen:
        await screen.press("n")
        assert "nothing is looked for" in screen.text
        await screen.press("!", *"dag_3", "enter")
        assert "dag_3" not in "\n".join(screen.lines()[3:-2])
        await screen.press("n", "n", "n")
        assert screen.app.stage.front.target(screen.app.scene()).dag_id == "dag_1"
        await screen.press("N")
        assert screen.app.stage.front.target(screen.app.scene()).dag_id == "dag_4"
        await screen.press("escape", ">")
        assert "by state" in screen.lines()[1]
        await screen.press("<")
        assert "by state" not in screen.lines()[1]


async def test_a_acknowledges_a_cause_of_failures_from_where_it_stands() -> None:
    """On the overview `a` on a cause says that somebody sees to it; there is a dialog, and nothing happens at once."""
    backend = world(trades("failed"))
    backend.verbs = backend.verbs | {"claim"}
    async with console(backend, (120, 30)) as screen:
        assert "on it" in screen.lines()[-1]
        await screen.press("a")
        await screen.shows("On it ── ConnectionError")
        assert not backend.commands


async def test_why_and_details_answer_wherever_they_are_asked() -> None:
    """In a log they are about its task; on a figure of the host there is nothing to explain, and that is said."""
    backend = world(trades("failed"))
    backend.pages["limits"] = lambda args: LimitsCard()
    gauges = Gauges(NOW, 1, 16, 0, 1, 0, 0, attached=("ops1",), host=HostFigures(3.0, 2, 0.1, 1 << 40, 1 << 41))
    async with console(backend, (120, 36)) as screen:
        await screen.press("j", "L")
        assert screen.app.place.view == "log"
        await screen.press("i")
        await screen.shows("ConnectionError")
        assert screen.app.screen is not screen.app.stage
        await screen.press("escape", "d")
        assert screen.app.screen is not screen.app.stage
        backend.set_link(link(gauges=gauges))
        await screen.press("escape", "6")
        await screen.shows("of 2 cores")
        await screen.press("G", "i")
        await screen.shows("nothing is selected")


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_the_same_digit_leads_to_the_same_place_from_every_view(view: str) -> None:
    """1 overview, 2 grid, 3 boxes, 4 gantt, 6 pools and host, 7 audit; inbox, holds and full screen too."""
    keymap = Keymap()
    for key, name in {"1": "overview", "6": "limits", "7": "audit", "I": "inbox", "H": "hold", "f": "full"}.items():
        found = keymap.action(view, key)
        assert found is not None and found.id == name, (view, key)
    if view in VIEWS and VIEWS[view].groups:
        for key, names in {"2": ("grid", "grid.list"), "3": ("boxes",), "4": ("gantt",), "9": ("calendar",)}.items():
            found = keymap.action(view, key)
            assert found is not None and found.id in names, (view, key)


async def test_e_goes_to_what_failed_in_lists_of_other_things_too() -> None:
    """A refused command, an open breaker; where nothing failed the key says so, and the key line does not name it."""
    done = AuditCard(2, "c2", NOW, "ada", "cli", "clear", "done", "cleared", None, "trades_us", None, None)
    backend = world(trades("success"))
    backend.pages["audit"] = lambda args: Audit((done, done._replace(number=1, outcome="refused")))
    breaker = BreakerCard("api", "closed", 0, None, None, None, False, None, None, ())
    backend.pages["limits"] = lambda args: LimitsCard((), (breaker, breaker._replace(name="db-1", state="open")))
    async with console(backend, (120, 30)) as screen:
        await screen.press("@", "e")
        assert screen.app.stage.front.target(screen.app.scene()).attention == "command:1"
        await screen.press("z")
        assert "1 of 2 rows" in screen.lines()[2]
        await screen.press("6", "e")
        assert screen.app.stage.front.target(screen.app.scene()).attention == "breaker:db-1"
        await screen.press("/", *"api", "enter")
        assert "filter api   1 of " in screen.lines()[2]
        await screen.press("U", "e")
        assert "nothing has failed here" in screen.text and "e next failure" not in screen.lines()[-1]
