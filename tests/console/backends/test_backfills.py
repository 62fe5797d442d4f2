"""Backfills as consoles read them: on a store that the engine's own statements filled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.backends.picture import Picture
from console.model.backfills import Backfills, GapCard
from console.model.dags import ParamCard
from console.model.home import HomeCard
from console.model.runs import TriggerForm
from console.model.schedule_page import SchedulePage
from console.model.snapshot import Interest, Page
from console.screens.backfill_form import arguments, written
from console.view.backfills import rows, span_words
from console.view.schedule import rows as schedule_rows
from console.view.spans import plain
from engine.model.dag import DagSpec, TaskSpec
from engine.model.moments import DAY, HOUR, SECOND, from_iso
from engine.store.batch import Batch
from engine.store.reader import Reader
from engine.timetable import read_range
from tests.support.console import dag, scene
from tests.support.console_store import NOW, FilledHome, trades

START = from_iso("2026-11-01")


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[FilledHome]:
    """A home with one DAG, a backfill of ten dates, and a gap."""
    home = FilledHome(tmp_path / "home")
    await home.open()
    await home.put_dag(trades())
    batch = Batch()
    batch.add(
        "backfill.put", id=1, dag_id="trades_us", state="running", start=START, stop=START + 10 * DAY - 1,
        sort="oldest", max_active=2, reprocess="none", created_at=NOW, created_by="ada", total=10,
        params="{}", tasks=json.dumps([]),
        downstream=0, max_slots=None, not_during=None, stop_after=None, failures=1, waits_for=None, note=None,
        ended_at=None,
    )  # fmt: skip
    states = ["success"] * 4 + ["failed"] + ["running"] * 2 + ["pending"] * 3
    for number, state in enumerate(states):
        date = START + number * DAY
        batch.add(
            "backfill_item.put", backfill=1, ordinal=number, logical_date=date, interval_end=date + DAY, state=state,
            reason="create", run=None,
        )  # fmt: skip
    batch.add(
        "gap.put", dag_id="trades_us", first=START - 9 * DAY, until=START - 6 * DAY, count=3, why="missed", at=NOW
    )
    await home.commit(batch)
    yield home
    await home.close()


async def test_the_page_counts_dates_and_names_gaps(filled: FilledHome) -> None:
    """Each backfill comes with the states of its dates, and each gap with what is left of it."""
    picture = Picture(Reader(filled.home.database), HomeCard("etl-01", "/srv/etl"), lambda: NOW)
    found = picture.refresh(Interest(page=Page("backfills"))).paged
    assert isinstance(found, Backfills)
    (card,) = found.cards
    assert (card.pending, card.running, card.success, card.failed, card.left) == (3, 2, 4, 1, 5)
    assert found.gaps == (GapCard("trades_us", START - 9 * DAY, START - 6 * DAY, 3, "missed"),)
    lines = [plain(line) for _, line in rows(scene(dag("trades_us")), found, 140)]
    assert lines[1].split()[:8] == ["1", "trades_us", "1", "Nov", "–", "10", "Nov", "2026"]
    assert lines[1].split()[8:] == ["█" * 11 + "░" * 13, "5/10", "1", "running", "5", "left"]
    assert "23 Oct – 25 Oct 2026" in lines[-1]
    assert "3 runs" in lines[-1]


def test_what_is_left_is_told_as_a_range() -> None:
    """The time left is the rounds that are left, each as long as a run takes."""
    assert span_words(START, from_iso("2027-01-31T23:59:59.999999"), "UTC") == "1 Nov 2026 – 31 Jan 2027"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2026-01-31T23:00Z", "2026-02-28T22:59:59.999999Z", "2026-02-01..2026-02-28"),
        ("2026-01-01T05:00Z", "2026-11-22T04:59:59.999999Z", "2026-01-01T06:00..2026-11-22T05:59:59"),
        ("2026-10-25T00:30Z", "2026-10-25T01:29:59.999999Z", "2026-10-25T02:30..2026-10-25T01:29:59Z"),
    ],
)
def test_the_dates_of_a_gap_stand_in_the_form(first: str, last: str, text: str) -> None:
    """As they would be typed in the DAG's zone, and so that they are read back as they were."""
    span = from_iso(first), from_iso(last)
    assert written(span, "Europe/Berlin") == text
    begin, end = read_range(text, None, "Europe/Berlin", span[1])
    assert (begin, end // SECOND) == (span[0], span[1] // SECOND)


def test_the_form_asks_for_what_was_typed() -> None:
    """Empty fields are left to the engine; numbers have to be numbers, and tasks bring what is below them."""
    form = TriggerForm("trades_us", "UTC", (ParamCard("rows", 3), ParamCard("env", "prod")))
    typed = {
        "which dates": " -90d..yesterday ",
        "runs at a time": "4",
        "max slots": "2",
        "only tasks": "load report",
        "not during": "",
        "stop after": "",
        "rows": "3",
        "env": "dev",
    }
    assert arguments(form, typed) == {
        "start": "-90d..yesterday",
        "max_active": 4,
        "max_slots": 2,
        "tasks": ["load", "report"],
        "downstream": True,
        "param_texts": {"env": "dev"},
    }
    with pytest.raises(ValueError, match="runs at a time is a number"):
        arguments(form, {"which dates": "yesterday", "runs at a time": "many"})


async def test_a_schedule_is_said_in_words_with_its_next_runs(filled: FilledHome) -> None:
    """The page names the meaning, ten runs with their intervals, the policies and the gaps of the DAG."""
    picture = Picture(Reader(filled.home.database), HomeCard("etl-01", "/srv/etl"), lambda: NOW)
    page = picture.refresh(Interest(page=Page("schedule", ("trades_us",)))).paged
    assert isinstance(page, SchedulePage)
    assert page.words.startswith("every hour at minute 10, UTC")
    assert [(run.end - run.start, run.due - run.end) for run in page.runs] == [(HOUR, 0)] * 10
    assert page.runs[0].due > NOW >= page.runs[0].start
    lines = [plain(line) for _, line in schedule_rows(scene(dag("trades_us")), page, 120)]
    assert "Sun 2026-11-22 03:10       55m  02:10–03:10" in lines[4]
    assert any("catchup none; missed runs are all made" in line for line in lines)
    assert "missed while no engine ran" in lines[-1]
    over = replace(page, first=from_iso("2026-01-01"), last=from_iso("2026-03-31T06:00"), runs=())
    lines = [plain(line) for _, line in schedule_rows(scene(dag("trades_us")), over, 120)]
    assert lines[1] == " from 2026-01-01 to 2026-03-31 06:00"
    assert " no run comes any more: the end date has passed" in lines


async def test_a_dag_without_a_schedule_says_so(filled: FilledHome) -> None:
    """There is nothing to explain, and the view says what can be done instead."""
    await filled.put_dag(DagSpec("by_hand", "hand.py", [TaskSpec("a", "shell", command="true")]))
    picture = Picture(Reader(filled.home.database), HomeCard("etl-01", "/srv/etl"), lambda: NOW)
    page = picture.refresh(Interest(page=Page("schedule", ("by_hand",)))).paged
    assert page == SchedulePage("by_hand")
    assert "no schedule" in plain(schedule_rows(scene(), page, 80)[0][1])
