"""Reading one DAG file: parse it, check that nothing changed meanwhile, keep its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.dagfiles.bundle import TreeChanged, keep, read_files
from engine.dagfiles.parse import Parser
from engine.dagfiles.tree import Seen, sign
from engine.dagfiles.verdict import is_whole
from engine.model.dag import ImportFailure, ParsedFile


@dataclass(slots=True)
class Reading:
    """What came of reading a file. `parsed` is None when the tree changed meanwhile: then it says nothing."""

    parsed: ParsedFile | None
    bundle: str | None = None
    signatures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Of the file and its modules, as they were read."""


def read(file: str, dags: Path, versions: Path, parser: Parser, python: str, tree: Mapping[str, Seen]) -> Reading:
    """Reads `dags/file`; `tree` is what the last look saw. Blocks for as long as the parse takes.

    Raises ParseStopped when the parser is closed. All else that goes wrong is in the answer.
    """
    parsed = parser.parse(file, dags, python)
    signatures = {module: sign(f"{dags}/{module}") for module in {file, *parsed.modules}}
    if any(tree[module].signature != signature for module, signature in signatures.items() if module in tree):
        return Reading(None)
    if not is_whole(parsed):
        return Reading(parsed, None, signatures)
    try:
        contents = read_files(dags, parsed.modules)
        if any(sign(f"{dags}/{module}") != signatures[module] for module in parsed.modules):
            return Reading(None)
        return Reading(parsed, keep(contents, versions), signatures)
    except TreeChanged:
        return Reading(None)
    except OSError as problem:
        message = f"its version cannot be kept in {versions}: {problem.strerror}"
        parsed.errors.append(ImportFailure(file, message))
        return Reading(parsed, None, signatures)
