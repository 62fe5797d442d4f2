"""Limits that nobody has to police: size, leftovers, sleeps, and what must never touch the store or a screen."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.support.source import CODE, EVERYTHING, PROJECT, functions, name_of, python_files, tree_of

MODULE_LINES = 400
FUNCTION_LINES = 60
SILENCED = re.compile(r"type: ignore.*|noqa.*")
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
POLLING_HELPERS = ("tests/support/",)
SLEEPERS = {"sleep"}


def is_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name.startswith("test_")


def test_modules_stay_small() -> None:
    """No module of the program has more than 400 lines."""
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in python_files(*CODE, "benchmarks")}
    assert {name: lines for name, lines in sizes.items() if lines > MODULE_LINES} == {}


def test_functions_stay_small() -> None:
    """No function of the program or of its tests has more than 60 lines."""
    long = []
    for path in python_files(*EVERYTHING):
        for node in functions(tree_of(path)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                long.append(f"{name_of(path)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def mentioning(words: re.Pattern[str], *roots: str) -> Iterator[Path]:
    """The files in which the words stand anywhere: only these are worth taking apart."""
    return (path for path in python_files(*roots) if words.search(path.read_text()))


def comments(path: Path) -> Iterator[tuple[str, int]]:
    """The comments of a file, with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, token.start[0]


def test_nothing_is_left_for_later() -> None:
    """No comment and no docstring holds a note about work that is not done."""
    found = []
    for path in mentioning(LEFTOVERS, *EVERYTHING):
        found += [f"{name_of(path)}:{line}" for text, line in comments(path) if LEFTOVERS.search(text)]
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if LEFTOVERS.search(text):
                    found.append(f"{name_of(path)}: docstring of {getattr(node, 'name', 'the module')}")
    assert found == []


def test_every_silenced_check_says_why() -> None:
    """Each `type: ignore` and `noqa` names its rule and gives its reason on the same line."""
    found = []
    for path in mentioning(SILENCED, *CODE, "benchmarks"):
        for text, line in comments(path):
            for mark in SILENCED.findall(text):
                if not re.match(r"(type: ignore\[[\w-]+\]|noqa: [A-Z]+\d+)\s+\S", mark):
                    found.append(f"{name_of(path)}:{line} {mark}")
    assert found == []


def test_every_module_and_test_says_what_it_is() -> None:
    """Each module of the program has a docstring, and each test states the behaviour it expects."""
    silent = [
        name_of(path) for path in python_files(*CODE) if path.read_text() and not ast.get_docstring(tree_of(path))
    ]
    for path in python_files("tests"):
        for node in functions(tree_of(path)):
            if is_test(node) and not ast.get_docstring(node):
                silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert silent == []


def test_every_public_class_and_function_of_the_engine_says_what_it_is() -> None:
    """Each public class and top-level function of engine and console has a docstring."""
    silent = []
    for path in python_files(*CODE):
        for node in tree_of(path).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            is_overload = any(ast.unparse(mark) == "overload" for mark in node.decorator_list)
            if not node.name.startswith("_") and not is_overload and not ast.get_docstring(node):
                silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert silent == []


def sleeps(tree: ast.Module) -> Iterator[int]:
    """The lines on which something sleeps; `await asyncio.sleep(0)` only yields and is left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            argument = node.args[0] if node.args else None
            if name in SLEEPERS and not (isinstance(argument, ast.Constant) and argument.value == 0):
                yield node.lineno


def test_no_test_sleeps_for_luck() -> None:
    """Tests wait on conditions: only the polling helpers in tests/support sleep, each within a deadline."""
    found = []
    for path in python_files("tests"):
        if not name_of(path).startswith(POLLING_HELPERS):
            found += [f"{name_of(path)}:{line}" for line in sleeps(tree_of(path))]
    assert found == []


def test_no_test_is_skipped() -> None:
    """No test is skipped or expected to fail."""
    found = []
    for path in python_files("tests"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip"}:
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


STORE_FILE = re.compile(r"state\.db|\.database\b")
OPENERS = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "copy", "copy2", "copyfile", "copytree"}


def test_nothing_but_sqlite_opens_the_store() -> None:
    """No code of ours opens, copies or reads the database files: that would drop SQLite's locks on them."""
    found = []
    for path in mentioning(STORE_FILE, *EVERYTHING):
        source = path.read_text()
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in OPENERS:
                text = ast.get_source_segment(source, node) or ""
                if STORE_FILE.search(text):
                    found.append(f"{name_of(path)}:{node.lineno} {text.splitlines()[0]}")
    assert found == []


def test_nothing_unpickles() -> None:
    """No pickle, marshal or shelve anywhere: data from tasks is JSON."""
    found = []
    for path in python_files(*CODE):
        for node in ast.walk(tree_of(path)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{name_of(path)}:{node.lineno}" for name in names if name in {"pickle", "marshal", "shelve"}]
    assert found == []


def test_types_of_messages_are_prepared_at_import() -> None:
    """The engine decodes with decoders of modules: two threads that prepare the same type at once crash msgspec."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("engine")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"msgspec.json.decode", "msgspec.convert"}
    ]
    assert found == []


def test_no_shell_is_given_pasted_values() -> None:
    """No call passes `shell=True`, and none goes through os.system or os.popen."""
    found = []
    for path in python_files(*CODE, "benchmarks"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                found.append(f"{name_of(path)}:{node.lineno}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.system", "os.popen"}:
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


MARKUP = {"from_markup", "render_markup"}


def test_no_text_goes_through_markup() -> None:
    """The console builds its lines from strips and plain text: nothing is parsed as Textual or Rich markup."""
    found = []
    for path in python_files("console"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and node.attr in MARKUP:
                found.append(f"{name_of(path)}:{node.lineno} {node.attr}")
            if isinstance(node, ast.keyword) and node.arg == "markup" and ast.unparse(node.value) != "False":
                found.append(f"{name_of(path)}:{node.lineno} markup=")
    assert found == []


FORBIDDEN_WORDS = re.compile(r"DESIGN\.md|CONTRACTS|PLAN\.md|/work/|\bDESIGN [0-9]|reference/(console|semantics|style)")


def test_the_project_speaks_of_itself_alone() -> None:
    """No file of the project refers to papers that are not in it."""
    found = []
    files = [
        path
        for root in ("engine", "console", "themes", "sample_dags", "benchmarks", "docs", "tests")
        for path in sorted((PROJECT / root).rglob("*"))
        if path.suffix in {".py", ".md", ".sql", ".toml", ".tcss"}
    ]
    files += [PROJECT / name for name in ("dagdeck.py", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Makefile")]
    for path in files:
        if path.exists() and path != Path(__file__):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if FORBIDDEN_WORDS.search(line):
                    found.append(f"{name_of(path)}:{number} {line.strip()[:80]}")
    assert found == []
