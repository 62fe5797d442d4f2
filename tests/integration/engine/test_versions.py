"""Versions of code under a running engine: half-copied trees, checkouts, renames, deletions, and files that break."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.engine import JOURNAL, Site, until

pytestmark = pytest.mark.processes

CHAIN = """
    @task
    def second():
        return {value}

    @dag({options})
    def chain():
        shell("first", "until test -e $DAGDECK_HOME/release; do sleep 0.02; done") >> second()
"""


def git(folder: Path, *arguments: str) -> str:
    """What git says, asked as Ann."""
    who = {"NAME": "Ann Example", "EMAIL": "ann@example.org"}
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in who.items()}
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **person}
    asked = ["git", "-C", str(folder), *arguments]
    return subprocess.run(asked, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def commits(site: Site, dag_id: str) -> list[tuple[object, ...]]:
    """Number, commit, author and dirtiness of each version."""
    found = "SELECT number, commit_id, commit_author, dirty FROM dag_version WHERE dag_id = ? ORDER BY number"
    return site.rows(found, dag_id)


async def test_versions_of_a_checkout_name_commit_and_author(make_site: MakeSite) -> None:
    """A clean load bears the commit and its author; an edit that nobody has committed is marked."""
    site = await make_site(None)
    dags = site.home.dags
    git(dags, "init", "-q")
    (dags / "lib.py").write_text("WORD = 'one'\n")
    site.write("etl.py", "from lib import WORD\n\n@dag()\ndef etl():\n    shell('say', f'echo {WORD}')\n")
    git(dags, "add", "-A")
    git(dags, "commit", "-q", "-m", "first")
    name = git(dags, "rev-parse", "HEAD")
    await site.start()
    await until(lambda: len(commits(site, "etl")) == 1, "the first version")
    (dags / "lib.py").write_text("WORD = 'two'\n")
    await until(lambda: len(commits(site, "etl")) == 2, "the second version")
    assert commits(site, "etl") == [(1, name, "Ann Example", 0), (2, name, "Ann Example", 1)]


async def test_a_tree_that_is_being_copied_is_read_once_it_is_whole(make_site: MakeSite) -> None:
    """Neither a missing module nor half a file is ever taken for an error: there is one version, and no failure."""
    site = await make_site(None)
    await site.start()
    text = JOURNAL + "from parts.words import WORD\n\n@dag()\ndef copied():\n    shell('say', f'echo {WORD}')\n"
    (site.home.dags / "copied.py").write_text(text[:-40])
    for name, content in (
        ("copied.py", text),
        ("parts/__init__.py", ""),
        ("parts/words.py", "WORD = ("),
        ("parts/words.py", "WORD = ('whole')\n"),
    ):
        due = time.monotonic() + 0.6  # a slow copy
        await until(lambda due=due: time.monotonic() > due, "the next piece comes")
        path = site.home.dags / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    await until(lambda: site.knows("copied"), "the DAG is known")
    assert site.value("SELECT count(*) FROM event WHERE kind = 'import' AND reason = 'broken'") == 0
    assert len(commits(site, "copied")) == 1
    assert await site.over(await site.trigger("copied")) == "success"


async def test_a_file_may_be_renamed_while_a_run_is_active(make_site: MakeSite) -> None:
    """The DAG is never taken for gone; the run goes on with the code it began with, and new runs use the new file."""
    site = await make_site({"chain.py": CHAIN.format(options="", value=1)})
    await site.start()
    run_id = await site.trigger("chain")
    await site.state(run_id, "first", "running")
    (site.home.dags / "pipelines").mkdir()
    (site.home.dags / "chain.py").rename(site.home.dags / "pipelines" / "renamed.py")
    file = "SELECT file FROM dag WHERE dag_id = 'chain'"
    await until(lambda: site.value(file) == "pipelines/renamed.py", "the new file is known")
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert await site.over(await site.trigger("chain")) == "success"
    assert site.value("SELECT count(*) FROM event WHERE kind = 'dag' AND to_state = 'inactive'") == 0
    used = "SELECT v.number FROM run r JOIN dag_version v ON v.id = r.version_id ORDER BY r.id"
    assert site.rows(used) == [(1,), (2,)]


async def test_a_run_goes_on_when_its_file_is_deleted(make_site: MakeSite) -> None:
    """What has not begun yet begins from the code that was kept; only new runs are refused."""
    site = await make_site({"chain.py": CHAIN.format(options="", value=1)})
    await site.start()
    run_id = await site.trigger("chain")
    await site.state(run_id, "first", "running")
    (site.home.dags / "chain.py").unlink()
    await until(lambda: not site.knows("chain"), "the DAG is inactive")
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert site.tasks(run_id) == {"first": "success", "second": "success"}
    with pytest.raises(Exception, match="inactive"):
        await site.trigger("chain")


async def test_a_dag_that_holds_when_broken_waits_for_its_repair(make_site: MakeSite) -> None:
    """The run that has begun goes on, the scheduled one after it waits and says for what, also under a new engine."""
    options = (
        "schedule='0 0 1 * *', start_date='2024-01-01', catchup='all', max_active_runs=1, on_broken='hold',"
        "end_date='2024-03-15'"
    )
    site = await make_site(None)
    site.write("chain.py", CHAIN.format(options=options, value=1))
    await site.start()
    states = "SELECT state FROM run ORDER BY logical_date"
    await until(lambda: site.rows(states)[:2] == [("running",), ("queued",)], "one run runs, the next waits")
    (site.home.dags / "chain.py").write_text("half a fi")
    await until(lambda: site.value("SELECT broken_since FROM dag"), "the file is broken")
    (site.root / "release").touch()
    await until(lambda: site.rows(states)[0] == ("success",), "the first run ends")
    await site.stop()
    await site.start()
    codes = "SELECT DISTINCT t.blockers FROM task_instance t JOIN run r ON r.id = t.run WHERE r.state = 'queued'"
    wanted = [('["run_queued", "dag_broken"]',)]
    await until(lambda: site.rows(codes) == wanted, "the next run waits for the repair")
    assert ("running",) not in site.rows(states)
    site.write("chain.py", CHAIN.format(options=options, value=2))
    await until(lambda: all(state == "success" for (state,) in site.rows(states)), "all runs end")
