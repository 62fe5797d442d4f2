"""What a form of a DAG is filled in with: the values that a run has when nothing else is typed."""

from __future__ import annotations

from pathlib import Path

from console.backends.local import LocalBackend
from engine.model.dag import DagSpec, ParamSpec
from tests.support.console_store import FilledHome, task

SETTINGS = """
environment = "prod"
[params]
region = "eu"
sample = 0.5
[env.prod]
params = { sample = 1.0 }
"""


async def test_a_form_shows_the_values_of_the_environment(tmp_path: Path) -> None:
    """The environment's go before the DAG's, and the home's stand for those that have none."""
    filled = FilledHome(tmp_path / "home")
    with filled.home.config.open("a") as config:
        config.write(SETTINGS)
    await filled.open()
    params = {"sample": ParamSpec(0.01), "region": ParamSpec(), "level": ParamSpec("dag"), "free": ParamSpec()}
    await filled.put_dag(DagSpec("etl", "etl.py", [task("load")], params=params))
    await filled.close()
    backend = LocalBackend(filled.home)
    form = await backend.form("etl")
    assert {param.name: param.default for param in form.params} == {
        "sample": 1.0, "region": "eu", "level": "dag", "free": None,
    }  # fmt: skip
    filled.home.config.write_text("environment = 5")
    form = await backend.form("etl")
    assert {param.name: param.default for param in form.params}["sample"] == 0.01
    await backend.close()
