"""Starts and ends of engines: one per home, none takes a task along, and each start tells what it found."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from engine.control import protocol as p
from engine.control.client import NoEngine
from engine.execution.process import proc
from engine.home import Home
from engine.lock import AlreadyRunning, lock_holder, take_lock
from tests.integration.engine.conftest import MakeSite
from tests.integration.engine.test_starts import obstruct
from tests.support.engine import Site, until
from tests.support.source import PROJECT
from tests.support.trees import everything_in

pytestmark = pytest.mark.processes


async def bodies_run(site: Site, count: int) -> None:
    """Waits until so many bodies have begun."""
    await until(lambda: len(site.bodies()) >= count, f"{count} bodies have begun")


def report(site: Site) -> dict[str, object]:
    """The report that waits to be acknowledged."""
    return dict(json.loads(site.value("SELECT report FROM recovery_report WHERE acknowledged_at IS NULL")))


async def finish(site: Site, run_id: str) -> None:
    """Lets the tasks of `hold` end, and checks that each ran once."""
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert len(site.bodies()) == len(set(site.bodies())) == 3
    assert [len(site.attempts(run_id, name)) for name in ("python", "script", "after")] == [1, 1, 1]


async def test_a_second_engine_refuses_in_a_clear_sentence(site: Site) -> None:
    """`python -m engine` on a home that has an engine names its pid and user, and exits with 5."""
    assert site.engine is not None
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "engine", "--home", str(site.root)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 5
    assert f"an engine already runs on {site.root} (pid {site.engine.pid}, user " in second.stdout + second.stderr
    await site.trigger("steps")


async def test_there_is_one_engine_also_where_somebody_removed_its_lock(make_site: MakeSite) -> None:
    """An engine whose lock's file was removed or replaced is still known to run, keeps every other away, and makes the
    file again.
    """
    site = await make_site()
    engine = await site.start()
    for left in (None, "{}"):
        site.home.lock.unlink()
        if left is not None:
            site.home.lock.write_text(left)
        assert lock_holder(site.home.lock) is not None
        second = site.launch()
        assert await second.ended() == 5
        assert f"an engine already runs on {site.root}" in second.said[0]
        await until(lambda: lock_holder(site.home.lock) == engine.pid, "the lock made again")
    assert "lock_again" in site.log()
    assert await site.stop() == 0
    assert lock_holder(site.home.lock) is None


def test_who_asks_whether_an_engine_runs_keeps_none_from_starting(tmp_path: Path) -> None:
    """A look at the lock, which holds it for a moment, is waited for."""
    path = tmp_path / "engine.lock"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.05, os.close, (looking,)).start()
    lock = take_lock(path)
    assert lock_holder(path) == os.getpid()
    lock.close()
    assert lock_holder(path) is None


def test_a_lock_that_a_full_disk_does_not_let_be_signed_again_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried every few seconds for as long as the disk is full: no file and no descriptor stays of a try, and the home
    is held all the while.
    """
    path = tmp_path / "engine.lock"
    lock = take_lock(path)
    path.unlink()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                lock.keep()
    assert [each.name for each in tmp_path.iterdir()] == ["attempts"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(AlreadyRunning):
        take_lock(path)
    assert lock.keep() and lock_holder(path) == os.getpid()
    lock.close()


async def test_sigterm_ends_the_engine_within_five_seconds_and_no_task(make_site: MakeSite) -> None:
    """The engine exits with 0 and says goodbye in the store; tasks run on, and the next engine adopts them."""
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    before = time.monotonic()
    assert await site.stop() == 0
    assert time.monotonic() - before < 5.0
    assert site.rows("SELECT reason FROM engine_session ORDER BY id DESC LIMIT 1") == [("stop",)]
    assert not site.home.socket.exists()
    running = [text for text in site.processes().values() if "DAGDECK_RUN_ID=hold" in text or " host " in text]
    assert len(running) >= 2
    await site.start()
    assert site.value("SELECT count(*) FROM recovery_report") == 0
    await finish(site, run_id)


async def test_after_kill_9_running_tasks_are_adopted_and_a_report_stays(make_site: MakeSite) -> None:
    """An engine killed by force leaves tasks running; the next one goes on with them, says in a report what it found,
    and keeps the report until somebody acknowledges it.
    """
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.state(run_id, "python", "running")
    await site.state(run_id, "script", "running")
    await site.crash()
    await site.start()
    assert sorted(report(site)["adopted"]) == [f"{run_id} python", f"{run_id} script"]  # type: ignore[call-overload]
    assert report(site)["reboot"] is False
    await site.crash()
    await site.start()
    assert site.value("SELECT count(*) FROM recovery_report WHERE acknowledged_at IS NULL") == 2
    await site.command("acknowledge", p.Selector())
    assert site.value("SELECT count(*) FROM recovery_report WHERE acknowledged_at IS NULL") == 0
    await finish(site, run_id)


async def test_tasks_that_ended_while_no_engine_ran_are_booked(make_site: MakeSite) -> None:
    """What a task did without an engine counts: its status is read at the next start, with the times it had then."""
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.crash()
    (site.root / "release").touch()
    await until(lambda: len(site.bodies("end")) == 2, "both tasks end")
    await site.start()
    restarted = site.value("SELECT started_at FROM engine_session ORDER BY id DESC LIMIT 1")
    await finish(site, run_id)
    for name in ("python", "script"):
        assert site.attempts(run_id, name)[0]["ended_at"] < restarted


async def test_everything_killed_at_once_is_lost_and_tried_again(make_site: MakeSite) -> None:
    """Engine, runner, hosts, shims and tasks killed together leave no evidence: the attempts are lost; tasks that may
    be retried are, with a budget of their own, and the others fail.
    """
    site = await make_site({
        "all.py": """
            @dag()
            def fragile():
                body = NOTE + "note begin; test -e $DAGDECK_HOME/release || sleep 600"
                shell("retried", body, retries=1, retry_delay="0s")
                shell("final", body)
        """
    })  # fmt: skip
    await site.start()
    run_id = await site.trigger("fragile")
    await bodies_run(site, 2)
    site.clear()
    assert site.engine is not None
    await site.engine.ended()
    (site.root / "release").touch()
    await site.start()
    assert sorted(report(site)["interrupted"]) == [f"{run_id} final", f"{run_id} retried"]  # type: ignore[call-overload]
    assert await site.over(run_id) == "failed"
    assert site.tasks(run_id) == {"retried": "success", "final": "failed"}
    assert [attempt["outcome"] for attempt in site.attempts(run_id, "retried")] == ["lost", "success"]
    assert site.attempts(run_id, "final")[0]["error"] == "lost: no evidence of how it ended"


async def everything_dies(site: Site) -> str:
    """The engine and both attempts of a run are killed while they run; gives the run."""
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.state(run_id, "python", "running")
    await site.state(run_id, "script", "running")
    site.clear()
    assert site.engine is not None
    await site.engine.ended()
    return run_id


async def test_what_a_shutdown_of_the_machine_interrupts_is_reported(make_site: MakeSite) -> None:
    """The engine stops in order, its tasks are then killed with the machine: the next start reports them, as it does
    after a crash, until somebody acknowledges it.
    """
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    assert await site.stop() == 0
    stopped = site.value("SELECT ended_at FROM engine_session ORDER BY id DESC LIMIT 1")
    site.clear()
    await site.start()
    told = report(site)
    assert sorted(told["interrupted"]) == [f"{run_id} python", f"{run_id} script"]  # type: ignore[call-overload]
    assert told["last_seen_at"] == stopped
    async with site.client() as client:
        assert (await client.command("acknowledge", p.Selector())).message == "acknowledged"


async def test_attempts_whose_folders_are_gone_are_lost(make_site: MakeSite) -> None:
    """Attempts that were seen to run, and of which nothing is left on disk at the next start, are lost: not started
    again as if they had never begun, and not waited for for ever.
    """
    site = await make_site()
    run_id = await everything_dies(site)
    shutil.rmtree(site.home.attempts)
    await site.start()
    assert await site.over(run_id) == "failed"
    for name in ("python", "script"):
        assert [attempt["outcome"] for attempt in site.attempts(run_id, name)] == ["lost"]
    assert len(site.bodies()) == 2


@pytest.mark.parametrize("claims", ["kept", "lost with the power"])
async def test_after_a_reboot_attempts_are_lost_for_that_reason(make_site: MakeSite, claims: str) -> None:
    """Attempts of an earlier boot cannot be alive, even where a process has their pid now: lost, reason `reboot`.

    A claim that never reached the disk makes no difference: what may have begun is not started a second time.
    """
    site = await make_site()
    run_id = await everything_dies(site)
    boot = proc.boot_id()
    earlier = "0" * len(boot)
    for claim in site.home.attempts.glob("*/*/claim"):
        claim.write_text(claim.read_text().replace(boot, earlier).replace('"pid":', f'"pid":{os.getpid()},"was":'))
        if claims != "kept":
            claim.unlink()
    with sqlite3.connect(site.home.database) as store:
        store.execute("UPDATE attempt SET boot_id = ?, pid = ?", (earlier, os.getpid()))
        store.execute("UPDATE engine_session SET boot_id = ?", (earlier,))
    store.close()
    await site.start()
    assert report(site)["reboot"] is True
    assert await site.over(run_id) == "failed"
    for name in ("python", "script"):
        attempt = site.attempts(run_id, name)[0]
        assert (attempt["outcome"], attempt["reason"]) == ("lost", "reboot")
        assert attempt["error"] == "lost: the host was restarted"


async def test_a_stop_with_kill_takes_tasks_along_and_costs_no_retries(make_site: MakeSite) -> None:
    """`stop` with `kill` ends all attempts before the engine; under the next engine they run again, retries or not."""
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.command("stop", p.Selector(), {"kill": True})
    assert site.engine is not None
    assert await site.engine.ended() == 0
    await until(lambda: not site.processes(), "nothing of the home is alive")
    assert site.tasks(run_id)["after"] == "none"
    assert {site.tasks(run_id)[name] for name in ("python", "script")} <= {"up_for_retry", "scheduled"}
    (site.root / "release").touch()
    await site.start()
    assert await site.over(run_id) == "success"
    first, second = site.attempts(run_id, "python")
    assert (first["outcome"], first["reason"], second["outcome"]) == ("killed", "engine_stop", "success")


async def test_a_draining_engine_starts_nothing_and_ends_after_its_last_task(make_site: MakeSite) -> None:
    """While it drains, what becomes ready waits and says why; the engine exits when nothing runs, the next goes on."""
    site = await make_site()
    await site.start()
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    await site.command("drain", p.Selector())
    other = await site.trigger("steps")
    assert site.run_state(other) == "queued"
    (site.root / "release").touch()
    assert site.engine is not None
    assert await site.engine.ended() == 0
    assert site.tasks(run_id) == {"python": "success", "script": "success", "after": "scheduled"}
    assert "draining" in site.value("SELECT blockers FROM task_instance WHERE task_id = 'after'")
    await site.start()
    assert (await site.over(run_id), await site.over(other)) == ("success", "failed")


@pytest.mark.parametrize(("verb", "args"), [("drain", {}), ("stop", {"kill": True})])
async def test_an_attempt_that_cannot_be_started_holds_up_no_stop(
    make_site: MakeSite, verb: str, args: dict[str, bool]
) -> None:
    """An attempt that waits for another try of its start runs nowhere: the engine ends without it."""
    site = await make_site()
    days = obstruct(site)
    await site.start()
    run_id = await site.trigger("steps")
    await until(lambda: site.value("SELECT requeues FROM task_instance WHERE task_id = 'first'") == 1, "a start fails")
    await site.command(verb, p.Selector(), args)
    assert site.engine is not None
    assert await site.engine.ended(40) == 0
    for day in days:
        day.unlink()
    await site.start()
    assert await site.over(run_id) == "failed"
    assert site.tasks(run_id)["first"] == "success"


async def test_a_killed_runner_is_replaced_and_attempts_go_on(site: Site) -> None:
    """The engine starts another runner; what runs is watched to its end, and new attempts start."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    first = await until(site.runner, "there is a runner")
    os.kill(first, signal.SIGKILL)
    await until(lambda: site.runner() not in (0, first), "another runner stands")
    other = await site.trigger("results")
    assert await site.over(other) == "success"
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert len(site.bodies()) == len(set(site.bodies()))


async def test_a_killed_host_loses_no_result(site: Site) -> None:
    """A Python task whose host is killed ends by itself, and its own status counts."""
    run_id = await site.trigger("hold")
    await bodies_run(site, 2)
    attempt = site.attempts(run_id, "python")[0]["id"]
    hosts = [pid for pid, text in site.processes().items() if " host " in text and attempt not in text]
    assert hosts
    for pid in hosts:
        os.kill(pid, signal.SIGKILL)
    await finish(site, run_id)


async def test_a_detached_engine_lives_on_in_a_session_of_its_own(make_site: MakeSite) -> None:
    """`--detach` returns 0 once the engine is ready; the engine has no terminal, no parent of ours, and the lock."""
    site = await make_site()
    started = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "engine", "--home", str(site.root), "--detach"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (started.returncode, started.stdout[:10]) == (0, "ready pid ")
    pid = int(started.stdout.split()[2])
    assert os.getsid(pid) not in (os.getsid(0), 0)
    assert site.terminal_of(pid) == 0
    assert await site.over(await site.trigger("steps")) == "failed"
    async with site.client() as client:
        assert client.welcome.pid == pid
        await client.command("stop", p.Selector())
    await until(lambda: not proc.exists(pid), "it ends")
    with pytest.raises(NoEngine):
        await site.trigger("steps")


async def test_a_home_with_a_long_path_has_its_socket_elsewhere(make_site: MakeSite) -> None:
    """A path that no socket can have is recorded in the home instead: a short private folder, which clients find, and
    which the next engine uses again.
    """
    site = await make_site(deep=120)
    await site.start()
    assert len(str(site.home.socket)) < 100 and site.root not in site.home.socket.parents
    assert site.home.socket.parent.stat().st_mode & 0o777 == 0o700
    before = site.home.socket
    assert await site.over(await site.trigger("steps")) == "failed"
    await site.crash()
    await site.start()
    assert site.home.socket == before
    assert await site.over(await site.trigger("steps")) == "failed"
    await site.stop()
    before.parent.chmod(0o755)
    refused = site.launch()
    assert await refused.ended() == 5
    assert "is open to other users" in refused.said[0] and str(before.parent) in refused.said[0]
    shutil.rmtree(before.parent)
    await site.start()
    assert await site.over(await site.trigger("steps")) == "failed"
    shutil.rmtree(before.parent)


async def test_the_record_of_a_far_socket_is_made_again(make_site: MakeSite) -> None:
    """A running engine records the place of its socket again where somebody removed or overwrote the record; who asks
    meanwhile makes no other place, and the engine is stopped as any other.
    """
    site = await make_site(deep=120)
    await site.start()
    record, before = site.root / "engine.sock.path", site.home.socket
    said = record.read_text()
    for harm in (record.unlink, lambda: record.write_text("elsewhere\n"), lambda: record.write_text("")):
        harm()
        with suppress(NoEngine):
            await site.trigger("steps")
        await until(lambda: record.exists() and record.read_text() == said, "the engine records it again")
    assert site.home.socket == before and record.stat().st_mode & 0o077 == 0
    assert await site.stop() == 0


def test_who_only_looks_for_an_engine_makes_no_place_for_its_socket(tmp_path: Path) -> None:
    """Where none is recorded, a client of a home with a long path writes nothing into it: only an engine does."""
    home = Home(tmp_path / ("deep" * 30))
    home.root.mkdir()
    assert not home.socket.exists()
    assert list(home.root.iterdir()) == []


async def test_a_home_open_to_others_is_refused(make_site: MakeSite) -> None:
    """A home whose folder other users may enter is not served: the engine says which chmod helps, and exits with 5."""
    site = await make_site()
    site.root.chmod(0o755)
    engine = site.launch()
    assert await engine.ended() == 5
    assert engine.said == [f"{site.root} is open to other users: chmod 700 {site.root}"]


async def test_files_of_a_home_are_its_owners_alone(site: Site) -> None:
    """Folders are 0700 and files 0600, whatever the umask of whoever started the engine."""
    assert await site.over(await site.trigger("results")) == "success"
    ours = ("state.db", "engine.lock", "engine.sock", "attempts", "versions")
    for path, found in (each for name in ours for each in everything_in(site.root / name)):
        mode = found.st_mode & 0o777
        assert mode & 0o077 == 0, f"{path} is {mode:o}"
