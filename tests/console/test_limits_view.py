"""The page of limits, read from a real store, and the sentences of why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from console.actions.views.limits import VIEW
from console.backends.pages import Pages
from console.backends.specs import Specs
from console.backends.waiting import waiting
from console.figures import clock
from console.model.limits import BreakerCard, LimitsCard, PoolCard, QuestionCard, WaitCard
from console.model.runs import Mention
from console.model.snapshot import Page
from console.model.targets import Target
from engine.lifecycle.events import Answered
from engine.model.dag import ApprovalSpec, DagSpec, ParamSpec, TaskSpec
from engine.store.batch import Batch
from engine.store.reader import Reader
from tests.support.console import NOW as T0
from tests.support.console import console, scene, trades, world
from tests.support.console_store import NOW, FilledHome, task

SPEC = DagSpec(
    "close",
    "close.py",
    [
        task("load"),
        TaskSpec("wait", "shell", command="true"),
        TaskSpec(
            "sign_off", "approval",
            approval=ApprovalSpec(
                "Close?", rejects=["reject"], params={"n": ParamSpec(1)}, timeout=3600.0, default="reject"
            ),
        ),
    ],
)  # fmt: skip


async def test_the_page_shows_pools_breakers_and_questions(tmp_path: Path) -> None:
    """Who holds a pool, how a breaker stands, what a person is asked; and why a task waits, in a sentence."""
    SPEC.tasks[0].pool = SPEC.tasks[1].pool = "db"
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    await filled.put_dag(SPEC)
    batch = Batch()
    batch.add(
        "pool.put", name="db", slots=1, description=None, configured=None, include_deferred=0, configured_deferred=0
    )
    batch.add(
        "breaker.put", name="db-1", state="open", failures=5, cooldown=60, until=None, opened_at=NOW,
        last_failure_at=NOW, last_error="no\x1b[2J", probe=None, by="ops1", note=None, victims=json.dumps(["close"]),
    )  # fmt: skip
    await filled.commit(batch)
    memory = await filled.start("close", NOW)
    await filled.claim(memory, "load")
    filled.instance(memory, "wait").blockers = ("pool:db",)
    await filled.claim(memory, "wait")
    reader = Reader(filled.home.database)
    try:
        page = Pages(reader, Specs(reader), lambda: NOW).refresh(Page("limits"), None)
        assert isinstance(page, LimitsCard)
        (pool,) = page.pools
        assert (pool.name, pool.slots, pool.used, [holder.name for holder in pool.holders]) == (
            "db",
            1,
            2,
            ["load", "wait"],
        )
        (breaker,) = page.breakers
        assert (breaker.by, "\x1b" in str(breaker.last_error)) == ("ops1", False)
        (asked,) = page.questions
        assert (asked.task_id, asked.options, asked.params[0].name) == ("sign_off", ("approve", "reject"), "n")
        run_id = memory.run.run_id
        said = waiting(reader, run_id, "sign_off", -1, NOW)
        assert said.question == asked
        assert said.sentences[0].startswith("it waits for a person: Close? (approve, reject); reject is taken at ")
        assert waiting(reader, run_id, "load", -1, NOW).sentences == ()
        assert waiting(reader, run_id, "nothing", -1, NOW).question is None
        await filled.do(memory, Answered(filled.instance(memory, "sign_off").id, "approve", True, None, "ops1"))
        assert waiting(reader, run_id, "sign_off", -1, NOW).question is None
    finally:
        reader.close()
        await filled.close()


async def test_i_explains_the_row_under_the_cursor() -> None:
    """Pool, breaker, question and the engine's own limits: each says how it stands and what frees it."""
    asked = QuestionCard("close@1", "close", "ask", -1, "Close?", ("yes", "no"), (), T0, None, None)
    card = LimitsCard(
        (PoolCard("db", 1, 1, 1, None, ()),),
        (BreakerCard("geo", "open", 2, None, T0, "503", False, None, None, ()),),
        (asked,),
    )
    backend = world()
    backend.pages["limits"] = lambda args: card
    backend.waits["pool", "db", -1] = WaitCard(("pool db has 1 slot", "wanted by hold_a of close@1"))
    backend.waits["breaker", "geo", -1] = WaitCard(("breaker geo is open",))
    backend.waits["close@1", "ask", -1] = WaitCard((), asked)
    async with console(backend) as screen:
        await screen.press("6")
        for words in (
            "One of: yes, no",
            "Wanted by hold_a of close@1.",
            "Breaker geo is open.",
            "Why: slots of the engine",
        ):
            await screen.press("i")
            await screen.shows(words)
            assert screen.app.screen is not screen.app.stage
            await screen.press("escape", "j")


def test_who_answered_is_the_reason_why_nobody_else_can() -> None:
    """The key of an approval that is over names who was first and when, or that nobody was in time."""
    (answer,) = [action for action in VIEW.actions if action.id == "answer"]
    detail = trades("success")

    def why_not(**more: object) -> str | None:
        load = detail.tasks[4]._replace(**more)
        tasks = (*detail.tasks[:4], load, detail.tasks[5])
        return answer.why_not(
            scene(detail=replace(detail, tasks=tasks)), Target("run", "trades_us", "trades_us@7", "load")
        )

    assert why_not(mention=Mention("ops2", "answer", T0)) == f"load was answered by ops2 at {clock(T0)}"
    assert why_not(reason="unanswered") == "nobody answered load in time: its default was taken, or it failed"
    assert why_not(mention=Mention("ops2", "clear", T0)) == "load waits for no answer"
    assert why_not(state="awaiting_input") is None
