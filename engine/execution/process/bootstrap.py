"""Entry of every process outside the engine: `PYTHON -I …/bootstrap.py ENTRY ARGUMENTS`.

Run by path, in whatever interpreter a home or DAG names, so it needs nothing installed there. It serves the few modules
that may be loaded beside the standard library from the tree that it lies in, and refuses the rest of that tree.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader

_HERE = "/engine/execution/process/bootstrap.py"
ROOT = __file__[: -len(_HERE)] if __file__.endswith(_HERE) else __file__.rsplit("/", 4)[0]

_MODULES = frozenset(
    {"dagdeck", "engine.failpoints", "engine.execution.directory", "engine.dagfiles.child", "engine.dagfiles.template"}
)
_PACKAGES = frozenset(
    {"engine", "engine.model", "engine.authoring", "engine.execution", "engine.execution.process", "engine.dagfiles"}
)
_INSIDE = ("engine.model.", "engine.authoring.", "engine.execution.process.")
_OURS = frozenset({"dagdeck", "engine", "console", "themes"})

_ENTRIES = {
    "runner": "engine.execution.process.runner",
    "template": "engine.execution.process.template",
    "cold": "engine.execution.process.cold",
    "redact": "engine.execution.process.redact",
    "parse": "engine.dagfiles.child",
    "parse-template": "engine.dagfiles.template",
    "match": "engine.execution.process.matching",
}


class Finder:
    """Finds the permitted modules in the install tree; an import of any other of ours fails with a clear message."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The module's spec; None for modules that are not ours. Raises ModuleNotFoundError for refused ones."""
        if name.partition(".")[0] not in _OURS:
            return None
        if name in _PACKAGES:
            return _spec(name, f"{ROOT}/{name.replace('.', '/')}", package=True)
        if name in _MODULES or name.startswith(_INSIDE):
            return _spec(name, f"{ROOT}/{name.replace('.', '/')}", package=False)
        raise ModuleNotFoundError(f"{name} is a part of dagdeck that tasks cannot import", name=name)


def _spec(name: str, base: str, package: bool) -> ModuleSpec:
    file = f"{base}/__init__.py" if package else f"{base}.py"
    spec = ModuleSpec(name, SourceFileLoader(name, file), origin=file, is_package=package)
    spec.has_location = True
    if package:
        spec.submodule_search_locations = [base]
    return spec


def install() -> None:
    """Puts the finder before all others, so that nothing in a DAG folder can take our modules' place."""
    sys.meta_path.insert(0, Finder())


def main(arguments: list[str]) -> int:
    """Runs one of the entries with the rest of the arguments. Returns the exit code."""
    if not arguments or arguments[0] not in _ENTRIES:
        print(f"bootstrap: one of {', '.join(_ENTRIES)} expected", file=sys.stderr)
        return 2
    install()
    entry = import_module(_ENTRIES[arguments[0]])
    return int(entry.main(arguments[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
