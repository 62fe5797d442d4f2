"""The calendar of a DAG: its dates, a range of them, and its plan before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.backends.pages import Pages
from console.backends.specs import Specs
from console.model.asks import PreviewCard, Receipt, Refused, Selection
from console.model.backfills import GapCard
from console.model.calendar import Calendar, DateCell, months
from console.model.snapshot import Page
from console.view.calendar import CalendarRows, Chosen, about, heads, panel, row_starts
from console.view.spans import plain, width_of
from console.widgets.dialog import Dialog
from engine.model.dag import ScheduleSpec
from engine.model.moments import DAY, HOUR, from_iso, to_iso
from engine.model.states import RunType
from engine.store.batch import Batch
from engine.store.reader import Reader
from tests.support.console import LOGICAL, NOW, Screen, console, trades, world
from tests.support.console_store import FilledHome
from tests.support.console_store import trades as trades_spec

TODAY = LOGICAL - LOGICAL % DAY


def daily(gap_days: int = 3) -> Calendar:
    """A year of a daily DAG: it began on 1 October, failed on the 10th, and missed three days of November."""
    first, until = months(NOW, "UTC", 0)
    dates = {cell: (cell - first + 1) * DAY + from_iso("2025-11-01") for cell in range(first, until)}
    begin = from_iso("2026-10-01")
    gap = GapCard("trades_us", from_iso("2026-11-03"), from_iso("2026-11-03") + gap_days * DAY, gap_days, "missed")
    blank = Calendar("trades_us", "UTC", "day", first, until, {}, dates, (gap,))
    cells = {}
    for day in range((TODAY - begin) // DAY):
        moment = begin + day * DAY
        if not gap.first <= moment < gap.until:
            state = "failed" if day == 9 else "success"
            cells[blank.at(moment)] = DateCell(state, 1, int(state == "failed"), "trades_us@7", 8_000_000)
    return Calendar("trades_us", "UTC", "day", first, until, cells, dates, (gap,))


class Planner:
    """What is asked of the engine: previews and commands of backfills."""

    def __init__(self, refusal: str = "") -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.done: list[Mapping[str, Any]] = []
        self._refusal = refusal

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """A plan that names what was asked for."""
        assert verb == "backfill_create" and selection.dag_ids == ("trades_us",)
        self.asked.append(args)
        if self._refusal:
            raise Refused("state", self._refusal)
        sentence = f"{args['order']} first, {args['reprocess']} again, {args.get('max_active')} at a time"
        return PreviewCard(f"p{len(self.asked)}", 1, verb, sentence, 3)

    async def command(self, verb: str, selection: Selection, args: Mapping[str, Any], **more: Any) -> Receipt:
        """Notes it."""
        self.done.append(args)
        return Receipt(1, "backfill 5")


def planned(monkeypatch: pytest.MonkeyPatch, planner: Planner, page: Calendar | None = None) -> Any:
    """A world whose engine plans backfills."""
    backend = world(trades("failed"))
    backend.verbs = backend.verbs | {"backfill_create"}
    found = page or daily()
    backend.pages["calendar"] = lambda args: found
    monkeypatch.setattr(backend, "preview", planner.preview)
    monkeypatch.setattr(backend, "command", planner.command)
    return backend


async def opened(screen: Screen) -> None:
    """The calendar of the DAG."""
    await screen.press("j", "9")
    assert screen.app.place.view == "calendar"


async def test_a_range_is_selected_and_its_plan_seen_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shift and arrows select; below stands what the engine would do; Enter shows it whole, and asks."""
    planner = Planner()
    async with console(planned(monkeypatch, planner), (120, 36)) as screen:
        await opened(screen)
        assert "Sat 21 Nov 2026" in screen.lines()[2], "the newest date that is due"
        await screen.press("shift+left", "shift+left", "shift+up")
        await screen.shows("oldest first, none again, None at a time")
        assert "19 Oct – 21 Nov 2026  34 days" in screen.text
        assert not planner.done
        await screen.press(",", ".")
        await screen.shows("newest first, failed again, None at a time")
        await screen.press(";", "4", "enter")
        await screen.shows("newest first, failed again, 4 at a time")
        await screen.press("enter")
        assert isinstance(screen.app.screen, Dialog)
        assert planner.asked[-1] == {
            "start": "2026-10-19T00:00:00Z..2026-11-21T23:59:59.999999Z", "max_active": 4, "order": "newest",
            "reprocess": "failed",
        }  # fmt: skip
        await screen.until(lambda: "(•) newest first" in screen.text, "the dialog has what was chosen")
        await screen.press("escape")
        await screen.press("escape")
        assert screen.app.place.view == "calendar" and "selected" not in screen.text
        await screen.press("escape")
        assert screen.app.place.view == "overview"


def test_a_gap_that_was_meant_and_the_legend_are_quiet() -> None:
    """A year without faults has no cell in the colours of trouble; what was missed has."""
    page = daily()
    choices: tuple[str, str, int | None] = ("oldest", "none", None)
    cases: tuple[tuple[str, set[str]], ...] = (("catchup", set()), ("missed", {"warn"}))
    for why, loud in cases:
        gap = replace(page.gaps[0], why=why)
        shown = replace(page, gaps=(gap,), cells={})
        now, due = shown.at(NOW), shown.due(NOW)
        at = Chosen(shown.at(gap.first), None, now, due)
        rows = CalendarRows(shown, at)
        spans = [span for row in range(len(rows)) for span in rows.row(row, 119)]
        spans += [*about(shown, at), *(span for line in panel(shown, at, "", choices, 119) for span in line)]
        spans += panel(shown, at._replace(anchor=now), "", choices, 119)[0]
        assert {token.split()[0] for text, token in spans if text.strip()} & {"warn", "bad"} == loud, why


async def test_the_cursor_stands_on_dates_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days without a date are passed over, also while selecting; before the first date and after the last it stays."""
    first, until = months(NOW, "UTC", 0)
    days = ("2026-06-29", "2026-08-05", "2026-08-12", "2026-11-04", "2026-11-18")
    dates = {from_iso(day) // DAY + 719_163: from_iso(day) + DAY for day in days}
    page = Calendar("trades_us", "UTC", "day", first, until, {}, dates)
    async with console(planned(monkeypatch, Planner(), page), (120, 36)) as screen:
        await opened(screen)

        async def at(key: str, day: str) -> None:
            await screen.press(key)
            assert f" {day} 2026" in screen.lines()[2], (key, day, screen.lines()[2])

        for key, day in (("l", "18 Nov"), ("h", "4 Nov"), ("k", "5 Aug"), ("l", "12 Aug"), ("k", "29 Jun")):
            await at(key, day)
        for key, day in (("k", "29 Jun"), ("h", "29 Jun"), ("j", "12 Aug"), ("g", "29 Jun"), ("G", "18 Nov")):
            await at(key, day)
        await screen.press("shift+left", "shift+up")
        assert "5 Aug – 18 Nov 2026" in screen.text
        await screen.press("shift+up", "shift+up", "shift+left")
        assert "29 Jun – 18 Nov 2026" in screen.text


async def test_a_movement_after_v_selects_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """`V` is for terminals whose shifted arrows do not arrive; a refusal stands where the plan would."""
    planner = Planner("backfill 3 has some of these dates")
    async with console(planned(monkeypatch, planner), (80, 24)) as screen:
        await opened(screen)
        await screen.press("V", "k", "h")
        await screen.shows("backfill 3 has some of these dates")
        assert "20 Oct – 21 Nov 2026" in screen.text
        await screen.press("V", "j")
        assert "selected" not in screen.text
        assert all(len(line) <= 80 for line in screen.lines())


async def test_one_key_goes_to_a_gap_and_one_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`n` selects the gap; `b` on it asks for a backfill of exactly its dates, also where nothing is selected."""
    planner = Planner()
    async with console(planned(monkeypatch, planner), (120, 36)) as screen:
        await opened(screen)
        await screen.press("n")
        assert "3 Nov – 5 Nov 2026  3 days" in screen.text
        await screen.press("escape")
        assert "left out: missed while no engine ran" in screen.text and "b fills this gap: 3 runs" in screen.text
        await screen.press("b")
        assert isinstance(screen.app.screen, Dialog)
        gap = daily().gaps[0]
        assert planner.asked[-1]["start"] == f"{to_iso(gap.first)}..{to_iso(gap.until - 1)}"


async def test_a_date_opens_its_run_and_failures_are_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter on a date is its run, and coming back finds the cursor there; `e` goes to the failed ones."""
    async with console(planned(monkeypatch, Planner()), (120, 36)) as screen:
        await opened(screen)
        await screen.press("e")
        assert "Sat 10 Oct 2026  ✘ failed" in screen.lines()[2]
        await screen.press("enter")
        assert (screen.app.place.view, screen.app.place.run_id) == ("run", "trades_us@7")
        await screen.press("escape")
        assert "Sat 10 Oct 2026" in screen.lines()[2]
        await screen.press("<")
        assert screen.app.stage.front.interest().page == Page("calendar", ("trades_us", 1))


async def test_without_an_engine_or_a_schedule_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a backfill would do is not made up; a DAG without a schedule has no dates."""
    planner = Planner()
    backend = planned(monkeypatch, planner)
    async with console(backend, (80, 24)) as screen:
        await opened(screen)
        backend.engine_down()
        await screen.settle()
        await screen.press("shift+left")
        await screen.shows("the engine is down: what a backfill would do is not known")
        assert not planner.asked
        backend.pages["calendar"] = lambda args: Calendar("trades_us")
        backend.commit()
        await screen.shows("this DAG has no schedule, and so no dates")


@pytest.mark.parametrize("width", [60, 79, 119])
def test_dates_stay_in_their_columns(width: int) -> None:
    """Whatever is selected, a day of the month is in one column, and no row is wider than the view."""
    page = daily()
    now, due = page.at(NOW), page.due(NOW)
    quiet = CalendarRows(page, Chosen(now, None, now, due))
    chosen = CalendarRows(page, Chosen(now - 3, now - 50, now, due), quiet)
    for rows in (quiet, chosen):
        lines = [plain(rows.row(at, width)) for at in range(len(rows))]
        assert all(len(line) <= width for line in lines)
        assert [line[12:14].strip("[ ]") for line in lines[-2:]] == ["✓", "✓"]
    assert [quiet.row(at, width) is chosen.row(at, width) for at in range(3)] == [True, True, True]
    assert width_of(heads(page, width)) <= width
    assert len(row_starts(page, now)) == 13
    lines = panel(page, Chosen(now - 3, now - 50, now, due), "no plan", ("oldest", "none", None), width)
    assert all(width_of(line) <= width for line in lines)


def test_a_short_day_and_a_date_to_come_are_told() -> None:
    """A day of 23 hours says so; today's date, whose interval is not over, is neither a gap nor never run."""
    first, until = months(NOW, "Europe/Berlin", 0)
    page = Calendar("d", "Europe/Berlin", "day", first, until, {}, {until - 1: NOW + HOUR})
    spring = page.at(from_iso("2026-03-29T12:00:00Z"))
    assert "of 23 h" in plain(about(page, Chosen(spring, None, until - 1, -1)))
    assert "not due yet" in plain(about(page, Chosen(until - 1, None, until - 1, page.due(NOW))))
    assert page.state(until - 1, page.due(NOW)) is None


async def test_the_page_is_read_from_the_store(tmp_path: Path) -> None:
    """Runs stand at their dates, hours where a schedule has many on a day, and what never ran is told from a gap."""
    filled = FilledHome(tmp_path / "home")
    filled.now = NOW - 3 * HOUR
    await filled.open()
    await filled.put_dag(trades_spec())
    await filled.play(await filled.start("trades_us", LOGICAL - 3 * HOUR))
    await filled.start("trades_us", LOGICAL - 2 * HOUR, RunType.BACKFILL)
    batch = Batch()
    batch.add(
        "gap.put", dag_id="trades_us", first=LOGICAL - 9 * HOUR, until=LOGICAL - 6 * HOUR, count=3, why="missed", at=NOW
    )
    await filled.commit(batch)
    await filled.close()
    reader = Reader(filled.home.database)
    try:
        pages = Pages(reader, Specs(reader), lambda: NOW)
        found = pages.refresh(Page("calendar", ("trades_us", 0)), None)
        nothing = pages.refresh(Page("calendar", ("nosuch", 0)), None)
    finally:
        reader.close()
    assert isinstance(found, Calendar) and isinstance(nothing, Calendar)
    assert nothing.cells is None and found.unit == "hour"
    newest, due = found.at(LOGICAL), found.due(NOW)
    assert [found.state(newest - back, due) for back in (0, 1, 2, 3, 4, 6, 7, 9, 10)] == [
        "none", "none", "running", "success", "none", "none", "gap", "gap", "none",
    ]  # fmt: skip


async def test_of_an_hour_that_has_begun_nothing_is_late_before_its_first_date_is_due(tmp_path: Path) -> None:
    """Also where there are too many dates to know each: a run every five minutes is due when its interval has ended."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    spec = trades_spec()
    spec.schedule = ScheduleSpec("*/5 * * * *", start_date="2015-03-10T00:00:00+00:00")
    await filled.put_dag(spec)
    await filled.close()
    reader = Reader(filled.home.database)
    hour = NOW - NOW % HOUR
    try:
        for minute, state in ((1, None), (6, "none")):
            now = hour + minute * HOUR // 60
            pages = Pages(reader, Specs(reader), lambda now=now: now)
            found = pages.refresh(Page("calendar", ("trades_us", 0)), None)
            assert isinstance(found, Calendar) and found.unit == "hour"
            assert found.state(found.at(now), found.due(now)) == state
            assert found.state(found.at(now) - 1, found.due(now)) == "none"
    finally:
        reader.close()


async def test_a_schedule_that_is_over_opens_at_its_last_date(tmp_path: Path) -> None:
    """Its year is the one of its last date, and neither before its start nor after its end was anything left to run."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    spec = trades_spec()
    spec.schedule = ScheduleSpec("@daily", start_date="2015-03-10T00:00:00+00:00", end_date="2015-06-20T00:00:00+00:00")
    await filled.put_dag(spec)
    await filled.close()
    reader = Reader(filled.home.database)
    try:
        found = Pages(reader, Specs(reader), lambda: NOW).refresh(Page("calendar", ("trades_us", 0)), None)
    finally:
        reader.close()
    assert isinstance(found, Calendar)
    first, last = found.at(from_iso("2015-03-10T12:00:00Z")), found.at(from_iso("2015-06-20T12:00:00Z"))
    assert found.first < first and found.until == found.at(from_iso("2015-07-01T12:00:00Z"))
    assert found.due(NOW) == last
    assert [found.state(cell, found.due(NOW)) for cell in (first - 1, first, last, last + 1)] == [
        None, "none", "none", None,
    ]  # fmt: skip


async def test_the_cursor_begins_at_the_last_run_where_the_schedule_has_no_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A year in which only runs stand opens at the newest of them."""
    first, until = months(from_iso("2015-06-20"), "UTC", 0)
    last = until - 11
    page = Calendar("trades_us", "UTC", "day", first, until, {last: DateCell("success", 1, 0, "trades_us@7", 8)})
    async with console(planned(monkeypatch, Planner(), page), (120, 36)) as screen:
        await opened(screen)
        assert "Sat 20 Jun 2015" in screen.lines()[2]


def test_a_gap_ends_where_the_next_run_begins() -> None:
    """The date whose interval begins when a gap ends, in the middle of a day, was not left out: it is still to come."""
    page = daily()
    half = 2 * HOUR + HOUR // 2
    dates = {cell: due + half for cell, due in page.dates.items()}
    gap = GapCard("trades_us", from_iso("2026-11-03") + half, TODAY + half, 18, "enabled")
    later = Calendar("trades_us", "UTC", "day", page.first, page.until, {}, dates, (gap,))
    assert later.state(later.at(TODAY - DAY), later.at(TODAY - DAY)) == "gap"
    assert later.state(later.at(TODAY), later.at(TODAY - DAY)) is None
