"""Commands: recorded with their actor before they are acknowledged, applied once, refused when stale or senseless."""

from __future__ import annotations

import asyncio
import json
import os
import pwd

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused, new_command_id
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

QUICK = p.Selector(dag_ids=["quick"])


def audit(site: Site, command_id: str) -> list[dict[str, object]]:
    """The audit's rows of one command."""
    names = (
        "verb",
        "user",
        "uid",
        "client",
        "outcome",
        "message",
        "args",
        "selector",
        "note",
        "applied_seq",
        "claimed",
    )
    found = site.rows(f"SELECT {', '.join(names)} FROM command WHERE id = ?", command_id)
    return [dict(zip(names, row, strict=True)) for row in found]


async def test_a_command_is_in_the_audit_with_its_actor_before_it_is_acknowledged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the reply comes, the row stands: who (as the kernel says), by which client, what, with which note; what
    the client only claims is kept apart.
    """
    monkeypatch.setenv("SUDO_USER", "mallory")
    name = new_command_id()
    async with site.client("console") as client:
        done = await client.command("trigger", QUICK, {"params": {"rows": 5}}, note="for the audit", command_id=name)
        (row,) = audit(site, name)
    assert done.message == f"triggered {done.result['run_id']}"
    assert (row["uid"], row["client"], row["verb"], row["outcome"]) == (os.getuid(), "console", "trigger", "done")
    assert row["user"] in (pwd.getpwuid(os.getuid()).pw_name, "mallory?")
    assert json.loads(str(row["claimed"]))["SUDO_USER"] == "mallory"
    assert json.loads(str(row["args"])) == {"params": {"rows": 5}}
    assert json.loads(str(row["selector"])) == {"dag_ids": ["quick"]}
    assert (row["note"], row["applied_seq"]) == ("for the audit", done.seq)
    assert site.value("SELECT params FROM run WHERE run_id = ?", done.result["run_id"]) == '{"rows": 5, "who": "me"}'


async def test_the_same_command_sent_twice_is_applied_once(site: Site) -> None:
    """The second answer is the first one again, also from an engine that was killed and started in between."""
    name = new_command_id()
    first = await site.command("trigger", QUICK, command_id=name)
    again = await site.command("trigger", QUICK, command_id=name)
    await site.crash()
    await site.start()
    after = await site.command("trigger", QUICK, command_id=name)
    assert first.result == again.result == after.result
    assert first.seq >= again.seq == after.seq
    assert site.value("SELECT count(*) FROM run") == 1
    assert len(audit(site, name)) == 1


async def test_the_same_command_over_many_connections_at_once_is_applied_once(site: Site) -> None:
    """Retries that overtake each other all get the one answer, and the engine goes on as if it had been one."""
    name = new_command_id()
    answers = await asyncio.gather(*(site.command("trigger", QUICK, command_id=name) for _ in range(10)))
    assert len({answer.result["run_id"] for answer in answers}) == 1
    assert site.value("SELECT count(*) FROM run") == 1
    assert "degraded" not in site.log()


async def test_a_refused_command_is_in_the_audit_and_stays_refused(site: Site) -> None:
    """What was asked for and not done is recorded with the reason; the same id is refused again the same way."""
    name = new_command_id()
    for _ in range(2):
        with pytest.raises(CommandRefused, match="nothing to resume: quick is not paused"):
            await site.command("resume", QUICK, command_id=name)
    (row,) = audit(site, name)
    assert (row["outcome"], row["message"]) == ("refused", "nothing to resume: quick is not paused")


async def test_a_lost_acknowledgement_is_answered_by_asking_again(site: Site) -> None:
    """An engine killed between commit and reply has done the command: the retry under the next engine says so."""
    await site.crash()
    engine = await site.start(DAGDECK_FAILPOINT="store.after_commit:2")
    name = new_command_id()
    with pytest.raises(Exception, match=r"closed|gone|broke"):
        await site.command("trigger", QUICK, command_id=name)
    await engine.ended()
    assert len(audit(site, name)) == 1
    await site.start()
    done = await site.command("trigger", QUICK, command_id=name)
    assert await site.over(str(done.result["run_id"])) == "success"
    assert site.value("SELECT count(*) FROM run") == 1


async def test_a_stale_command_is_refused_naming_who_came_first(site: Site) -> None:
    """Rows that moved since the operator looked are left alone: the answer names them, what happened, and by whom."""
    run_id = await site.trigger("held")
    await site.state(run_id, "waits", "running")
    seen = site.value("SELECT max(seq) FROM event")
    select = p.Selector(run_ids=[run_id], task_ids=["after"])
    await site.command("mark", select, {"state": "skipped"}, seen_seq=seen)
    with pytest.raises(CommandRefused) as refusal:
        await site.command("mark", select, {"state": "failed"}, seen_seq=seen)
    user = pwd.getpwuid(os.getuid()).pw_name
    assert refusal.value.code == "stale"
    assert f"after of {run_id}: mark by {user}" in str(refusal.value) and "skipped now" in str(refusal.value)
    assert site.tasks(run_id)["after"] == "skipped"


async def test_a_partly_stale_command_does_the_rest_and_says_so(site: Site) -> None:
    """Of two tasks that were seen waiting, the one that moved meanwhile is skipped and named; the answer counts what
    was really changed.
    """
    run_id = await site.trigger("held")
    await site.state(run_id, "waits", "running")
    seen = site.value("SELECT max(seq) FROM event")
    await site.act("mark", run_id, "after", state="skipped")
    both = p.Selector(run_ids=[run_id], task_ids=["waits", "after"])
    done = await site.command("mark", both, {"state": "failed"}, seen_seq=seen)
    assert (done.changed, len(done.skipped)) == (1, 1)
    assert done.message == "marked 1 task instance failed"
    assert "after" in done.skipped[0]
    await site.state(run_id, "waits", "failed")
    assert site.tasks(run_id)["after"] == "skipped"


async def test_a_cancel_of_a_run_that_moved_cancels_all_of_it_or_nothing(site: Site) -> None:
    """A run that has started since it was seen queued is not cancelled by halves: the command is refused as stale."""
    await site.command("pause", p.Selector(dag_ids=["held"]))
    run_id = await site.trigger("held")
    seen = site.value("SELECT max(seq) FROM event")
    await site.command("resume", p.Selector(dag_ids=["held"]))
    await site.state(run_id, "waits", "running")
    with pytest.raises(CommandRefused) as refusal:
        await site.command("cancel", p.Selector(run_ids=[run_id]), seen_seq=seen)
    assert refusal.value.code == "stale"
    assert site.run_state(run_id) == "running"
    await site.command("cancel", p.Selector(run_ids=[run_id]), seen_seq=site.value("SELECT max(seq) FROM event"))
    assert await site.over(run_id) == "cancelled"


SENSELESS = [
    ("trigger", p.Selector(dag_ids=["quick"]), {"params": 5}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick"]), {"params": ["rows"]}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick"]), {"params": {"rows": -1}}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick"]), {"params": {"colour": "red"}}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick"]), {"param_texts": {"rows": 4}}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick"]), {"param_texts": [["rows"]]}, "invalid"),
    ("trigger", p.Selector(dag_ids=["daily"]), {"logical_date": "yesterday"}, "invalid"),
    ("trigger", p.Selector(dag_ids=["daily"]), {"logical_date": ["2024-01-01"]}, "invalid"),
    ("trigger", p.Selector(dag_ids=["daily"]), {"logical_date": "0001-01-01"}, "invalid"),
    ("trigger", p.Selector(dag_ids=["quick", "daily"]), {}, "invalid"),
    ("trigger", p.Selector(), {}, "invalid"),
    ("trigger", p.Selector(dag_ids=["nothing"]), {}, "not_found"),
    ("clear", p.Selector(), {}, "invalid"),
    ("clear", p.Selector(run_ids=["nothing@20240101T000000Z"]), {}, "not_found"),
    ("mark", p.Selector(run_ids=["nothing@20240101T000000Z"], task_ids=["one"]), {"state": "fine"}, "invalid"),
    ("mark", p.Selector(run_ids=["x"], task_ids=["one"]), {"state": ["success"]}, "invalid"),
    ("pause", p.Selector(dag_ids=["nothing"]), {}, "not_found"),
    ("explode", p.Selector(), {}, "invalid"),
]


@pytest.mark.parametrize("as_command", [False, True], ids=["preview", "command"])
async def test_senseless_commands_are_refused_with_a_reason(site: Site, as_command: bool) -> None:
    """Wrong names, values and shapes are refused as what they are, and disturb nothing: the same connection goes on."""
    async with site.client() as client:
        for verb, select, args, code in SENSELESS:
            with pytest.raises(CommandRefused) as refusal:
                await (client.command if as_command else client.preview)(verb, select, args)
            assert refusal.value.code == code, (verb, select, args, str(refusal.value))
            assert len(str(refusal.value)) > 10
        with pytest.raises(CommandRefused, match="32 hex digits"):
            await client.command("trigger", QUICK, command_id="again")
        assert (await client.command("trigger", QUICK)).changed == 1
    assert site.value("SELECT count(*) FROM run") == 1
    assert "degraded" not in site.log() and "client_dropped" not in site.log()


@pytest.mark.parametrize(
    "date", ["9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "1970-01-01", "2024-03-31T02:30", "2199-01-01"]
)
async def test_odd_dates_make_runs_or_are_refused(site: Site, date: str) -> None:
    """Dates at the ends of the calendar, in a gap hour or far ahead never disturb the engine."""
    for dag_id in ("quick", "daily", "tokyo"):
        try:
            run_id = await site.trigger(dag_id, logical_date=date)
        except CommandRefused as refusal:
            assert refusal.code == "invalid"
        else:
            assert await site.over(run_id) == "success"
    assert "degraded" not in site.log()


async def test_numbers_that_the_store_cannot_hold_are_refused(site: Site) -> None:
    """A number of an event that no store can hold is the client's mistake, not the engine's fault."""
    with pytest.raises(CommandRefused):
        await site.command("trigger", QUICK, seen_seq=10**30)
    with pytest.raises(CommandRefused):
        await site.command("trigger", QUICK, seen_seq=-1)
    assert "degraded" not in site.log()
    assert await site.over(await site.trigger("quick")) == "success"


async def test_everything_acknowledged_before_a_kill_is_there_after_it(site: Site) -> None:
    """Commands poured in while the engine is killed: each that was acknowledged stands in the audit with its run."""
    acknowledged: list[p.Done] = []

    async def pour() -> None:
        async with site.client() as client:
            while True:
                acknowledged.append(await client.command("trigger", QUICK))

    pouring = [asyncio.create_task(pour()) for _ in range(4)]
    await until(lambda: len(acknowledged) >= 40, "forty commands are acknowledged")
    await site.crash()
    await asyncio.gather(*pouring, return_exceptions=True)
    runs = {run_id for (run_id,) in site.rows("SELECT run_id FROM run")}
    assert {str(done.result["run_id"]) for done in acknowledged} <= runs
    assert site.value("SELECT count(*) FROM command") == len(runs)
    created = dict(site.rows("SELECT r.run_id, min(e.seq) FROM run r JOIN event e ON e.run = r.id GROUP BY r.id"))
    assert all(created[str(done.result["run_id"])] <= done.seq for done in acknowledged)


async def test_different_tasks_of_several_runs_are_one_command(site: Site) -> None:
    """`RUN/TASK` is that run's task alone: the same name in another run of the command is not touched."""
    runs = [await site.trigger("held") for _ in range(2)]
    await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'running'") == 2, "both run")
    seen = site.value("SELECT max(seq) FROM event")
    mine = p.Selector(run_ids=runs, task_ids=[f"{runs[0]}/after"])
    await site.command("mark", mine, {"state": "skipped"}, seen_seq=seen)
    assert site.tasks(runs[0])["after"] == "skipped" and site.tasks(runs[1])["after"] != "skipped"
    with pytest.raises(CommandRefused, match="has no task nothing"):
        await site.command("mark", p.Selector(run_ids=runs, task_ids=[f"{runs[1]}/nothing"]), {"state": "failed"})
