"""Real engines on damaged stores: they say what they found, run nothing, and leave everything as it was."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from engine.upkeep.backup import make_backup
from engine.upkeep.restore import restore_home
from tests.integration.engine.conftest import DAGS, MakeSite
from tests.integration.engine.test_faults import gauges
from tests.support.cli import dagdeck
from tests.support.damage import PAGE, overwrite, root_page
from tests.support.engine import Site, until
from tests.support.store import look, tamper

pytestmark = pytest.mark.processes
HELD = {"hold.py": DAGS["plain.py"]}


def harm(site: Site, kind: str) -> None:
    """Damages the store of a home whose engine has stopped."""
    store = site.home.database
    if kind == "overwritten":
        overwrite(store, root_page(store, "run"), os.urandom(PAGE))
    elif kind == "senseless":
        tamper(store, "UPDATE dag_version SET spec = '{'")
    elif kind == "contradictory":
        tamper(store, "UPDATE task_instance SET task_id = 'nobody' || id WHERE state <> 'success'")
    else:
        store.unlink()


@pytest.mark.parametrize("kind", ["overwritten", "senseless", "contradictory", "gone"])
async def test_an_engine_refuses_a_damaged_store_and_leaves_it_alone(make_site: MakeSite, kind: str) -> None:
    """It ends with the exit code of a refusal, which a supervisor does not restart, as often as it is started; its
    one line names the file and a way out; no task is run, and no process is left.
    """
    site = await make_site(HELD)
    await site.start()
    await site.over(await site.trigger("steps"))
    await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "tasks of hold run")
    await site.crash()
    site.clear()
    harm(site, kind)
    before = site.bodies()
    for _ in range(2):
        engine = site.launch()
        assert await engine.ended() == 5
        assert len(engine.said) == 1
        assert str(site.home.database) in engine.said[0] and "dagdeck restore" in engine.said[0]
    assert site.bodies() == before
    await until(lambda: not site.processes(), "no process is left")


async def scribble(path: Path, at: int) -> None:
    """Writes a page of noise, again and again: one that falls into the engine's own commit may be taken for that."""
    await until(lambda: overwrite(path, at, os.urandom(PAGE)) is not None, "whoever asked has seen enough")


@pytest.mark.parametrize("kind", ["removed", "overwritten"])
async def test_a_store_that_is_damaged_under_its_engine_stops_it_from_starting_anything(
    make_site: MakeSite, kind: str
) -> None:
    """It says what it found, to whoever looks and once in its log; what runs, runs on; `engine stop` ends it, and the
    store that was saved, or salvaged, has everything that was committed.
    """
    site = await make_site(HELD)
    await site.start()
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "tasks of hold run")
    await site.state(run_id, "script", "running")
    if kind == "removed":
        site.home.database.unlink()
        foreign = asyncio.create_task(asyncio.sleep(0))
    else:
        foreign = asyncio.create_task(scribble(site.home.database, root_page(site.home.database, "trash")))
    async with site.client() as client:
        said = (await gauges(client, degraded=True)).degraded or ""
    foreign.cancel()
    assert {"removed": "was removed", "overwritten": "the store is damaged"}[kind] in said
    status = await asyncio.to_thread(dagdeck, "--home", site.root, "engine", "status", "--check")
    assert status.code == 1 and said[:60] in status.err
    (site.root / "release").touch()
    await until(lambda: len(site.bodies("end")) == 2, "the tasks end by themselves")
    stopped = await asyncio.to_thread(dagdeck, "--home", site.root, "engine", "stop", "--json")
    assert stopped.code == 0 and "by a signal" in stopped.json["message"]
    assert site.home.log.read_text().count('"event": "still_degraded"') == 1
    assert len(site.bodies()) == 2
    saved = list(site.home.backups.glob("*")) if kind == "removed" else []
    rescue = ["restore", str(saved[0]), "--replace"] if saved else ["salvage"]
    again = await asyncio.to_thread(dagdeck, "--home", site.root, *rescue)
    assert again.code == 0, again.err
    assert look(site.home.database, "SELECT dag_id FROM run") == [("hold",)]


async def test_a_restored_home_starts_nothing_until_it_is_released(make_site: MakeSite, tmp_path: Path) -> None:
    """Its engine loads everything, makes no attempt, and reports what had been under way."""
    site = await make_site(HELD)
    await site.start()
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both tasks run")
    saved = make_backup(site.home, tmp_path / "saved", 1)
    (site.root / "release").touch()
    await site.over(run_id)
    await site.stop()
    again = site.copy_at(site.root.with_name(f"{site.root.name}r"))
    try:
        restore_home(saved.path, again.root, "ops", 2)
        before = site.bodies()
        await again.start()
        assert set(again.tasks(run_id).values()) <= {"failed", "upstream_failed", "none", "up_for_retry", "scheduled"}
        assert [attempt["outcome"] for attempt in again.attempts(run_id, "python")] == ["lost"]
        await again.trigger("results")
        await until(lambda: again.value("SELECT count(*) FROM task_instance WHERE blockers LIKE '%hold%'"), "it waits")
        assert site.bodies() == before
        assert look(again.home.database, "SELECT count(*) FROM recovery_report") == [(1,)]
    finally:
        again.clear()
        shutil.rmtree(again.root)
