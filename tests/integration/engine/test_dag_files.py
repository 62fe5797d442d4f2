"""DAG files of a running engine: edited, broken, shared, taken away."""

from __future__ import annotations

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

FILE = {
    "live.py": """
        from live_parts import WORD

        @dag()
        def live():
            shell("say", f"echo {WORD}")
    """,
    "live_parts.py": "WORD = 'one'\n",
    "other.py": """
        @dag()
        def other():
            shell("only", "true")
    """,
}


@pytest.fixture
async def site(make_site: MakeSite) -> Site:
    """A home with a running engine that has looked at its DAG files."""
    made = await make_site(FILE)
    await made.start()
    return made


def versions(site: Site, dag_id: str) -> int:
    """How many versions of a DAG there are."""
    return int(site.value("SELECT count(*) FROM dag_version WHERE dag_id = ?", dag_id))


def said(site: Site, run_id: str) -> str:
    """What the one task of a run printed."""
    attempt = site.attempts(run_id, "say")[0]["id"]
    return next(site.home.attempts.glob(f"*/{attempt}/log")).read_text().strip()


async def test_an_edit_of_a_shared_module_is_live_soon(site: Site) -> None:
    """A module that a DAG file imports makes a new version of its DAG; new runs use it, and nobody else gets one."""
    site.write("live_parts.py", "WORD = 'two'")
    await until(lambda: versions(site, "live") == 2, "the edit is a version")
    assert versions(site, "other") == 1
    run_id = await site.trigger("live")
    assert await site.over(run_id) == "success"
    assert said(site, run_id) == "two"


async def test_a_broken_file_is_an_import_error_and_the_last_good_version_stays(site: Site) -> None:
    """The error names file and line; runs go on with the last good version; mending the file takes the error away."""
    site.write("live.py", "x = 1\nraise RuntimeError('half [written] \\x1b]52;c;eA==\\x07')\n")
    await until(lambda: site.rows("SELECT 1 FROM import_error"), "the error is stored")
    file, message = site.rows("SELECT file, message FROM import_error")[0]
    line = site.value("SELECT line FROM import_error")
    text = (site.home.dags / "live.py").read_text().splitlines()
    assert file == "live.py"
    assert "RuntimeError" in message and "half [written]" in message
    assert text[line - 1].startswith("raise RuntimeError")
    assert site.value("SELECT broken_since FROM dag WHERE dag_id = 'live'") is not None
    run_id = await site.trigger("live")
    assert await site.over(run_id) == "success"
    site.write("live.py", FILE["live.py"].replace("echo", "echo now"))
    await until(lambda: not site.rows("SELECT 1 FROM import_error"), "the error is gone")
    assert site.value("SELECT broken_since FROM dag WHERE dag_id = 'live'") is None
    assert site.value("SELECT broken_since FROM dag WHERE dag_id = 'other'") is None


async def test_the_dag_of_a_deleted_file_is_inactive_and_comes_back_with_it(site: Site) -> None:
    """It takes no new runs and keeps its history; the same file put back makes it active again, as the same DAG."""
    first = await site.trigger("other")
    assert await site.over(first) == "success"
    (site.home.dags / "other.py").unlink()
    await until(lambda: not site.knows("other"), "the DAG is inactive")
    with pytest.raises(Exception, match="inactive"):
        await site.trigger("other")
    assert site.run_state(first) == "success"
    site.write("other.py", FILE["other.py"])
    await until(lambda: site.knows("other"), "the DAG is active again")
    assert versions(site, "other") == 1
    assert await site.over(await site.trigger("other")) == "success"


async def test_a_file_edited_while_no_engine_runs_is_read_at_the_next_start(site: Site) -> None:
    """The next engine finds the edit by itself, before anything else has to change."""
    await site.stop()
    site.write("live_parts.py", "WORD = 'three'")
    await site.start()
    await until(lambda: versions(site, "live") == 2, "the edit is a version")
    assert versions(site, "other") == 1


async def test_a_run_in_flight_keeps_the_version_it_began_with(make_site: MakeSite) -> None:
    """A task that is added to a file while a run of its DAG runs is no part of that run, and part of the next."""
    body = """
        @dag()
        def growing():
            shell("waits", "until test -e $DAGDECK_HOME/release; do sleep 0.02; done") {more}
    """
    site = await make_site({"growing.py": body.format(more="")})
    await site.start()
    first = await site.trigger("growing")
    await site.state(first, "waits", "running")
    site.write("growing.py", body.format(more='>> shell("new", "true")'))
    await until(lambda: versions(site, "growing") == 2, "the edit is a version")
    (site.root / "release").touch()
    second = await site.trigger("growing")
    assert await site.over(first) == await site.over(second) == "success"
    assert (list(site.tasks(first)), list(site.tasks(second))) == (["waits"], ["waits", "new"])
    done = await site.act("rerun", first)
    assert done.changed == 1
    assert await site.over(first) == "success"
    assert set(site.tasks(first)) == {"waits", "new"}
