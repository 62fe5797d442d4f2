"""Environments: what `[env.NAME]` lays over the home, the order in which params are resolved, what is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import choose_environment, load_settings
from engine.environments import merged
from engine.home import Home, HomeError
from engine.model.dag import DagSpec, ParamSpec

TEXT = """
environment = "dev"
slots = 4
[params]
region = "eu"
size = 1
level = "home"
[config]
source = "s3://dev/"
limits = { rows = 10, days = 1 }
[env]
COMMON = "1"
[env.dev]
[env.prod]
production = true
slots = 100
params = { size = 3 }
config = { source = "s3://prod/", limits = { rows = 1000 } }
pools = { db = 20 }
[env.prod.env]
LEVEL = "warning"
[pools]
db = 2
api = 1
"""
SPEC = DagSpec(
    "etl", "etl.py",
    params={"region": ParamSpec(), "size": ParamSpec(2), "level": ParamSpec("dag"), "free": ParamSpec()},
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two environments."""
    (tmp_path / "dagdeck.toml").write_text(TEXT)
    return Home(tmp_path)


def test_the_active_environment_lies_over_the_settings(home: Home) -> None:
    """Settings, pools and variables of the environment go before the home's; what it does not say stays."""
    dev, prod = load_settings(home), load_settings(home, "prod")
    assert (dev.slots, dev.production, dev.pools, dev.env) == (4, False, {"db": 2, "api": 1}, {"COMMON": "1"})
    assert (prod.slots, prod.production, prod.pools) == (100, True, {"db": 20, "api": 1})
    assert prod.env == {"COMMON": "1", "LEVEL": "warning"}
    assert (dev.environments.active, prod.environments.active) == ("dev", "prod")


def test_an_environment_that_was_chosen_is_everybodys_until_another_is(home: Home) -> None:
    """The choice of the engine's start stands in the home, so that console and command line see the same."""
    choose_environment(home, "prod")
    assert load_settings(home).production
    choose_environment(home, "")
    assert not load_settings(home).production
    with pytest.raises(HomeError, match=r"no environment 'qa' in dagdeck\.toml; there are: dev, prod"):
        choose_environment(home, "qa")


def test_params_are_resolved_from_run_to_environment_to_dag_to_home(home: Home) -> None:
    """What the run was given goes first, then the environment, then the DAG's default, then the home's."""
    environments = load_settings(home).environments
    assert environments.defaults(SPEC, {}) == {"region": "eu", "size": 2, "level": "dag"}
    assert environments.defaults(SPEC, {}, "prod") == {"region": "eu", "size": 3, "level": "dag"}
    assert environments.defaults(SPEC, {"size": 9, "region": "us"}, "prod")["size"] == 9
    record = environments.effective(SPEC, {"region": "us"}, "prod")
    assert record["params_from"] == {"region": "run", "size": "env prod", "level": "dag", "free": "dag"}
    assert environments.effective(SPEC, {})["params_from"]["region"] == "home"


def test_the_effective_configuration_is_what_is_kept_of_a_run(home: Home) -> None:
    """Tables of the environment are merged into those of the home, deep down."""
    record = load_settings(home).environments.effective(SPEC, {}, "prod")
    assert record["environment"] == "prod" and record["production"] is True
    assert record["config"] == {"source": "s3://prod/", "limits": {"rows": 1000, "days": 1}}
    assert record["variables"] == {"LEVEL": "warning"}
    assert merged({"a": {"b": 1}}, {"a": 2}) == {"a": 2}


def test_a_home_without_environments_keeps_nothing(tmp_path: Path) -> None:
    """Where nothing is configured nothing is stored with a run."""
    (tmp_path / "dagdeck.toml").write_text("[env]\nA = '1'\n")
    settings = load_settings(Home(tmp_path))
    assert settings.env == {"A": "1"}
    assert settings.environments.effective(SPEC, {}) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('environment = "qa"', "no environment 'qa'"),
        ("[env.prod]\nslotz = 1", "unknown setting env.prod.'slotz'"),
        ("[env.prod]\nslots = 'many'", "env.prod.slots = 'many' should be of type int"),
        ("[env.prod]\nenvironment = 'x'", "belong to the home"),
        ("[env.prod.env]\nA = 1", r"\[env.prod.env\] values should be text"),
        ("[env.'a b']\nslots = 1", "environment id 'a b' is not allowed"),
        ("[config]\nday = 2026-01-01", "is not a JSON value: write dates as text"),
        ("[env]\nA = 1", r"\[env\] values should be text"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    """The message names the file, the table and the key."""
    (tmp_path / "dagdeck.toml").write_text(text)
    with pytest.raises(HomeError, match=says):
        load_settings(Home(tmp_path))


def test_a_pool_is_a_number_or_a_table(home: Home) -> None:
    """Slots alone, or with `include_deferred`; an environment's table goes before the home's number."""
    pools = "[pools]\ndb = 2\napi = { slots = 1, include_deferred = true }\n[env.prod]\n"
    home.config.write_text(pools + "pools = { db = { slots = 9, include_deferred = true }, api = 3 }")
    plain, prod = load_settings(home), load_settings(home, "prod")
    assert (plain.pools, plain.pools_including_deferred) == ({"db": 2, "api": 1}, {"api"})
    assert (prod.pools, prod.pools_including_deferred) == ({"db": 9, "api": 3}, {"db"})


@pytest.mark.parametrize(
    "pool", ["-2", "true", '"2"', "{}", "{ slots = 1, size = 2 }", "{ slots = 1, include_deferred = 1 }"]
)
def test_a_pool_that_is_neither_is_refused_by_name(home: Home, pool: str) -> None:
    """The message names the pool and says both forms."""
    home.config.write_text(f"[pools]\ndb = {pool}\n")
    with pytest.raises(HomeError, match=r"\[pools\] db should be its slots.*include_deferred"):
        load_settings(home)
