"""The failure inbox and recoveries, on a real engine: one cause across DAGs and runs, put right as one action."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from engine.store.reader import Reader
from engine.store.reads_inbox import Cause, causes, failed_again, recoveries
from tests.support.engine import Site, Sites, closing, until

pytestmark = pytest.mark.processes
DAGS = {
    "down.py": """
        for name in ("eu", "us"):
            with DAG(f"load_{name}", max_active_runs=20):
                shell("load", "test -e $DAGDECK_HOME/up || exit 7") >> shell("after", "true")
        with DAG("other"):
            shell("bad", "exit 3")
    """
}
NOBODY = p.Selector()


@pytest.fixture
async def broken(sites: Sites) -> AsyncIterator[Site]:
    """A home in which five runs of two DAGs have failed of one cause, and one run of another."""
    with closing(await sites.make(DAGS)) as made:
        await made.start()
        for dag in ("load_eu", "load_us", "load_eu", "load_us", "load_eu", "other"):
            await made.command("trigger", p.Selector(dag_ids=[dag]))
        await failures(made, 6)
        yield made


async def failures(site: Site, count: int) -> None:
    """Returns once so many runs have failed."""
    await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'failed'") == count, f"{count} runs failed")


def inbox(site: Site) -> list[Cause]:
    """What is unresolved."""
    reader = Reader(site.home.database)
    try:
        return causes(reader)
    finally:
        reader.close()


async def test_failures_are_claimed_resolved_and_come_back(broken: Site) -> None:
    """By cause, across DAGs and runs; what fails anew is unresolved again; undo takes a resolution back."""
    found = {each.signature: each for each in inbox(broken)}
    assert {signature: len(each.rows) for signature, each in found.items()} == {"exit code 7": 5, "exit code 3": 1}
    other = found["exit code 3"]
    await broken.command("claim", NOBODY, {"cause": other.key})
    claim = next(each.claim for each in inbox(broken) if each.key == other.key)
    assert claim is not None
    with pytest.raises(CommandRefused, match="you are on it"):
        await broken.command("claim", NOBODY, {"cause": other.key})
    await broken.command("undo", NOBODY)
    assert all(each.claim is None for each in inbox(broken))
    await broken.command("resolve", NOBODY, {"cause": other.key}, note="known")
    assert [each.signature for each in inbox(broken)] == ["exit code 7"]
    await broken.command("undo", NOBODY)
    assert len(inbox(broken)) == 2
    await broken.command("resolve", NOBODY, {"cause": other.key})
    await broken.command("rerun", p.Selector(run_ids=[other.rows[0].run_id]))
    await until(lambda: len(inbox(broken)) == 2, "it fails again and comes back")


async def test_a_recovery_goes_on_when_its_first_run_has_succeeded(broken: Site) -> None:
    """Previewed as one plan, with what it had dragged down; failures of another cause stay; it ends by itself."""
    (broken.root / "up").touch()
    async with broken.client() as client:
        shown = await client.preview("recover", NOBODY, {"since": "1h", "error": "code 7", "at_once": 2})
        assert (shown.counts, shown.reopens) == ({"failed": 5}, 5)
        assert [row.detail for row in shown.rows[5:]] == ["decided anew"] * 5
        assert shown.rows[0].detail.startswith("goes first")
        assert ", then 4 more runs, 2 at a time" in shown.sentence and "5 more tasks follow" in shown.sentence
        done = await client.command("recover", NOBODY, {"since": "1h", "error": "code 7", "at_once": 2})
    number = done.result["recovery"]
    await until(
        lambda: broken.value("SELECT state FROM recovery WHERE id = ?", number) == "done", "the recovery is done"
    )
    assert broken.value("SELECT count(*) FROM run WHERE state = 'failed'") == 1
    order = broken.rows("SELECT run FROM run_episode WHERE number = 2 ORDER BY started_at, run")
    assert order == sorted(order)
    assert broken.value("SELECT count(*) FROM command WHERE verb = 'recover'") == 1


async def test_a_recovery_whose_first_run_fails_again_stops(broken: Site) -> None:
    """The others are left as they are, and what failed again is named."""
    done = await broken.command("recover", NOBODY, {"since": "1h", "error": "code 7"})
    number = done.result["recovery"]
    await until(lambda: broken.value("SELECT state FROM recovery WHERE id = ?", number) == "failed", "it ends")
    assert broken.value("SELECT count(*) FROM run_episode WHERE number = 2") == 1
    reader = Reader(broken.home.database)
    (line,) = recoveries(reader, 0, number)
    assert (line.total, line.failed, line.skipped, line.left) == (5, 1, 4, 0)
    assert "load: exit code 7" in failed_again(reader, number)[0][1]
    reader.close()


async def test_a_recovery_survives_the_engine(broken: Site) -> None:
    """An engine that is killed under it goes on where it was."""
    (broken.root / "up").touch()
    done = await broken.command("recover", NOBODY, {"since": "1h", "error": "code 7", "at_once": 1})
    await broken.crash()
    await broken.start()
    number = done.result["recovery"]
    await until(
        lambda: broken.value("SELECT state FROM recovery WHERE id = ?", number) == "done", "the recovery is done"
    )
    assert broken.value("SELECT count(*) FROM run WHERE state = 'success'") == 5


async def test_nothing_to_recover_is_refused(broken: Site) -> None:
    """Also a moment that is none."""
    for args, words in (({"since": "1h", "error": "none"}, "nothing to recover"), ({"since": "soon"}, "no moment"),
                        ({}, "needs a moment"), ({"stop": 9}, "no recovery 9")):  # fmt: skip
        with pytest.raises(CommandRefused, match=words):
            await broken.command("recover", NOBODY, args)


async def test_a_deleted_run_comes_back_as_it_was(broken: Site) -> None:
    """All of its rows, also under the next engine; what is under way is not deleted, and no number is given twice."""
    run = broken.rows("SELECT run_id FROM run ORDER BY id DESC LIMIT 1")[0][0]
    tables = ("run", "run_episode", "task_instance", "attempt")
    before = [broken.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    await broken.command("delete", p.Selector(run_ids=[run]), note="noise")
    assert broken.value("SELECT count(*) FROM run") == 5
    assert all(
        broken.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") != rows
        for table, rows in zip(tables, before, strict=True)
    )
    await broken.crash()
    await broken.start()
    other = await broken.trigger("other")
    assert broken.value("SELECT id FROM run WHERE run_id = ?", other) == 7
    await failures(broken, 6)
    await broken.command("restore", NOBODY, {"run_ids": [run]})
    await broken.command("delete", p.Selector(run_ids=[other]))
    assert [broken.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables] == before
    await broken.command("undo", NOBODY)
    assert broken.value("SELECT count(*) FROM run") == 7
    await broken.command("rerun", p.Selector(run_ids=[run]))
    await until(lambda: broken.value("SELECT episode FROM run WHERE run_id = ?", run) == 2, "it runs again")
