"""Which modules from under `dags/` a DAG file needs: those it has imported, and those its functions will."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.authoring.registry import files_read

_LARGEST_SOURCE = 4 * 1024 * 1024


def modules_under(root: str, file: str) -> list[str]:
    """The DAG file, its modules and the data files that its definition reads, relative to `root`, sorted. Call it after
    the file has been imported.

    Imports inside functions have not happened yet, so they are read from the source.
    """
    found = {file, *_imported(root), *files_read()}
    pending = list(found)
    while pending:
        for path in _named_in(pending.pop(), root):
            if path not in found:
                found.add(path)
                pending.append(path)
    return sorted(os.path.relpath(path, root) for path in found)


def mentions_own_file(path: str) -> bool:
    """Whether a source file uses `__file__`."""
    tree = _tree(path)
    return tree is not None and any(isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(tree))


def literal_python(path: str) -> str | None:
    """The interpreter that `@dag(python="…")` or `DAG(…, python="…")` names, before anything is imported."""
    tree = _tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and _called(node) in ("dag", "DAG"):
            for keyword in node.keywords:
                if keyword.arg == "python" and isinstance(keyword.value, ast.Constant):
                    value = keyword.value.value
                    return value if isinstance(value, str) else None
    return None


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _imported(root: str) -> Iterator[str]:
    inside = root.rstrip(os.sep) + os.sep
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.startswith(inside):
            yield path


def _named_in(path: str, root: str) -> Iterator[str]:
    """The files under `root` that the import statements of a source file mean."""
    tree = _tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = list(Path(os.path.relpath(path, root)).parts[: -node.level]) if node.level else []
            parts = base + (node.module.split(".") if node.module else [])
            yield from _files_of(root, parts)
            for alias in node.names:
                yield from _files_of(root, [*parts, alias.name])


def _files_of(root: str, parts: list[str]) -> Iterator[str]:
    """The module that a dotted name means, and the packages on the way to it."""
    if not parts or parts[0] in sys.stdlib_module_names:
        return
    folder = Path(root)
    for part in parts:
        for candidate in (folder / part / "__init__.py", folder / f"{part}.py"):
            if candidate.is_file():
                yield str(candidate)
                break
        folder /= part


def _tree(path: str) -> ast.Module | None:
    try:
        if not path.endswith(".py") or Path(path).stat().st_size > _LARGEST_SOURCE:
            return None
        return ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
