"""Where a short address leads, as the console's backend finds it in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.backends.local import LocalBackend
from console.model.place import Place
from engine.model.moments import HOUR
from tests.support.console import LOGICAL
from tests.support.console_store import FilledHome
from tests.support.console_store import trades as trades_spec


async def test_a_run_named_in_short_is_found_in_the_store(tmp_path: Path) -> None:
    """`@latest` and `@-1` become run ids, and what is not there is told as such."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    await filled.put_dag(trades_spec())
    for hour in (2, 1):
        await filled.play(await filled.start("trades_us", LOGICAL - hour * HOUR))
    await filled.close()
    backend = LocalBackend(filled.home)
    try:
        newest = await backend.locate(Place("run", "trades_us", "trades_us@latest"))
        older = await backend.locate(Place("run", "trades_us", "trades_us@-1"))
        assert newest.run_id != older.run_id and newest == await backend.locate(newest)
        assert str(newest.run_id).startswith("trades_us@2") and str(older.run_id).startswith("trades_us@2")
        with pytest.raises(LookupError, match="no run 9 before the latest"):
            await backend.locate(Place("run", "trades_us", "trades_us@-9"))
        with pytest.raises(LookupError, match="has no task 'nosuch'"):
            await backend.locate(Place("task", "trades_us", "trades_us@latest", "nosuch"))
    finally:
        await backend.close()
