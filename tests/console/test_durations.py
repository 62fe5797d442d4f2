"""The durations of a DAG: percentiles, waiting, trends, slowest tasks."""

from __future__ import annotations

from pathlib import Path

from console.backends.pages import Pages
from console.backends.specs import Specs
from console.model.durations import Durations, Series, of_runs, slowest_first, task_series
from console.model.reliability import Failures, Incidents, PoolUse, Use
from console.model.snapshot import Page
from console.view.columns import SERIES
from console.view.durations import rows
from console.view.sorting import Order, named
from console.view.spans import WARN, plain, width_of
from engine.model.moments import HOUR, MINUTE, SECOND
from engine.model.states import RunType
from engine.store.reader import Reader
from tests.support.console import NOW, console, scene, trades, world
from tests.support.console_store import FilledHome
from tests.support.console_store import trades as trades_spec

SLOW = Series("join", tuple([8 * SECOND] * 90 + [16 * SECOND] * 10), tuple([SECOND] * 100))
FAST = Series("extract", tuple([SECOND] * 30), tuple([5 * SECOND] * 30))
RARE = Series("report", (SECOND,) * 4)
PAGE = Durations("trades_us", Series("run", (MINUTE,) * 20), tasks=(FAST, SLOW, RARE))


def test_series_are_read_oldest_first_whatever_order_they_come_in() -> None:
    """An attempt whose waiting is not known counts as a duration alone."""
    found = task_series("load", "300:3:,100:1:9,200:2:8")
    assert (found.took, found.waits) == ((1, 2, 3), (9, 8))
    assert task_series("load", None) == Series("load")
    runs = of_runs("d", [(20, 2, 12, None), (10, 1, 11, 10)], ())
    assert (runs.runs.took, runs.whole.took, runs.delay.took) == ((1, 2), (11, 12), (10,))


def test_the_slowest_tasks_come_first_and_too_few_samples_say_nothing() -> None:
    """p50, p95, p99, waiting, trend, and the last ones as bars; p99 of fewer than a hundred is told quietly."""
    listed = rows(scene(), PAGE, Order(SERIES[0]), 140)
    lines = {key[1]: (plain(spans), spans) for key, spans in listed if isinstance(key, tuple)}
    assert [key[1] for key, _ in listed if isinstance(key, tuple) and key[0] == "task"] == ["join", "extract", "report"]
    assert lines["join"][0].split()[1:7] == ["100", "8.0s", "16s", "16s", "1.0s", "1.0s"]
    assert "slower of late, 2.0×" in lines["join"][0] and WARN in {token for _, token in lines["join"][1]}
    assert lines["report"][0].split()[:5] == ["report", "4", "–", "–", "–"]
    assert [(text, token) for text, token in lines["extract"][1] if text.strip() == "1.0s"][-1][1] == "dim"
    assert slowest_first(PAGE.tasks)[0] is SLOW
    for name, first in (("waiting", FAST), ("trend", SLOW), ("-slowest", FAST), ("n", SLOW), ("-task", RARE)):
        order = named(SERIES, name)
        assert order is not None and order.of(PAGE.tasks, NOW)[0] is first
    short = {key[1]: plain(spans) for key, spans in rows(scene(), PAGE, Order(SERIES[0]), 79) if isinstance(key, tuple)}
    assert "2.0× slower" in short["join"], "on a narrow screen the figure is not what is cut"
    for width in (60, 79, 100, 159):
        assert all(width_of(spans) <= width for _, spans in rows(scene(), PAGE, Order(SERIES[-1]), width))


def test_how_reliable_a_dag_is_stands_between_its_runs_and_its_tasks() -> None:
    """Recovery, failures by kind and what it takes: cut nowhere at 80 columns, and quiet where nothing failed."""
    bad = Durations(
        "trades_us",
        incidents=Incidents((5 * MINUTE, 9 * MINUTE), NOW // MINUTE * MINUTE - 3 * HOUR),
        failures=Failures(40, 1200, {"timeout": 12, "exit code": 6}, 2, 3, 9),
        use=Use((PoolUse("db", 0.25, 4),), 0.5, 88 << 20, 210 << 20),
        backfilled=700,
    )
    for width in (79, 119, 159):
        text = " ".join(" ".join(plain(spans) for _, spans in rows(scene(), bad, Order(SERIES[-1]), width)).split())
        for words in (
            "✘ failing for 3h", "mean 7m00s", "median 7m00s", "of 2 incidents in 30 days",
            "1.5% of 1,200 attempts, last 40 runs", "timeout 12 (1%)", "exit code 6 (0.5%)", "stayed failed 3",
            "upstream failed 9", "cancelled 2", "0.25 of 4 slots of db (6.2%)", "cpu 50% of a core",
            "mem 88M, at most 210M",
        ):  # fmt: skip
            assert words in text, (width, words, text)
        assert all(width_of(spans) <= width for _, spans in rows(scene(), bad, Order(SERIES[-1]), width))
    assert "only backfills succeeded in these 30 days, 700 runs" in text
    well = Durations("trades_us", Series("run", (MINUTE,) * 20), failures=Failures(40, 1200, {}))
    shown = [span for _, spans in rows(scene(), well, Order(SERIES[-1]), 119) for span in spans]
    assert not {token for _, token in shown} & {"warn", "bad"}
    assert "no incident ended" in "".join(text for text, _ in shown)


async def test_runs_of_backfills_count_when_they_are_asked_for() -> None:
    """`,` reads the same with them, and says so."""
    backend = world(trades("running"))
    backend.pages["durations"] = lambda args: Durations("trades_us")
    async with console(backend, (120, 30)) as screen:
        await screen.press("j", "%")
        await screen.shows("without backfills")
        await screen.press(",")
        await screen.shows("with those of backfills")
        assert screen.app.stage.front.interest().page == Page("durations", ("trades_us", True))


async def test_a_running_task_is_measured_against_its_p95_and_opens_from_here() -> None:
    """`%` on a DAG; what runs says how much longer than usual; `s` sorts; Enter is the task in the newest run."""
    backend = world(trades("running"))
    load = Series("load", (10 * SECOND,) * 30)
    backend.pages["durations"] = lambda args: Durations("trades_us", tasks=(FAST, load))
    async with console(backend, (120, 30)) as screen:
        await screen.press("j", "%")
        assert screen.app.place.view == "durations" and "tasks slowest first" in screen.lines()[2]
        await screen.shows("► 9m00s  54.0× p95")
        await screen.press(">", ">", ">")
        assert "by wait, longest wait first" in screen.lines()[2] and "waits▾" in screen.text
        await screen.press("G", "enter")
        assert screen.app.place.view == "run" and screen.app.place.task_id == "load"


async def test_durations_are_read_from_the_store(tmp_path: Path) -> None:
    """Runs and tasks that succeeded, with what each waited."""
    filled = FilledHome(tmp_path / "home")
    filled.now = NOW - 12 * HOUR
    await filled.open()
    await filled.put_dag(trades_spec())
    for number in range(6):
        filled.now += HOUR
        await filled.play(await filled.start("trades_us", NOW - (12 - number) * HOUR), took=(5 + number) * SECOND)
    again = await filled.start("trades_us", NOW - 30 * HOUR, RunType.BACKFILL)
    await filled.play(again, took=SECOND)
    broken = await filled.start("trades_us", NOW - 6 * HOUR)
    await filled.claim(broken, "extract")
    await filled.end(broken, "extract", took=SECOND, code=1)
    await filled.close()
    reader = Reader(filled.home.database)
    try:
        pages = Pages(reader, Specs(reader), lambda: NOW)
        found = pages.refresh(Page("durations", ("trades_us", False)), None)
        whole = pages.refresh(Page("durations", ("trades_us", True)), None)
    finally:
        reader.close()
    assert isinstance(found, Durations)
    assert len(found.runs.took) == 6 and found.runs.at(0.5) is not None
    extract = next(series for series in found.tasks if series.name == "extract")
    assert extract.took == tuple((5 + number) * SECOND for number in range(6))
    assert len(extract.waits) == 6 and min(extract.waits) >= 0
    assert isinstance(whole, Durations) and len(whole.runs.took) == 7 and len(whole.whole.took) == 6
    assert found.backfilled == 1
    assert found.incidents.lasted == () and found.incidents.open_since is not None
    assert (found.failures.runs, found.failures.final, found.failures.upstream) == (7, 1, 7)
    assert sum(found.failures.failed.values()) == 1
    assert found.use is not None and [each.pool for each in found.use.pools] == ["default"]
