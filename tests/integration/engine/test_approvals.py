"""Approvals on a real engine: two people at once, a crash while they think, and who answered from where."""

from __future__ import annotations

import asyncio

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli

pytestmark = pytest.mark.processes

FILE = """
from dagdeck import Param, approval

@task
def close(answer):
    return [answer["option"], answer["params"]["limit"]]

@dag()
def month_close():
    form = {"limit": Param(10, type="integer", maximum=100)}
    ok = approval("sign_off", "Close the books?", params=form, timeout="1h", default="reject")
    close(ok)

@dag()
def quick():
    approval("sign_off", timeout="400ms", default="approve") >> shell("after", "true")
"""


async def test_two_people_answer_at_once_after_a_crash(make_site: MakeSite, capsys: pytest.CaptureFixture[str]) -> None:
    """The question outlives the engine. One answer wins, the other is told who was first, and both are in the audit."""
    dagdeck = Cli(capsys)
    site = await make_site({"asks.py": FILE})
    await site.start()
    run_id = await site.trigger("month_close")
    await site.state(run_id, "sign_off", "awaiting_input")
    await site.crash()
    await site.start()
    assert site.tasks(run_id) == {"sign_off": "awaiting_input", "close": "none"}
    (asked,) = dagdeck("approvals", "--json", "--home", site.root).json
    assert (asked["message"], asked["options"], asked["default"]) == (
        "Close the books?",
        ["approve", "reject"],
        "reject",
    )
    said = dagdeck("why", run_id, "sign_off", "--home", site.root).out
    assert "it waits for a person: Close the books?" in said and "reject is taken at " in said
    assert f"`dagdeck answer {run_id} sign_off OPTION`" in said
    select = p.Selector(run_ids=[run_id], task_ids=["sign_off"])
    async with site.client("console") as one, site.client() as two:
        answers = await asyncio.gather(
            one.command("answer", select, {"option": "approve", "param_texts": {"limit": "20"}}),
            two.command("answer", select, {"option": "reject"}),
            return_exceptions=True,
        )
    (lost,) = [each for each in answers if isinstance(each, CommandRefused)]
    (won,) = [each for each in answers if isinstance(each, p.Done)]
    assert lost.code == "stale" and f"was answered {won.result['option']} by " in str(lost)
    ((option, by, origin),) = site.rows("SELECT option, by, origin FROM answer")
    assert option == won.result["option"] and by and origin.split()[0] in ("console", "cli")
    audit = dagdeck("audit", "--json", "--home", site.root).json
    outcomes = sorted(row["outcome"] for row in audit if row["verb"] == "answer")
    assert outcomes == ["done", "refused"]
    state = await site.over(run_id)
    assert state == ("success" if option == "approve" else "failed")
    await site.crash()
    await site.start()
    with pytest.raises(CommandRefused, match=rf"sign_off was answered {option} by {by} \d+ s ago"):
        await site.command("answer", select, {"option": "approve"})
    assert "answered" in dagdeck("why", run_id, "sign_off", "--home", site.root).out


async def test_a_default_is_taken_in_time(make_site: MakeSite) -> None:
    """Nobody answers; the rest of the run goes on with the default, and nobody is named."""
    site = await make_site({"asks.py": FILE})
    await site.start()
    run_id = await site.trigger("quick")
    assert await site.over(run_id) == "success"
    assert site.rows("SELECT option, by FROM answer") == [("approve", None)]
