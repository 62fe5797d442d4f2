"""Reading one DAG file: parse it, check that nothing changed meanwhile, keep its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.dagfiles.bundle import TreeChanged, keep, read_files
from engine.dagfiles.checkout import Checkout
from engine.dagfiles.parse import Parser
from engine.dagfiles.tree import Seen, sign
from engine.dagfiles.verdict import is_whole
from engine.model.dag import Commit, ImportFailure, ParsedFile


@dataclass(frozen=True, slots=True)
class Order:
    """Which file to read (relative to `dags`), where to keep its bundle, and with which interpreter to parse it."""

    file: str
    dags: Path
    versions: Path
    python: str
    politely: bool = False
    """Leave the processor to others: nobody waits for files that were there before the engine started."""


@dataclass(slots=True)
class Reading:
    """What came of reading a file. `parsed` is None when the tree changed meanwhile: then it says nothing."""

    parsed: ParsedFile | None
    bundle: str | None = None
    signatures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Of the file and its modules, as they were read."""
    commit: Commit | None = None


def read(order: Order, parser: Parser, tree: Mapping[str, Seen], checkout: Checkout | None = None) -> Reading:
    """Reads one file; `tree` is what the last look saw. Blocks for as long as the parse takes.

    Raises ParseStopped when the parser is closed. All else that goes wrong is in the answer.
    """
    file, dags = order.file, order.dags
    parsed = parser.parse(file, dags, order.python, politely=order.politely)
    signatures = {module: sign(f"{dags}/{module}") for module in {file, *parsed.modules}}
    if any(tree[module].signature != signature for module, signature in signatures.items() if module in tree):
        return Reading(None)
    if not is_whole(parsed):
        return Reading(parsed, None, signatures)
    try:
        contents = read_files(dags, parsed.modules)
        if any(sign(f"{dags}/{module}") != signatures[module] for module in parsed.modules):
            return Reading(None)
        bundle = keep(contents, order.versions)
        commit = None if checkout is None else checkout.commit_of(contents)
        return Reading(parsed, bundle, signatures, commit)
    except TreeChanged:
        return Reading(None)
    except OSError as problem:
        message = f"its version cannot be kept in {order.versions}: {problem.strerror}"
        parsed.errors.append(ImportFailure(file, message))
        return Reading(parsed, None, signatures)
