"""An engine that is killed between the commit of a command and its reply: sent again, it has been done once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from engine.control import protocol as p
from engine.control.client import NoEngine, new_command_id
from engine.control.verbs import VERBS
from tests.support.engine import Site, Sites, closing, until

pytestmark = pytest.mark.processes
DAGS = {
    "several.py": """
        from dagdeck import approval

        with DAG("one", max_active_runs=50):
            shell("a", "true") >> shell("b", "true")
        with DAG("fails"):
            shell("a", "exit 7")
        with DAG("breaks"):
            shell("a", "exit 9")
        with DAG("waits"):
            shell("a", "exit 8", retries=1, retry_delay="1h")
        with DAG("sleeps"):
            shell("a", "sleep 600")
        with DAG("asks"):
            approval("a")
        with DAG("daily", schedule="@daily", start_date="2024-01-01", end_date="2024-01-09"):
            shell("a", "true")
    """
}


class Step(NamedTuple):
    """One command. `about` is the DAG whose run it is about, or the DAG itself."""

    verb: str
    about: str = ""
    what: str = ""
    """`dag`, `run` or `task`; empty: nothing of these."""
    args: Mapping[str, Any] = MappingProxyType({})


DATES = {"start": "2024-01-02..2024-01-04"}
STEPS = (
    Step("stack", "sleeps", "task"),
    Step("kill", "sleeps", "task"),
    Step("retry", "waits", "task"),
    Step("acknowledge"),
    Step("hold"),
    Step("claim", args={"cause": "exit code 9"}),
    Step("resolve", args={"cause": "exit code 9"}),
    Step("recover", args={"cause": "exit code 7"}),
    Step("delete", "breaks", "run"),
    Step("restore", args={"run_ids": ["breaks"]}),
    Step("trigger", "one", "dag"),
    Step("prioritize", "one", "run", {"by": 3}),
    Step("mark", "one", "task", {"state": "failed"}),
    Step("undo"),
    Step("cancel", "one", "run"),
    Step("rerun", "one", "run"),
    Step("clear", "one", "task"),
    Step("pause", "one", "dag"),
    Step("resume", "one", "dag"),
    Step("resize", args={"pool": "p", "slots": 2}),
    Step("remove", args={"pool": "p"}),
    Step("trip", args={"breaker": "db-1"}),
    Step("reset", args={"breaker": "db-1"}),
    Step("answer", "asks", "task", {"option": "approve"}),
    Step("backfill_create", "daily", "dag", DATES),
    Step("backfill_pause", args={"id": 1}),
    Step("backfill_resume", args={"id": 1}),
    Step("backfill_cancel", args={"id": 1}),
    Step("backfill_retry", args={"id": 1}),
    Step("release"),
    Step("prune"),
    Step("drain"),
    Step("stop"),
)
"""One after the other on the same home; each is possible after those before it."""
STANDS = {"sleeps": "running", "fails": "failed", "breaks": "failed", "waits": "up_for_retry", "asks": "awaiting_input"}
"""Runs that there are from the beginning, and how their task stands then."""


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    """A home whose engine dies when a file says so."""
    with closing(await sites.make(DAGS)) as made:
        await made.start(DAGDECK_FAILPOINT=f"@{made.root / 'armed'}")
        yield made


def test_every_verb_is_tried() -> None:
    """A verb that is not among the steps has not been shown to survive this."""
    assert {step.verb for step in STEPS} == set(VERBS)


async def test_a_command_whose_reply_was_lost_is_done_once(site: Site) -> None:
    """Whatever the verb: one row of the audit, one effect, and the answer that the first one would have had."""
    armed = site.root / "armed"
    runs = {dag_id: await site.trigger(dag_id) for dag_id in STANDS}

    def stands(dag_id: str) -> str:
        state: str = site.value("SELECT state FROM task_instance WHERE dag_id = ?", dag_id)
        return state

    await until(lambda: {dag_id: stands(dag_id) for dag_id in STANDS} == STANDS, "all runs stand as they are to")
    for verb, about, what, args in STEPS:
        name = new_command_id()
        select = p.Selector(
            dag_ids=[about] if what == "dag" else [],
            run_ids=[runs[about]] if what in ("run", "task") else [],
            task_ids=["a"] if what == "task" else [],
        )
        args = {"run_ids": [runs["breaks"]]} if verb == "restore" else dict(args)
        armed.with_name("armed.tally").unlink(missing_ok=True)
        armed.write_text("store.after_commit:1")
        with pytest.raises(NoEngine):
            await site.command(verb, select, args, command_id=name)
        assert site.engine is not None
        await site.engine.ended()
        armed.unlink()
        await site.start(DAGDECK_FAILPOINT=f"@{armed}")
        done = await site.command(verb, select, args, command_id=name)
        assert site.rows("SELECT verb, outcome, message FROM command WHERE id = ?", name) == [
            (verb, "done", done.message)
        ]
        if verb == "trigger":
            runs[about] = str(done.result["run_id"])
    assert site.value("SELECT count(*) FROM run WHERE dag_id = 'one'") == 1
    assert site.value("SELECT priority FROM run WHERE dag_id = 'one'") == 3
    assert site.value("SELECT count(*) FROM backfill") == 1
    assert site.value("SELECT count(*) FROM answer") == 1
    assert site.value("SELECT count(*) FROM run WHERE dag_id = 'breaks'") == 1
