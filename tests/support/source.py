"""The project's own source, for tests that are about the source itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CODE = ("engine", "console", "dagdeck.py")
EVERYTHING = (*CODE, "tests", "benchmarks", "sample_dags", "docs")


def python_files(*roots: str) -> list[Path]:
    """The Python files under the named folders (or files) of the project, sorted."""
    found: list[Path] = []
    for root in roots:
        path = PROJECT / root
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def name_of(path: Path) -> str:
    """A file's path inside the project, for messages."""
    return str(path.relative_to(PROJECT))


def module_of(path: Path) -> str:
    """The dotted name of a file's module."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every absolute module name that is imported anywhere in a tree, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module, node.lineno


def is_standard(module: str) -> bool:
    """Whether a module belongs to the standard library."""
    return module.split(".")[0] in sys.stdlib_module_names or module == "__future__"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a tree, methods and inner ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
