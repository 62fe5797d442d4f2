"""What processes outside the engine load, and what they cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.execution import Stage

pytestmark = pytest.mark.processes

BOOTSTRAP = Path(__file__).parents[3] / "engine" / "execution" / "process" / "bootstrap.py"
ROOMS = (
    "engine.model",
    "engine.authoring",
    "engine.execution.process",
    "engine.execution.directory",
    "engine.failpoints",
)
PACKAGES = {"engine", "engine.execution", "dagdeck"}


def strangers(modules: list[str]) -> list[str]:
    """The modules that are neither the standard library's nor of a room that tasks may load."""
    known = sys.stdlib_module_names | {"__main__", "_distutils_hack", "sitecustomize"}
    found = [name for name in modules if name.split(".")[0] not in known and name not in PACKAGES]
    return [name for name in found if not name.startswith((*ROOMS, "_sysconfigdata"))]


def loaded_by(code: str) -> list[str]:
    """The modules of a clean process that has installed the finder and run the code."""
    program = f"import runpy, sys; module = runpy.run_path({str(BOOTSTRAP)!r}); module['install']()\n{code}\n"
    program += "import json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("entry", ["runner", "template", "host", "cold"])
def test_entries_load_the_standard_library_and_their_own_rooms_alone(entry: str) -> None:
    """Runner, host and cold start load nothing but the standard library and the rooms that tasks may load."""
    modules = loaded_by(f"import engine.execution.process.{entry}")
    assert f"engine.execution.process.{entry}" in modules
    assert strangers(modules) == []


def test_the_runner_loads_nothing_of_authoring() -> None:
    """The runner knows files and processes, not DAGs."""
    assert not [name for name in loaded_by("import engine.execution.process.runner") if "authoring" in name]


def test_a_host_carries_none_of_the_modules_that_make_forks_dear() -> None:
    """A host loads no asyncio, no logging, no SSL and no threading: every fork of every task would pay for them."""
    dear = {"asyncio", "logging", "ssl", "_ssl", "_hashlib", "threading", "random", "subprocess", "sqlite3"}
    assert dear.isdisjoint(loaded_by("import engine.execution.process.template"))


async def test_a_task_sees_only_what_it_may_load(stage: Stage) -> None:
    """In a task the standard library and three rooms are loaded, and other parts of dagdeck cannot be imported."""
    stage.tasks(
        """
        import sys
        def loaded():
            return sorted(sys.modules)
        def reach():
            import engine.model.dag, dagdeck
            refused = []
            for name in ("engine.scheduler", "engine.store.connection", "engine.execution.local", "console", "themes"):
                try:
                    __import__(name)
                except ImportError as problem:
                    refused.append(problem.name)
            return refused
        """
    )
    loaded, reach = stage.order("loaded"), stage.order("reach")
    stage.executor.launch([loaded, reach])
    await stage.status_of(loaded)
    assert [name for name in strangers(json.loads(stage.result(loaded))) if name != "flow"] == []
    assert (await stage.status_of(reach)).code == 0, stage.log(reach)
    assert json.loads(stage.result(reach)) == [
        "engine.scheduler",
        "engine.store",
        "engine.execution.local",
        "console",
        "themes",
    ]


async def test_a_module_of_the_dag_folder_cannot_take_our_place(stage: Stage) -> None:
    """A file named dagdeck.py or engine.py beside the DAG file does not shadow dagdeck's own."""
    (stage.bundle / "dagdeck.py").write_text("raise RuntimeError('the wrong dagdeck')\n")
    (stage.bundle / "engine.py").write_text("raise RuntimeError('the wrong engine')\n")
    stage.tasks("def fine():\n    import engine.model\n    return 1\n")
    order = stage.order("fine")
    assert (await stage.run(order)).code == 0, stage.log(order)
