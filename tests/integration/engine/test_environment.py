"""What DAG files are imported in, and what tasks are given."""

from __future__ import annotations

import pytest

from tests.integration.engine.conftest import MakeSite

pytestmark = pytest.mark.processes

FILE = {
    "places.py": """
        import os
        from pathlib import Path

        from dagdeck import Param

        HOME = os.environ["DAGDECK_HOME"]
        HERE = Path("places.py").is_file()

        @task
        def warm():
            return [HOME, HERE]

        @task(isolate=True)
        def cold():
            return [HOME, HERE]

        @dag(params={"missing": Param(None, type=["string", "null"])})
        def places(missing):
            warm()
            cold()
            shell("empty", 'test -z "$DAGDECK_PARAM_MISSING"')
    """,
}


async def test_a_dag_file_is_imported_in_the_homes_environment_and_its_own_folder(make_site: MakeSite) -> None:
    """Code at a file's top level sees the same variables and folder when parsed, in a warm host and in a cold start."""
    site = await make_site(FILE)
    await site.start()
    run_id = await site.trigger("places")
    assert await site.over(run_id) == "success"
    results = {row[0] for row in site.rows("SELECT value FROM task_result")}
    assert results == {f'["{site.home.root}",true]'}
