"""The memory guard: what counts as memory that is left, and when nothing starts for want of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from engine.upkeep.memory import Left, MemoryWatch, in_groups, least, memory_left
from tests.support.lifecycle import task
from tests.support.scheduler import Rig

MB = 1024 * 1024


def group(root: Path, name: str, **files: str) -> Path:
    """A control group of plain files."""
    folder = root / name
    folder.mkdir()
    for file, text in files.items():
        (folder / f"memory.{file}").write_text(text)
    return folder


def test_whoever_has_the_least_left_decides(tmp_path: Path) -> None:
    """Groups of both versions count with their limit less their use, of which the kernel gives caches up; a
    group without a limit, or one that says nothing, does not count.
    """
    groups = [
        group(tmp_path, "second", max="1000\n", current="700\n", stat="anon 1\ninactive_file 30\nactive_file 20\n"),
        group(tmp_path, "free", max="max\n", current="700\n", stat=""),
        group(
            tmp_path, "first", limit_in_bytes="900", usage_in_bytes="880", stat="inactive_file 7\ntotal_inactive_file 5"
        ),
        group(tmp_path, "over", max="10", current="20", stat=""),
        group(tmp_path, "silent"),
    ]
    assert list(in_groups(groups)) == [Left(350, 1000), Left(25, 900), Left(0, 10)]
    assert least(Left(500, 4000), in_groups(groups[:2])) == Left(350, 1000)
    assert least(Left(20, 4000), in_groups(groups[:3])) == Left(20, 4000)


def test_this_host_has_memory() -> None:
    """The figures of the host and of its groups can be read, and are sound."""
    found = memory_left()
    assert 0 <= found.free <= found.total


async def test_nothing_starts_below_the_figure_and_something_does_from_a_quarter_more(tmp_path: Path) -> None:
    """What is ready waits for `memory_guard`, what runs goes on, and at the figure itself nothing flutters."""
    rig, left = Rig(tmp_path), [Left(400 * MB, 1000 * MB)]
    watch = MemoryWatch(100 * MB, rig.scheduler, structlog.get_logger(), lambda: left[0])
    assert watch.gauge() is None
    await rig.dag(task("a"), task("b", "a"))
    watch.look()
    memory = await rig.trigger()
    assert rig.executor.tasks == ["a"]
    left[0] = Left(99 * MB, 1000 * MB)
    watch.look()
    assert watch.gauge() == (99 * MB, 1000 * MB, 100 * MB)
    await rig.finish(memory, "a")
    assert memory.instances["b", -1].blockers == ("memory_guard",)
    assert rig.executor.tasks == ["a"]
    for mega, words in ((105, "105 MB left, nothing starts below 100 MB"), (124, "124 MB left")):
        left[0] = Left(mega * MB, 1000 * MB)
        watch.look()
        await rig.turn()
        assert words in (rig.scheduler.memory_low or "")
    assert memory.instances["b", -1].blockers == ("memory_guard",)
    left[0] = Left(125 * MB, 1000 * MB)
    watch.look()
    await rig.turn()
    assert (rig.scheduler.memory_low, rig.executor.tasks) == (None, ["a", "b"])
    left[0] = Left(101 * MB, 1000 * MB)
    watch.look()
    assert rig.scheduler.memory_low is None


def refuse() -> Left:
    """A host that does not tell."""
    raise OSError("no /proc")


@pytest.mark.parametrize(("least_free", "look"), [(0, lambda: Left(0, 1)), (5, refuse)])
async def test_without_a_figure_or_an_answer_nothing_is_held(
    tmp_path: Path, least_free: int, look: Callable[[], Left]
) -> None:
    """With 0 there is no guard; and where the host does not say, tasks start."""
    rig = Rig(tmp_path)
    MemoryWatch(least_free, rig.scheduler, structlog.get_logger(), look).look()
    assert rig.scheduler.memory_low is None and rig.scheduler.may_start
