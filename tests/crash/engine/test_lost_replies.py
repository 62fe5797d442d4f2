"""An engine that is killed between the commit of a command and its reply: sent again, it has been done once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.control import protocol as p
from engine.control.client import NoEngine, new_command_id
from tests.support.engine import Site, Sites, closing

pytestmark = pytest.mark.processes
DAGS = {
    "one.py": """
        with DAG("one", max_active_runs=50):
            shell("a", "true") >> shell("b", "true")
    """
}
STEPS: list[tuple[str, dict[str, Any], str]] = [
    ("hold", {}, ""),
    ("trigger", {}, "dag"),
    ("prioritize", {"by": 3}, "run"),
    ("mark", {"state": "failed"}, "task"),
    ("undo", {}, ""),
    ("cancel", {}, "run"),
    ("rerun", {}, "run"),
    ("pause", {}, "dag"),
    ("resize", {"pool": "p", "slots": 2}, ""),
    ("release", {}, ""),
]
"""One after the other on the same home; each is possible after those before it."""


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    """A home whose engine dies when a file says so."""
    with closing(await sites.make(DAGS)) as made:
        await made.start(DAGDECK_FAILPOINT=f"@{made.root / 'armed'}")
        yield made


async def test_a_command_whose_reply_was_lost_is_done_once(site: Site) -> None:
    """Whatever the verb: one row of the audit, one effect, and the answer that the first one would have had."""
    armed, run = site.root / "armed", ""
    for verb, args, about in STEPS:
        name = new_command_id()
        select = p.Selector(
            dag_ids=["one"] if about == "dag" else [],
            run_ids=[run] if about in ("run", "task") else [],
            task_ids=["a"] if about == "task" else [],
        )
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
        run = str(done.result.get("run_id", run))
    assert site.value("SELECT count(*) FROM run") == 1
    assert site.value("SELECT slots FROM pool WHERE name = 'p'") == 2
