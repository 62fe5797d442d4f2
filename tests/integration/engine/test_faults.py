"""Disks that are full or fail, and tasks that leave rubbish: the engine says so, acts on nothing that is not
committed, and goes on by itself.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from engine.control import protocol as p
from engine.control.client import Client, CommandRefused
from tests.integration.engine.conftest import DAGS, MakeSite
from tests.support.engine import PATIENCE, Site, until

pytestmark = pytest.mark.processes

NO_ROOM = "min_free_mb = 1000000000\n"


@contextmanager
def limited(site: Site, kind: int) -> Iterator[None]:
    """The kernel gives the running engine no more of one kind of resource."""
    assert site.engine is not None
    pid = site.engine.pid
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (1, before[1]))
    try:
        yield
    finally:
        if site.engine.code is None:
            resource.prlimit(pid, kind, before)


def growing_no_file(site: Site) -> AbstractContextManager[None]:
    """The kernel refuses to let the running engine's files grow: every commit fails as on a full disk."""
    return limited(site, resource.RLIMIT_FSIZE)


async def gauges(client: Client, *, degraded: bool | None = None) -> p.Gauges:
    """The next gauges; the next that say whether the engine is degraded, if that is asked for."""
    async with asyncio.timeout(PATIENCE):
        async for message in client.follow():
            if isinstance(message, p.Gauges) and degraded in (None, message.degraded is not None):
                return message
    raise AssertionError("the link ended")


def blockers(site: Site, run_id: str) -> set[str]:
    """Everything that the tasks of a run wait for."""
    found = site.rows("SELECT blockers FROM task_instance t JOIN run r ON r.id = t.run WHERE run_id = ?", run_id)
    return {code for (text,) in found for code in json.loads(text or "[]")}


async def test_with_too_little_room_nothing_starts_and_everybody_is_told(make_site: MakeSite) -> None:
    """Below min_free_mb runs are taken and wait for `disk`, and the gauges say how much is free."""
    site = await make_site(config=NO_ROOM)
    await site.start()
    run_id = await site.trigger("steps")
    assert site.run_state(run_id) == "queued"
    assert "disk" in blockers(site, run_id)
    async with site.client() as client:
        seen = await gauges(client)
        assert seen.degraded is not None and "MB free, nothing starts below" in seen.degraded
    await site.stop()
    site.configure()
    await site.start()
    assert await site.over(run_id) == "failed"


async def test_an_engine_that_starts_without_room_starts_no_task(make_site: MakeSite) -> None:
    """The disk is looked at before the first task is started: what waited before the start goes on waiting."""
    site = await make_site()
    await site.start()
    await site.command("pause", p.Selector(dag_ids=["hold"]))
    waiting = await site.trigger("hold")
    later = await site.trigger("later")
    await site.state(later, "much_later", "up_for_retry")
    await site.stop()
    site.configure(NO_ROOM)
    await site.start(DAGDECK_CLOCK_OFFSET="7200")
    await site.command("resume", p.Selector(dag_ids=["hold"]))
    await site.state(later, "much_later", "scheduled")
    await until(lambda: blockers(site, later) >= {"disk"}, "the retry says what it waits for")
    assert site.run_state(waiting) == "queued"
    assert len(site.attempts(later, "much_later")) == 1
    assert len(site.bodies()) == 1


async def test_a_failed_commit_degrades_the_engine_until_the_disk_is_well(site: Site) -> None:
    """While commits fail, commands are refused and nothing of them is true, tasks run on, and reading goes on; when
    the disk is well again the engine recovers by itself and books what happened meanwhile.
    """
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both bodies have begun")
    await site.state(run_id, "python", "running")
    runs = site.value("SELECT count(*) FROM run")
    async with site.client() as client:
        with growing_no_file(site):
            with pytest.raises(CommandRefused) as refusal:
                await client.command("trigger", p.Selector(dag_ids=["steps"]))
            assert refusal.value.code == "degraded"
            assert (await gauges(client)).degraded is not None
            with pytest.raises(CommandRefused, match="takes no changes now"):
                await client.command("trigger", p.Selector(dag_ids=["steps"]))
            (site.root / "release").touch()
            await until(lambda: len(site.bodies("end")) == 2, "the tasks end by themselves")
            assert site.value("SELECT count(*) FROM run") == runs
            assert site.tasks(run_id)["python"] == "running"
        await until(lambda: site.run_state(run_id) == "success", "the run is booked to its end")
        assert (await gauges(client)).degraded is None
    assert len(site.bodies()) == len(set(site.bodies())) == 3
    assert await site.over(await site.trigger("steps")) == "failed"
    seqs = [seq for (seq,) in site.rows("SELECT seq FROM event ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_a_degraded_engine_can_be_stopped(make_site: MakeSite) -> None:
    """SIGTERM ends it within five seconds although it can save nothing; what ran goes on under the next engine. Told
    to prune, it prunes files, and says that nobody can be told who asked.
    """
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both bodies have begun")
    async with site.client() as client:
        with growing_no_file(site):
            with pytest.raises(CommandRefused):
                await client.command("trigger", p.Selector(dag_ids=["steps"]))
            with pytest.raises(CommandRefused, match="are being removed"):
                await client.command("prune", p.Selector())
            assert site.engine is not None
            site.engine.kill(signal.SIGTERM)
            assert await site.engine.ended(5) == 0
    (site.root / "release").touch()
    await site.start()
    assert await site.over(run_id) == "success"
    assert len(site.bodies()) == len(set(site.bodies())) == 3


async def test_many_commands_during_a_failure_all_get_an_answer(site: Site) -> None:
    """Each command that meets a failing disk is refused or done; none is left waiting, and what was acknowledged
    stands in the audit.
    """
    select = p.Selector(dag_ids=["steps"])
    async with site.client() as first, site.client() as second:
        with growing_no_file(site):
            asked = [asyncio.create_task(client.command("trigger", select)) for client in (first, second) * 20]
            answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20)
        assert all(isinstance(answer, CommandRefused) for answer in answers)
        await gauges(first, degraded=False)
        run_id = await site.trigger("steps")
    assert await site.over(run_id) == "failed"
    assert site.value("SELECT count(*) FROM run") == site.value("SELECT count(*) FROM command WHERE outcome = 'done'")


async def test_a_dag_file_edited_during_a_failure_is_loaded_after_it(make_site: MakeSite) -> None:
    """An edit whose commit failed is not forgotten: it is live once the engine has recovered."""
    file = {
        "edited.py": """
            @dag()
            def edited():
                shell("one", "true")
        """,
        "deleted.py": "@dag()\ndef deleted():\n    shell('one', 'true')\n",
    }
    site = await make_site(file)
    await site.start()
    versions = "SELECT count(*) FROM dag_version WHERE dag_id = 'edited'"
    async with site.client() as client:
        with growing_no_file(site):
            site.write("edited.py", file["edited.py"].replace('"one"', '"two"'))
            (site.home.dags / "deleted.py").unlink()
            await gauges(client, degraded=True)
            with pytest.raises(CommandRefused):
                await client.command("trigger", p.Selector(dag_ids=["edited"]))
        await gauges(client, degraded=False)
        await until(lambda: site.value(versions) == 2, "the edit is a version")
        await until(lambda: not site.knows("deleted"), "the DAG of the deleted file is inactive")
    run_id = await site.trigger("edited")
    assert await site.over(run_id) == "success"
    assert list(site.tasks(run_id)) == ["two"]


RUBBISH = {
    "rubbish.py": """
        import atexit
        from glob import glob

        def place():
            found, = glob(f"{os.environ['DAGDECK_HOME']}/attempts/*/{os.environ['DAGDECK_ATTEMPT_ID']}/result.json")
            return found

        def spoil(text):
            with open(place(), "w") as result:
                result.write(text)

        @dag()
        def rubbish():
            @task
            def torn():
                atexit.register(spoil, '{"a": ')
                return {"a": 1}

            @task
            def gone():
                atexit.register(lambda: os.unlink(place()))
                return {"a": 1}
            torn() >> shell("after", "true")
            gone()
    """
}


async def test_a_result_that_cannot_be_read_fails_its_task_alone(make_site: MakeSite) -> None:
    """A task that leaves rubbish in place of its result has failed, and says so; the engine is none the worse."""
    site = await make_site({**RUBBISH, **DAGS})
    await site.start()
    run_id = await site.trigger("rubbish")
    other = await site.trigger("results")
    assert await site.over(run_id) == "failed"
    assert site.tasks(run_id) == {"torn": "failed", "after": "upstream_failed", "gone": "success"}
    torn = site.attempts(run_id, "torn")[0]
    assert torn["reason"] == "result_invalid"
    assert "result" in torn["error"]
    assert await site.over(other) == "success"
    assert "degraded" not in site.log()


async def test_a_missing_attempts_folder_is_made_again(site: Site) -> None:
    """Without its folder of attempts the engine makes a new one, and tasks run."""
    for path in sorted(site.home.attempts.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    site.home.attempts.rmdir()
    assert await site.over(await site.trigger("results")) == "success"


async def test_attempts_whose_folders_vanish_while_they_run_come_to_an_end(site: Site) -> None:
    """Somebody removes the folder of attempts under running tasks: what cannot be told any more is lost, no run waits
    for ever, and what starts after it runs.
    """
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both bodies have begun")
    await site.state(run_id, "python", "running")
    await site.state(run_id, "script", "running")
    for day in site.home.attempts.glob("2*"):
        shutil.rmtree(day)
    (site.root / "release").touch()
    assert await site.over(run_id) == "failed"
    assert {site.attempts(run_id, name)[0]["outcome"] for name in ("python", "script")} == {"lost"}
    assert await site.over(await site.trigger("results")) == "success"


@pytest.mark.parametrize("place", ["a file", "a loop"])
async def test_an_engine_starts_although_an_attempt_cannot_be_looked_at(site: Site, place: str) -> None:
    """One unreadable folder concerns its own attempt alone: what is gone is lost, what nobody can say is watched."""
    run_id = await site.trigger("hold")
    await site.state(run_id, "python", "running")
    await site.state(run_id, "script", "running")
    await site.crash()
    folder = site.home.attempts.glob(f"*/{site.attempts(run_id, 'script')[0]['id']}")
    path = next(folder)
    kept = path.rename(path.with_name("kept"))
    if place == "a file":
        path.write_text("in its place")
    else:
        path.symlink_to(path.name)
    await site.start()
    (site.root / "release").touch()
    await site.state(run_id, "python", "success")
    if place == "a file":
        await site.state(run_id, "script", "failed")
        assert site.attempts(run_id, "script")[0]["outcome"] == "lost"
    else:
        path.unlink()
        kept.rename(path)
        assert await site.over(run_id) == "success"


async def test_an_engine_that_lacked_descriptors_for_a_while_does_all_its_work_again(site: Site) -> None:
    """Nothing of it has ended silently: tasks come to their end, gauges are sent, DAG files are read, kills kill."""
    held = await site.trigger("hold")
    await site.state(held, "python", "running")
    await site.state(held, "script", "running")
    async with site.client() as client:
        await gauges(client)
        with limited(site, resource.RLIMIT_NOFILE):
            with suppress(CommandRefused, TimeoutError):
                await asyncio.wait_for(client.command("trigger", p.Selector(dag_ids=["steps"])), 1)
            (site.root / "release").touch()
            await until(lambda: "gauges_failed" in site.log() and "memory_unknown" in site.log(), "it lacks them")
        await gauges(client, degraded=False)
    site.write("newcomer.py", "@dag()\ndef newcomer():\n    shell('one', 'sleep 600')\n")
    await until(lambda: site.knows("newcomer"), "the file that came meanwhile is read")
    assert await site.over(held) == "success"
    run_id = await site.trigger("newcomer")
    await site.state(run_id, "one", "running")
    await site.command("cancel", p.Selector(run_ids=[run_id]))
    assert await site.over(run_id) == "cancelled"
