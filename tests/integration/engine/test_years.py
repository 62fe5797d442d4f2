"""Real engines over upgrades and months: running tasks do not notice the one, the disk does not feel the other."""

from __future__ import annotations

import asyncio
import json

import pytest

from engine.control import protocol as p
from engine.version import SCHEMA
from tests.integration.engine.conftest import DAGS, MakeSite
from tests.support.cli import dagdeck
from tests.support.engine import until

pytestmark = pytest.mark.processes
PLAIN = {"plain.py": DAGS["plain.py"]}


async def test_tasks_run_on_over_an_upgrade(make_site: MakeSite) -> None:
    """What the old version started ends under the new one, once; the store was saved first; the old version refuses the
    new store in one sentence, again and again, and leaves it as it is.
    """
    site = await make_site(PLAIN)
    await site.start()
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both tasks run")
    await site.stop()
    await site.start(TESTS_LATER_SCHEMA="1")
    assert site.rows("PRAGMA user_version") == [(SCHEMA + 1,)]
    assert [path.name for path in site.home.backups.iterdir()] == [f"state-schema-{SCHEMA}.db"]
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert len(site.bodies()) == 3
    await site.stop()
    for _ in range(2):
        old = site.launch()
        assert await old.ended() == 5
        assert len(old.said) == 1
        assert f"schema {SCHEMA + 1}" in old.said[0] and "newer version of dagdeck" in old.said[0]
    assert site.rows("SELECT count(*) FROM colour")[0][0] > 0


async def test_what_is_months_old_is_pruned_beside_the_work(make_site: MakeSite) -> None:
    """An engine that was asked to prunes files by a process of its own and rows in steps, while tasks run; the last of
    each task stays, and the audit says who asked.
    """
    site = await make_site(PLAIN)
    site.configure("[retention]\nrun_days = 60")
    await site.start()
    for _ in range(3):
        await site.over(await site.trigger("steps"))
    await site.stop()
    made = site.rows("SELECT a.id, t.task_id, a.number, a.outcome FROM attempt a JOIN task_instance t "
                     "ON t.id = a.task_instance ORDER BY a.id")  # fmt: skip
    before = [path.name for path in site.home.attempts.glob("*/*")]
    assert [row[1:] for row in made] == [("first", 1, "success"), ("fails", 1, "failed")] * 3, f"{made}\n{site.log()}"
    assert sorted(before) == [row[0] for row in made], site.log()
    await site.start(DAGDECK_CLOCK_OFFSET=str(100 * 86_400))
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both tasks run")
    await site.command("prune", p.Selector())
    pruned = "SELECT detail FROM event WHERE kind = 'engine' AND reason = 'pruned'"
    await until(lambda: site.rows(pruned), "it has pruned")
    left = len(list(site.home.attempts.glob("*/*")))
    assert left == 2 + 2
    assert site.rows("SELECT state, count(*) FROM run GROUP BY state ORDER BY state") == [("failed", 1), ("running", 1)]
    assert site.rows("SELECT verb FROM command WHERE verb = 'prune'") == [("prune",)]
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"


async def test_a_console_of_another_version_is_known(make_site: MakeSite) -> None:
    """The engine tells which versions its consoles are of, and doctor who should restart which."""
    site = await make_site(PLAIN)
    await site.start()
    old = await asyncio.open_unix_connection(str(site.home.socket))
    for line in (
        {"type": "hello", "protocol": 1, "client": "console", "version": "0.0.9"},
        {"type": "follow"},
    ):
        old[1].write(json.dumps(line).encode() + b"\n")
    await old[1].drain()
    said = await asyncio.to_thread(dagdeck, "--home", site.root, "doctor", "--json")
    old[1].close()
    notes = [each for each in said.json if each["what"] == "consoles" and each["verdict"] == "note"]
    assert [each["remedy"] for each in notes] == ["whoever sits at it should restart it"]
    assert "0.0.9" in notes[0]["text"]
