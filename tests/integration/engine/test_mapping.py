"""Mapped tasks with real processes: thousands of indexes, growth, shrinkage, and an engine that dies in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import partial

import pytest

from engine.control import protocol as p
from engine.control.client import NoEngine
from tests.integration.engine.conftest import MakeSite
from tests.support.engine import PATIENCE, EngineProcess, Site, until

pytestmark = pytest.mark.processes

MAPPED = {
    "mapped.py": """
        import json
        from pathlib import Path

        @task
        def names(params):
            return [f"{number:04}" + "x" * 120 for number in range(params["items"])]

        @task
        def number_of(name, map_index):
            assert int(name[:4]) == map_index
            return map_index

        @task
        def gather(numbers):
            return [len(numbers), sum(numbers), numbers == list(range(len(numbers)))]

        @dag(params={"items": 1500}, max_active_tasks=32)
        def wide():
            gather(number_of.expand(name=names()))

        @task
        def read():
            return json.loads(Path(os.environ["DAGDECK_HOME"], "items").read_text())

        @task
        def use(item, factor):
            note(f"begin-{item}")
            if Path(os.environ["DAGDECK_HOME"], "broken").exists() and item == 2:
                raise ValueError("two")
            return item * factor

        @task
        def below(results):
            return results

        @dag()
        def changing():
            below(use.partial(factor=10).expand(item=read()))
            say = shell("say", 'test "$ITEM" -ge 0 && echo "$DAGDECK_MAP_INDEX:$ITEM:$PAIR"')
            say.expand(ITEM=[5, 6], PAIR=["x", "y"])
    """
}


def indexes(site: Site, run_id: str, task_id: str) -> list[tuple[int, str, int]]:
    """(index, state, attempts) of a mapped task."""
    return site.rows(
        "SELECT t.map_index, t.state, t.attempt FROM task_instance t JOIN run r ON r.id = t.run "
        "WHERE r.run_id = ? AND t.task_id = ? AND t.map_index >= 0 ORDER BY t.map_index",
        run_id,
        task_id,
    )


def result(site: Site, run_id: str, task_id: str) -> object:
    """The newest result of a task."""
    found = site.value(
        "SELECT v.value FROM task_result v JOIN task_instance t ON t.id = v.task_instance JOIN run r ON r.id = t.run "
        "WHERE r.run_id = ? AND t.task_id = ? AND t.map_index < 0 ORDER BY v.attempt DESC LIMIT 1",
        run_id,
        task_id,
    )
    return json.loads(found)


async def test_ten_thousand_items_are_as_many_processes_and_one_list(make_site: MakeSite) -> None:
    """Every item of a large result reaches the index of its place, and the results come back in order."""
    site = await make_site(MAPPED, "slots = 16\n")
    await site.start()
    run_id = await site.trigger("wide", params={"items": 10_000})
    assert await site.over(run_id, 300) == "success"
    assert indexes(site, run_id, "number_of") == [(at, "success", 1) for at in range(10_000)]
    assert result(site, run_id, "gather") == [10_000, 9_999 * 5_000, True]


async def test_only_failed_indexes_run_again_and_the_list_may_change(make_site: MakeSite) -> None:
    """A rerun of what failed leaves the others alone; with another list, indexes go and come."""
    site = await make_site(MAPPED)
    items = site.root / "items"
    (site.root / "broken").touch()
    items.write_text("[0, 1, 2, 3]")
    await site.start()
    run_id = await site.trigger("changing")
    assert await site.over(run_id) == "failed"
    (site.root / "broken").unlink()
    await site.act("rerun", run_id, failed=True)
    assert await site.over(run_id) == "success"
    assert [tries for _, _, tries in indexes(site, run_id, "use")] == [1, 1, 2, 1]
    assert result(site, run_id, "below") == [0, 10, 20, 30]
    for text, kept in (("[7]", [70]), ("[]", None), ("[1, 2, 3, 4, 5]", [10, 20, 30, 40, 50])):
        items.write_text(text)
        await site.act("clear", run_id, "read", downstream=True)
        assert await site.over(run_id) == "success"
        live = [at for at, state, _ in indexes(site, run_id, "use") if state != "removed"]
        assert live == list(range(len(kept or ())))
        if kept is not None:
            assert result(site, run_id, "below") == kept
    said = {path.read_text().strip() for path in site.root.glob("attempts/*/*/log")}
    assert {"0:5:x", "1:5:y", "2:6:x", "3:6:y"} <= said


@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit"])
async def test_an_engine_killed_at_the_expansion_leaves_no_index_out_and_doubles_none(
    make_site: MakeSite, point: str
) -> None:
    """Whichever commit it dies at, the next engine has every index once, and each ran once."""
    site = await make_site(MAPPED)
    (site.root / "items").write_text(json.dumps(list(range(12))))
    await site.start()
    await site.stop()
    armed = site.root / "armed"
    for number in (3, 4):
        before = len(site.bodies("begin-3"))
        armed.write_text("")
        engine = await site.start(DAGDECK_FAILPOINT=f"@{armed}")
        armed.with_name("armed.tally").unlink(missing_ok=True)
        armed.write_text(f"{point}:{number}")
        with contextlib.suppress(NoEngine):
            await site.trigger("changing")
        run_id = str(site.value("SELECT run_id FROM run ORDER BY id DESC LIMIT 1"))
        await until(partial(_over, site, engine, run_id), "the engine dies, or the run ends")
        armed.write_text("")
        if engine.code is not None:
            await site.start()
        assert await site.over(run_id) == "success"
        assert indexes(site, run_id, "use") == [(at, "success", 1) for at in range(12)]
        assert result(site, run_id, "below") == [10 * at for at in range(12)]
        assert len(site.bodies("begin-3")) == before + 1
        await site.stop()


def _over(site: Site, engine: EngineProcess, run_id: str) -> bool:
    return engine.code is not None or site.run_state(run_id) == "success"


async def test_a_mapped_task_that_runs_is_not_counted_as_waiting(make_site: MakeSite) -> None:
    """The gauges count its index, which runs, and not the summary row beside it as one more that is deferred."""
    site = await make_site({"naps.py": "@dag()\ndef naps():\n    shell('nap', 'sleep 60').expand(ITEM=[1])\n"})
    await site.start()
    run_id = await site.trigger("naps")
    async with site.client() as client, asyncio.timeout(PATIENCE):
        async for message in client.follow():
            if isinstance(message, p.Gauges) and message.running:
                assert (message.running, message.waiting, message.queued) == (1, 0, 0)
                break
    assert indexes(site, run_id, "nap") == [(0, "running", 1)]
