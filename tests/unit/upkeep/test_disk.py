"""What is said of the room that is left, and when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.home import Home
from engine.model.moments import HOUR, MINUTE
from engine.upkeep.children import ChildFailed
from engine.upkeep.disk import Room, Trend, judge, writers
from engine.upkeep.watch import DiskWatch
from tests.support.scheduler import Rig

MB = 1024 * 1024
GB = 1024 * MB
TOLD = {"largest": [["trades", 12_300_000_000], ["", 5000]], "bytes": 12_300_005_000, "prunable_bytes": 8_000_000}


@pytest.mark.parametrize(
    ("free", "total", "full_in", "low", "words"),
    [
        (600 * MB, 10 * GB, None, False, ""),
        (499 * MB, 10 * GB, None, True, "nothing starts below 500 MB"),
        (400 * MB, 2 * GB, HOUR, True, "nothing starts below 500 MB"),
        (30 * GB, 100 * GB, 5 * HOUR, False, "full in 5 h"),
        (30 * GB, 100 * GB, 25 * HOUR, False, ""),
        (4 * GB, 100 * GB, None, False, "4096 MB free, 4 %"),
    ],
)
def test_each_state_of_the_disk_has_its_words(
    free: int, total: int, full_in: int | None, low: bool, words: str
) -> None:
    """Below min_free_mb nothing starts; below five per cent, or when it is full within a day, there is a warning."""
    found = judge(Room(free, total), 500 * MB, full_in)
    assert found.low is low
    assert words in found.text and bool(words) == bool(found.text)


def test_the_trend_needs_half_an_hour_and_sees_three() -> None:
    """A disk that fills steadily has a moment at which it is full; one that does not has none."""
    trend = Trend()
    for minute in range(600):
        trend.add(minute * MINUTE, 100 * GB - minute * 100 * MB)
        if minute == 20:
            assert trend.full_in(minute * MINUTE, 98 * GB) is None
    left = 100 * GB - 599 * 100 * MB
    full_in = trend.full_in(599 * MINUTE, left)
    assert full_in is not None
    assert abs(full_in - left // (100 * MB) * MINUTE) < 10 * MINUTE
    assert len(trend.samples) < 40
    assert trend.full_in(599 * MINUTE, 200 * GB) is None


def test_the_largest_writers_are_named_with_the_way_to_prune() -> None:
    """Who has written most, and what pruning would free, stands in the sentence."""
    assert writers(TOLD) == ("; D (`dagdeck prune`) frees 8.0 MB; most is of trades 12.3 GB, of no known run 5.0 kB")
    assert writers(None) == writers({"largest": []}) == ""


async def test_starting_stops_and_begins_again_by_itself(tmp_path: Path) -> None:
    """When the disk is low everybody is told why, soon with the largest writers; with room again all is as before."""
    rig, room, asked = Rig(tmp_path), [Room(9 * GB, 10 * GB)], []

    async def ask(root: Path, *, dry_run: bool) -> dict[str, Any]:
        asked.append(dry_run)
        if len(asked) > 1:
            raise ChildFailed("no processes left")
        return TOLD

    watch = DiskWatch(
        Home(tmp_path), 500 * MB, rig.scheduler, rig.clock, structlog.get_logger(), lambda _: room[0], ask
    )
    watch.look()
    assert (rig.scheduler.disk_low, watch.warning, asked) == (None, None, [])
    room[0] = Room(400 * MB, 10 * GB)
    watch.look()
    assert rig.scheduler.disk_low is not None
    assert not rig.scheduler.may_start
    await asyncio.sleep(0)
    watch.look()
    assert "trades 12.3 GB" in (rig.scheduler.disk_low or "")
    assert asked == [True]
    room[0] = Room(450 * MB, 8 * GB)
    watch.glance()
    assert "450 MB free" in (rig.scheduler.disk_low or "")
    room[0] = Room(int(0.04 * 20 * GB), 20 * GB)
    watch.look()
    assert rig.scheduler.disk_low is None and rig.scheduler.may_start
    assert "4 %" in (watch.warning or "")
    room[0] = Room(9 * GB, 10 * GB)
    watch.look()
    assert watch.warning is None
    await watch.close()


async def test_a_disk_that_cannot_be_asked_stops_nothing(tmp_path: Path) -> None:
    """Where the file system does not answer, that is logged, and the last word stays."""
    rig = Rig(tmp_path)

    def look(_root: Path) -> Room:
        raise OSError(5, "Input/output error")

    watch = DiskWatch(Home(tmp_path), 1, rig.scheduler, rig.clock, structlog.get_logger(), look)
    watch.look()
    assert rig.scheduler.may_start
