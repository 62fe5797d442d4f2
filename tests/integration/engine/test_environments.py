"""Environments in a real engine: what a task is given, and what is kept and shown of it."""

from __future__ import annotations

import pytest

from engine.control.client import CommandRefused
from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli
from tests.support.engine import until

pytestmark = pytest.mark.processes

CONFIG = """
environment = "dev"
[params]
region = "eu"
[config]
source = "s3://dev/"
[env.dev]
[env.prod]
production = true
config = { source = "s3://prod/" }
params = { size = 3 }
[env.prod.env]
LEVEL = "warning"
"""
FILE = """
from dagdeck import Param

@task
def told(config, environment, params):
    return [environment, config["source"], params["size"], params["region"], os.environ.get("LEVEL")]

@dag(params={"size": Param(1, type="integer", maximum=5), "region": Param(None)}, extra_params=True)
def etl():
    told()
"""


async def test_a_run_gets_its_environment_and_keeps_what_it_got(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """The home's environment by default, another one for a single run; both runs say which, and where params came
    from; a value or an environment that cannot be is refused before there is a run."""
    dagdeck = Cli(capsys)
    site = await make_site(None, CONFIG)
    site.write("etl.py", FILE)
    await site.start()
    await until(lambda: site.knows("etl"), "the DAG is loaded")
    results = "SELECT value FROM task_result JOIN task_instance t ON t.id = task_instance JOIN run r ON r.id = t.run "
    plain = await site.trigger("etl", params={"more": 7})
    assert await site.over(plain) == "success"
    assert site.value(results + "WHERE run_id = ?", plain) == '["dev","s3://dev/",1,"eu",null]'
    other = await site.trigger("etl", environment="prod", param_texts={"region": "us"})
    assert await site.over(other) == "success"
    assert site.value(results + "WHERE run_id = ?", other) == '["prod","s3://prod/",3,"us","warning"]'
    shown = dagdeck("runs", "show", other, "--json", "--home", site.root).json["config"]
    assert shown["environment"] == "prod"
    assert shown["params_from"] == {"size": "env prod", "region": "run"}
    assert "environment   prod" in dagdeck("runs", "show", other, "--home", site.root).out
    with pytest.raises(CommandRefused, match=r"param 'size': 9 is not allowed: it must be at most 5"):
        await site.trigger("etl", params={"size": 9})
    with pytest.raises(CommandRefused, match="no environment 'qa'"):
        await site.trigger("etl", environment="qa")
    await site.crash()
    await site.start()
    again = await site.act("rerun", other)
    assert again.changed
    assert await site.over(other) == "success"
    assert site.value(results + "WHERE run_id = ? ORDER BY at DESC", other) == '["prod","s3://prod/",3,"us","warning"]'


async def test_a_param_of_the_environment_that_breaks_its_rule_is_an_import_error(make_site: MakeSite) -> None:
    """What dagdeck.toml says must fit the DAG's declaration."""
    site = await make_site(None, CONFIG.replace("size = 3", "size = 30").replace('"dev"', '"prod"', 1))
    site.write("etl.py", FILE)
    await site.start()
    await until(lambda: site.rows("SELECT 1 FROM import_error"), "the file is refused")
    assert site.value("SELECT message FROM import_error") == (
        "environment prod in dagdeck.toml: param 'size': 30 is not allowed: it must be at most 5"
    )
