"""`log_limit_mb` of the home holds for every attempt, and what is left out is said to be."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.engine import until

pytestmark = pytest.mark.processes

FILE = {
    "flood.py": """
        @dag()
        def flood():
            shell("chatty", "seq -f 'line %010.0f' 1 400000")
    """
}


async def test_a_log_is_kept_within_the_homes_limit(make_site: MakeSite) -> None:
    """Of 6 MB, 1 MiB stays on the disk; `dagdeck logs` prints head, a line for the gap, and tail, none of the hole."""
    site = await make_site(FILE, "log_limit_mb = 1")
    await site.start()
    run_id = await site.trigger("flood")
    assert await site.over(run_id) == "success"
    folder = next(site.home.attempts.glob(f"*/{site.attempts(run_id, 'chatty')[0]['id']}"))
    await until((folder / "log.gap").exists, "the middle is given back")
    assert (folder / "log").stat().st_blocks * 512 < 1.2 * 2**20
    command = [sys.executable, "-m", "dagdeck", "--home", str(site.root), "logs", run_id, "chatty"]
    printed = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    shown = (await printed.communicate())[0].decode()
    assert shown.startswith("line 0000000001\n")
    assert shown.endswith("line 0000400000\n")
    assert "bytes are left out here" in shown
    assert "^@" not in shown
    assert len(shown) < 1.2 * 2**20
