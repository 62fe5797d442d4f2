"""Logs that grow without bound are kept within bounds, and tell so."""

from __future__ import annotations

import os

import pytest

from engine.execution.directory import read_gap
from engine.execution.logs import MIB, LogLimits
from engine.execution.port import Ended
from tests.support.execution import Stage

pytestmark = pytest.mark.processes


async def test_a_flood_keeps_head_and_tail_and_names_the_gap(stage: Stage) -> None:
    """200 MB of output leave the first 8 and the last 56 MB at their offsets, and the gap between is written down."""
    stage.tasks(
        """
        import os
        def flood():
            block = bytearray()
            for number in range(200 * 1024 * 16):
                block += b"%063d\\n" % number
                if len(block) == 64 * 1024:
                    os.write(1, block)
                    block.clear()
        """
    )
    order = stage.order("flood")
    assert (await stage.run(order)).code == 0
    assert stage.of(order, Ended)
    path = stage.path(order)
    info = (path / "log").stat()
    assert info.st_size == 200 * MIB
    assert info.st_blocks * 512 <= 65 * MIB
    gap = read_gap(str(path))
    limits = LogLimits()
    assert gap is not None
    assert gap.start == limits.head
    assert 0 <= gap.end - (info.st_size - (limits.tail or 0)) + 4096 <= 4096
    with (path / "log").open("rb") as log:
        assert log.read(64) == b"%063d\n" % 0
        log.seek(gap.start - 64)
        assert log.read(64) == b"%063d\n" % (gap.start // 64 - 1)
        log.seek(gap.end)
        assert log.read(64) == b"%063d\n" % (gap.end // 64)
        log.seek(-64, os.SEEK_END)
        assert log.read() == b"%063d\n" % (200 * MIB // 64 - 1)
