"""What processes really load, seen from inside clean ones: a static look at imports misses what is deferred."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.source import PROJECT

SHOW = "; import json, sys; print(json.dumps(sorted(sys.modules)))"
CHILD_ROOMS = ("engine.authoring", "engine.model", "engine.execution", "engine.dagfiles", "engine.failpoints")


@cache
def loaded(code: str, *flags: str) -> frozenset[str]:
    """The modules that are loaded once `code` has run in a clean interpreter."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {code}{SHOW}"],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def foreign(modules: frozenset[str]) -> set[str]:
    """Those that belong neither to the standard library nor to us. Site packages' own start-up hooks are left out."""
    own = {"engine", "console", "dagdeck", "sitecustomize", "usercustomize", "__mp_main__"}
    tops = {module.split(".")[0] for module in modules}
    return {top for top in tops if top not in sys.stdlib_module_names and top not in own and not top.startswith("_")}


@pytest.mark.parametrize(
    "module",
    [
        "dagdeck",
        "engine.dagfiles.child",
        "engine.execution.process.runner",
        "engine.execution.process.host",
        "engine.execution.process.child",
        "engine.execution.process.cold",
    ],
)
def test_what_runs_beside_user_code_is_standard_library_and_three_rooms(module: str) -> None:
    """What a DAG file imports, its parse child, the runner, the hosts and the tasks load nothing from outside."""
    modules = loaded(f"import {module}", "-I", "-S")
    assert foreign(modules) == set()
    ours = {name for name in modules if name.startswith("engine.")}
    assert {name for name in ours if not name.startswith(CHILD_ROOMS)} == set()


def test_the_runner_loads_no_more_of_the_vocabulary_than_files_of_attempts() -> None:
    """Every engine starts one: it knows processes and their folders, and nothing of DAGs, states and zones."""
    modules = loaded("import engine.execution.process.runner", "-I", "-S")
    assert {name for name in modules if name.startswith("engine.model.")} == {
        "engine.model.attempt_files", "engine.model.values",
    }  # fmt: skip
    assert "zoneinfo" not in modules


def test_a_dag_file_loads_no_event_loop_and_no_command_line() -> None:
    """`import dagdeck`, which every host does before it forks, brings neither asyncio nor the command line along."""
    modules = loaded("import dagdeck", "-I", "-S")
    assert not {"asyncio", "ssl", "console", "engine.config", "engine.home"} & modules


@pytest.mark.parametrize("heavy", ["networkx", "httpx", "sqlite_utils", "structlog", "croniter"])
def test_the_console_starts_without_the_engines_heavy_packages(heavy: str) -> None:
    """Opening the console loads none of the packages that only the engine needs."""
    assert heavy not in loaded("import console.app, console.backends.local")


def test_a_listing_loads_no_screen_and_no_loop() -> None:
    """`dagdeck runs list` comes without Textual, asyncio, croniter and the messages of the socket."""
    code = "from console.cli.main import VERBS, root; import importlib; importlib.import_module(VERBS['runs'].module)"
    modules = loaded(code)
    assert not {"textual", "rich", "asyncio", "croniter", "msgspec", "psutil", "engine.control.client"} & modules


def test_help_loads_no_verb() -> None:
    """The list of verbs is a table: `dagdeck --help` imports none of them."""
    modules = loaded("from console.cli.main import run; run(['--help'])")
    verbs = {path.stem for path in (PROJECT / "console" / "cli").glob("*.py")}
    allowed = {"__init__", "main", "lazy", "session", "errors", "output"}
    assert {f"console.cli.{name}" for name in verbs - allowed} & modules == set()


def test_nothing_of_the_engine_runs_on_import() -> None:
    """Importing the engine's composition root starts no thread and touches no home."""
    code = "import engine.app, threading; assert threading.active_count() == 1"
    assert "engine.app" in loaded(code)
    assert Path(PROJECT / "engine" / "app.py").exists()
