"""The directions between rooms, as import-linter holds them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from tests.support.source import PROJECT, imported_names, is_standard, module_of, name_of, python_files, tree_of

OWN = {"engine", "console", "dagdeck"}

OUTSIDE_OF_ENGINE: dict[str, set[str]] = {
    "app": {"structlog"},
    "__main__": set(),
    "archive": set(),
    "housekeeping": set(),
    "mending": {"structlog"},
    "daemon": set(),
    "lock": set(),
    "instruments": set(),
    "config": set(),
    "home": set(),
    "connections": {"keyring"},
    "environments": set(),
    "care": set(),
    "clock": set(),
    "collector": set(),
    "failpoints": set(),
    "version": set(),
    "control": {"msgspec", "structlog"},
    "scheduler": {"msgspec", "structlog"},
    "dagfiles": {"msgspec", "structlog"},
    "execution": {"msgspec", "structlog"},
    "upkeep": {"msgspec", "structlog"},
    "observe": {"httpx", "psutil", "structlog"},
    "store": {"sqlite_utils", "msgspec"},
    "lifecycle": set(),
    "timetable": {"croniter"},
    "graph": {"networkx"},
    "authoring": set(),
    "model": set(),
}
"""Which packages from outside the standard library each room of the engine may use."""

OUTSIDE_OF_CONSOLE: dict[str, set[str]] = {
    "backends": {"msgspec"},
    "model": set(),
    "view": set(),
    "graph": set(),
    "text": {"rich"},
    "cli": {"click", "msgspec"},
}
"""The same for the rooms of the console; a room that is not named here is drawn with Textual."""

PURE = ("engine/lifecycle", "engine/timetable", "engine/graph", "engine/model", "console/model", "console/view")
IMPURE_MODULES = {
    "asyncio", "threading", "multiprocessing", "subprocess", "socket", "sqlite3", "time", "random", "secrets", "uuid",
    "signal", "tempfile", "shutil",
}  # fmt: skip
CLOCK_CALLS = {"now", "utcnow", "today", "urandom", "getenv"}


def test_import_contracts_hold() -> None:
    """Every import contract of pyproject.toml is kept."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_exception_to_a_contract_gives_its_reason() -> None:
    """In the contracts, an ignored import stands under a comment that says why."""
    lines = (PROJECT / "pyproject.toml").read_text().splitlines()
    reasoned = False
    for line in lines:
        text = line.strip()
        if text.startswith("#"):
            reasoned = True
        elif "->" not in text:
            reasoned = False
        else:
            assert reasoned, f"no reason stands above {text}"


def test_rooms_of_the_engine_use_only_their_packages() -> None:
    """A room of the engine imports from outside the standard library only what its row of the table allows."""
    wrong = []
    for path in python_files("engine"):
        room = path.relative_to(PROJECT / "engine").parts[0].removesuffix(".py")
        allowed = set() if room == "__init__" else OUTSIDE_OF_ENGINE.get(room)
        assert allowed is not None, f"{name_of(path)}: a new room needs a row in the table of packages"
        for module, line in imported_names(tree_of(path)):
            if not is_standard(module) and module.split(".")[0] not in OWN | allowed:
                wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert wrong == []


def test_rooms_of_the_console_without_a_screen_use_no_screen() -> None:
    """Backends, model, view, graph and the command line load no Textual, and nothing else than their table allows."""
    wrong = []
    for path in python_files("console"):
        room = path.relative_to(PROJECT / "console").parts[0].removesuffix(".py")
        allowed = OUTSIDE_OF_CONSOLE.get(room, {"textual", "rich", "msgspec"})
        for module, line in imported_names(tree_of(path)):
            if not is_standard(module) and module.split(".")[0] not in OWN | allowed:
                wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert wrong == []


def test_what_a_dag_file_imports_is_standard_library_only() -> None:
    """`dagdeck.py`, authoring and the vocabulary import nothing from outside, so a task may run in any interpreter."""
    wrong = []
    for path in python_files("dagdeck.py", "engine/authoring", "engine/model"):
        for module, line in imported_names(tree_of(path)):
            allowed = ("engine.authoring", "engine.model") if module_of(path) != "dagdeck" else (
                "engine.authoring", "engine.model", "console.cli.main",
            )  # fmt: skip
            if not is_standard(module) and not module.startswith(allowed):
                wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert wrong == []


def test_the_document_names_every_room_and_no_other() -> None:
    """ARCHITECTURE.md has a word for each folder and module at the top of engine and console; none of them is gone."""
    text = (PROJECT / "ARCHITECTURE.md").read_text()
    parts = {part.split("\n")[0]: part for part in text.split("\n## ")}
    for house in ("engine", "console"):
        found = {path.stem for path in (PROJECT / house).iterdir() if path.suffix == ".py" or path.is_dir()}
        named = set(re.findall(r"`(\w+)`", parts[f"The rooms of the {house}"]))
        assert found - {"__init__", "__pycache__"} - named == set(), f"{house}: ARCHITECTURE.md has no word for these"
        rows = {
            name
            for row in parts[f"The rooms of the {house}"].split("\n")
            if row.startswith("| `")
            for name in re.findall(r"`(\w+)`", row.split("|")[1])
        }
        assert rows - found == set(), f"{house}: ARCHITECTURE.md names rooms that are gone"


def test_pure_rooms_touch_no_clock_and_no_world() -> None:
    """Pure rooms import nothing that waits, draws lots, reads the clock or touches files; `now` is an argument."""
    import ast

    wrong = []
    for path in python_files(*PURE):
        tree = tree_of(path)
        for module, line in imported_names(tree):
            if module.split(".")[0] in IMPURE_MODULES:
                wrong.append(f"{name_of(path)}:{line} imports {module}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name in CLOCK_CALLS or name == "open":
                    wrong.append(f"{name_of(path)}:{node.lineno} calls {name}()")
    assert wrong == []


def test_the_table_of_dependencies_is_complete() -> None:
    """Every package that the code imports is declared in pyproject.toml, and every declared one is imported."""
    declared = {
        requirement.split(">")[0].split("=")[0].strip().replace("-", "_")
        for requirement in tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    imported = {
        module.split(".")[0]
        for path in python_files("engine", "console", "dagdeck.py")
        for module, _ in imported_names(tree_of(path))
        if not is_standard(module)
    }
    # Rich comes with Textual and is bound to its version; tzdata is data that zoneinfo finds by itself.
    assert imported - OWN - {"rich"} <= declared
