"""Every state, reason and rule of the page about them really occurs in the sample DAG that the page names."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from engine.control import protocol as p
from tests.support.engine import PATIENCE, Site, Sites, closing, until
from tests.support.shown import rows
from tests.support.source import PROJECT

pytestmark = pytest.mark.processes

CONFIG = """
slots = 24
[pools]
demo_db = 2
demo_source = { slots = 1, include_deferred = true }
[connections.demo_api]
uri = "https://api.example.org"
token = { file = "demo_secrets.toml", key = "demo.token" }
"""
PARAMS = {"slow_steps": {"seconds": 20}}
DATES = {"flaky_api": "2024-01-15T00:02:00Z", "weather_daily": "2012-01-14"}
"""Dates at which a sample does what it is there for."""

Seen = dict[str, dict[str, set[str]]]
"""By kind of row and DAG: the codes that occurred."""


async def start(site: Site, dag_id: str, **params: object) -> str:
    """A run of a sample, as its page says."""
    args: dict[str, object] = {"params": {**PARAMS.get(dag_id, {}), **params}, "parallel": True}
    if dag_id in DATES:
        args["logical_date"] = DATES[dag_id]
    return await site.trigger(dag_id, **args)


async def plain(site: Site, dag_id: str) -> None:
    """Triggers it and waits."""
    await site.over(await start(site, dag_id))


async def failing(site: Site, dag_id: str) -> None:
    """Asks it to fail."""
    await site.over(await start(site, dag_id, fail=True))


async def without_items(site: Site, dag_id: str) -> None:
    """Gives it nothing to map over."""
    await site.over(await start(site, dag_id, files=0))


async def cleared(site: Site, dag_id: str) -> None:
    """Clears what is over."""
    run_id = await start(site, dag_id)
    await site.over(run_id)
    await site.act("clear", run_id)
    await site.over(run_id)


async def marked(site: Site, dag_id: str) -> None:
    """Marks what failed as a success: what it had dragged down is decided anew."""
    run_id = await start(site, dag_id)
    await site.over(run_id)
    failed = next(name for name, state in site.tasks(run_id).items() if state == "failed")
    await site.act("mark", run_id, failed, state="success")
    await site.over(run_id)


async def first_running(site: Site, run_id: str) -> str:
    """The task that runs first."""
    await until(lambda: "running" in site.tasks(run_id).values(), f"{run_id} runs")
    return next(name for name, state in site.tasks(run_id).items() if state == "running")


async def killed(site: Site, dag_id: str) -> None:
    """Kills the task that runs."""
    run_id = await start(site, dag_id)
    await site.act("kill", run_id, await first_running(site, run_id))
    await site.over(run_id)


async def cancelled(site: Site, dag_id: str) -> None:
    """Cancels the run while it runs."""
    run_id = await start(site, dag_id)
    await first_running(site, run_id)
    await site.act("cancel", run_id)
    await site.over(run_id)


async def paused(site: Site, dag_id: str) -> None:
    """Pauses the run while it runs, and has it go on before it is ended."""
    run_id = await start(site, dag_id)
    await first_running(site, run_id)
    await site.act("pause", run_id)
    await site.act("resume", run_id)
    await site.act("cancel", run_id)
    await site.over(run_id)


async def forced(site: Site, dag_id: str) -> None:
    """Has what was left out run all the same."""
    run_id = await start(site, dag_id)
    await site.over(run_id)
    skipped = next(name for name, state in site.tasks(run_id).items() if state == "skipped")
    await site.act("clear", run_id, skipped, force=True)
    await site.over(run_id)
    assert site.tasks(run_id)[skipped] == "success"


async def retried(site: Site, dag_id: str) -> None:
    """Does not wait for the retry."""
    run_id = await start(site, dag_id)
    await until(lambda: "up_for_retry" in site.tasks(run_id).values(), f"{run_id} waits for a retry")
    waiting = next(name for name, state in site.tasks(run_id).items() if state == "up_for_retry")
    await site.act("retry", run_id, waiting)
    await site.over(run_id)


async def edited(site: Site, dag_id: str) -> None:
    """Takes the last task out of the DAG's file and runs the run again."""
    run_id = await start(site, dag_id)
    await site.over(run_id)
    number = "SELECT max(number) FROM dag_version WHERE dag_id = ?"
    before, (file,) = site.value(number, dag_id), site.rows("SELECT file FROM dag WHERE dag_id = ?", dag_id)[0]
    path = site.home.dags / file
    lines = path.read_text().rstrip().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    await until(lambda: site.value(number, dag_id) > before, f"{dag_id} has a new version")
    await site.act("rerun", run_id)
    await site.over(run_id)


async def answered(site: Site, dag_id: str) -> None:
    """Answers what is asked."""
    run_id = await start(site, dag_id)
    await until(lambda: site.tasks(run_id)["sign_off"] == "awaiting_input", f"{run_id} asks")
    await site.act("answer", run_id, "sign_off", option="approve")
    await site.over(run_id)


async def broken_through(site: Site, dag_id: str) -> None:
    """Lets a breaker open by failures, and closes it by hand so that nobody waits for its cooldown."""
    run_id = await start(site, dag_id, down=True)
    opened = "SELECT count(*) FROM breaker WHERE name = 'demo_api' AND state = 'open'"
    await until(lambda: site.value(opened), "the breaker opens")
    await site.command("reset", p.Selector(), {"breaker": "demo_api"})
    await site.over(run_id)


async def undone(site: Site, dag_id: str) -> None:
    """Clears what has failed while nothing may start, and takes that back."""
    run_id = await start(site, dag_id)
    await site.over(run_id)
    await site.command("hold", p.Selector(), {"scope": "dag", "pattern": dag_id})
    name = uuid4().hex
    await site.command("clear", p.Selector(run_ids=[run_id]), command_id=name)
    await site.command("undo", p.Selector(), {"command": name})
    await site.command("release", p.Selector(), {"scope": "dag", "pattern": dag_id})
    await site.over(run_id)


async def stopped(site: Site, dag_id: str) -> None:
    """Stops the engine with all that runs."""
    run_id = await start(site, dag_id)
    await first_running(site, run_id)
    assert site.engine is not None
    await site.command("stop", p.Selector(), {"kill": True})
    await site.engine.ended()
    await site.start()
    await first_running(site, run_id)
    await site.act("cancel", run_id)
    await site.over(run_id)


async def lost(site: Site, dag_id: str) -> None:
    """Kills the engine, hosts and tasks with SIGKILL, all at once."""
    run_id = await start(site, dag_id)
    await first_running(site, run_id)
    assert site.engine is not None
    site.engine.kill(signal.SIGKILL)
    site.kill_processes()
    await site.engine.ended()
    await site.start()
    await until(lambda: "lost" in [a["outcome"] for a in _attempts(site, run_id)], f"{run_id} has lost an attempt")
    if site.run_state(run_id) == "running":
        await site.act("cancel", run_id)
    await site.over(run_id)


def _attempts(site: Site, run_id: str) -> list[dict[str, object]]:
    return [each for task in site.tasks(run_id) for each in site.attempts(run_id, task)]


BESIDE: dict[str, Callable[[Site, str], Awaitable[None]]] = {
    "trigger it": plain,
    "trigger it with `fail=true`": failing,
    "trigger it with `files=0`": without_items,
    "`dagdeck clear` it when it is over": cleared,
    "`dagdeck mark` what failed as a success": marked,
    "`dagdeck kill` what runs": killed,
    "`dagdeck cancel` it while it runs": cancelled,
    "`dagdeck pause` it while it runs": paused,
    "`dagdeck clear --force` what was skipped": forced,
    "`dagdeck retry` what waits for its retry": retried,
    "`dagdeck answer` it": answered,
    "trigger it with `down=true`": broken_through,
    "`dagdeck clear`, then `dagdeck undo` before anything of it starts": undone,
    "take its last task out of the file, and rerun it": edited,
}
"""What the page says has to be done, and how it is done here: side by side."""

ALONE = {
    "`dagdeck engine stop --kill` while it runs": stopped,
    "SIGKILL to the engine, its hosts and all tasks at once": lost,
}
"""The same for what ends the engine."""


def seen(site: Site) -> Seen:
    """What has occurred, from the feed, the attempts and the definitions of tasks that were decided."""
    found: Seen = {}

    def note(kind: str, dag_id: str, *codes: str | None) -> None:
        found.setdefault(kind, {}).setdefault(dag_id, set()).update(code for code in codes if code)

    for dag_id, kind, state, reason in site.rows(
        "SELECT r.dag_id, e.kind, e.to_state, e.reason FROM event e JOIN run r ON r.id = e.run "
        "WHERE e.kind IN ('run', 'task', 'attempt')"
    ):
        if kind != "attempt":
            note(f"{kind} state", dag_id, state)
        note("reason", dag_id, reason)
    for dag_id, outcome, failure, reason in site.rows(
        "SELECT t.dag_id, a.outcome, a.failure_class, a.reason FROM attempt a JOIN task_instance t "
        "ON t.id = a.task_instance"
    ):
        note("outcome", dag_id, outcome)
        note("failure class", dag_id, failure)
        note("reason", dag_id, reason)
    for dag_id, reason in site.rows("SELECT dag_id, reason FROM run UNION SELECT dag_id, reason FROM task_instance"):
        note("reason", dag_id, reason)
    for dag_id, state in site.rows("SELECT dag_id, state FROM task_instance"):
        note("task state", dag_id, state)
    for (dag_id,) in site.rows("SELECT DISTINCT dag_id FROM run WHERE state IN ('success', 'failed')"):
        note("ran", dag_id, "ran")
    return found


@pytest.fixture
async def played(sites: Sites) -> Seen:
    """A home with all samples, in which everything that the page says was done, and what occurred in it."""
    needed = [row for row in rows() if row.test is None and row.how]
    with closing(sites.bare(CONFIG)) as site:
        shutil.copytree(PROJECT / "sample_dags", site.home.dags, dirs_exist_ok=True)
        secrets = site.root / "demo_secrets.toml"
        secrets.touch(0o600)
        secrets.write_text('[demo]\ntoken = "not-a-real-token"\n')
        await site.start()
        samples = sorted({row.sample for row in needed})
        await until(lambda: site.knows(*samples), "the samples are loaded", PATIENCE)
        plays = sorted({(row.how, row.sample) for row in needed})
        unknown = [how for how, _ in plays if how not in BESIDE and how not in ALONE]
        assert not unknown, f"nobody knows how to do this: {unknown}"
        both = sorted(plays, key=lambda play: play[0].startswith("take"))  # an edit is for what comes after it
        before = [BESIDE[how](site, sample) for how, sample in both if how in BESIDE and not how.startswith("take")]
        await asyncio.gather(*before)
        await asyncio.gather(*(BESIDE[how](site, sample) for how, sample in both if how.startswith("take")))
        for how, sample in plays:
            if how in ALONE:
                await ALONE[how](site, sample)
        return seen(site)


async def test_everything_on_the_page_occurs(played: Seen) -> None:
    """What the page says of a state or rule is what the sample does when it is done."""
    missing = []
    for row in rows():
        if row.test is not None:
            continue
        if row.sample == "nothing yet":
            assert not any(row.code in codes for codes in played.get(row.kind, {}).values()), f"{row} has a sample now"
            continue
        kind, code = ("ran", "ran") if row.kind.endswith("rule") else (row.kind, row.code)
        if code not in played.get(kind, {}).get(row.sample, set()):
            missing.append(row)
    told = [f"{row.kind} {row.code}: {row.sample}, {row.how}" for row in missing]
    assert not told, "\n".join(told)
