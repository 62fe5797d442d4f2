"""Importing one DAG file with a registry of its own."""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from zlib import crc32

from engine.authoring.dag import DAG
from engine.authoring.failures import describe_failure
from engine.authoring.registry import FileRegistry, pop_loading, push_loading
from engine.model.dag import ImportFailure

RESERVED_MODULES = ("engine", "console", "dagdeck")
_last_root: list[str] = []


@dataclass(slots=True)
class LoadedFile:
    """What a DAG file defines. `failures` are about single DAGs: the others of the file are whole."""

    module: ModuleType
    dags: dict[str, DAG] = field(default_factory=dict)
    failures: list[ImportFailure] = field(default_factory=list)


class ImportRefused(Exception):
    """The file must not be imported at all."""


def load_file(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> dict[str, DAG]:
    """The whole DAGs that a file defines, by id. Raises whatever importing it raises, SystemExit included."""
    return load(path, root).dags


def load(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> LoadedFile:
    """Imports a DAG file. `root` (its `dags/`, or its bundle) goes to the end of `sys.path`, so nothing is shadowed.

    A `@dag` function that the file does not call itself is called afterwards; one that fails leaves the other DAGs
    whole. Modules that an earlier call imported from under its root are forgotten first. Raises ImportRefused for a
    name that belongs to dagdeck itself, and whatever importing raises, SystemExit included.
    """
    file, folder = str(Path(path).absolute()), str(Path(root).absolute())
    relative = Path(file).relative_to(folder)
    if relative.with_suffix("").parts[0] in RESERVED_MODULES:
        raise ImportRefused(f"a file or folder in dags/ cannot be named {relative.parts[0]}: rename it")
    _forget_last_root()
    sys.path.append(folder)
    _last_root.append(folder)
    linecache.checkcache()
    module = _module_for(relative, file)
    registry = FileRegistry(file, folder)
    loaded = LoadedFile(module)
    push_loading(registry)
    try:
        source = Path(file).read_bytes()
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
        for function in registry.functions:
            if not function.is_built:
                try:
                    function()
                except Exception as problem:
                    failure = describe_failure(problem, file, folder)
                    failure.dag_id = function.dag_id
                    loaded.failures.append(failure)
    finally:
        pop_loading()
    loaded.dags = registry.dags
    return loaded


def _module_for(relative: Path, file: str) -> ModuleType:
    """An empty module under its dotted name, so that relative imports work, or under a made-up one if that is taken."""
    parts = relative.with_suffix("").parts
    name = ".".join(parts)
    top = parts[0]
    usable = all(part.isidentifier() for part in parts)
    if not usable or top in sys.stdlib_module_names or name in sys.modules or "__main__" in parts:
        name = f"dag_file_{crc32(str(relative).encode()):08x}"
    module = ModuleType(name)
    module.__file__ = file
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    return module


def _forget_last_root() -> None:
    while _last_root:
        folder = _last_root.pop()
        if folder in sys.path:
            sys.path.remove(folder)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            paths = getattr(module, "__path__", None)
            places = [file] if file else list(paths or [])
            if any(isinstance(place, str) and _is_under(place, folder) for place in places):
                del sys.modules[name]


def _is_under(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)
