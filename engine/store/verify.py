"""Checks of the whole store against the rules that must always hold. Slow on large stores: it reads everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.lifecycle.table import RUN_TRANSITIONS, TASK_TRANSITIONS
from engine.model.states import TERMINAL_RUN
from engine.store.reader import Reader, Row
from engine.store.sql import parameters, statements
from engine.store.tuples import FIRST_CHAIN, next_chain

MOST = 20
"""Findings shown per rule."""
_TRASH = "deleted"
_TRASH_MOVES = tuple(move for state in TERMINAL_RUN for move in ((state, _TRASH), (_TRASH, state)))
"""To the trash and back, which is no state of a run but stands in its history."""
_OTHERS = frozenset({"task_moves", "run_moves", "audit"})


def problems(reader: Reader, most: int = MOST) -> list[str]:
    """Everything that contradicts the store's rules, in words; empty when it is sound.

    Checked are: the feed without gaps, every move in the table and every row where its history left it, success only
    with an attempt that ended with 0 (or by hand, or by an answer), attempts one at a time and numbered without gaps,
    runs ended exactly when their tasks have, retry times, the audit complete and unedited, no row without its parent.
    """
    found: list[str] = []
    with reader.snapshot():
        for name, text in statements("verify").items():
            if name not in _OTHERS:
                values = {"most": most} if parameters(text) else {}
                found += [row[0] for row in reader.all("verify", name, values)]
        found += _illegal("task instance", reader.all("verify", "task_moves"), tuple(TASK_TRANSITIONS))
        found += _illegal("run", reader.all("verify", "run_moves"), (*RUN_TRANSITIONS, *_TRASH_MOVES))
        found += _audit(reader.all("verify", "audit"), most)
    return found


def _illegal(kind: str, moves: Iterable[Row], table: Iterable[tuple[str, str]]) -> Iterator[str]:
    legal = {(str(source), str(target)) for source, target in table}
    for source, target in moves:
        if (source, target) not in legal:
            yield f"some {kind} moved from {source} to {target}, which is not in the table"


def _audit(rows: Iterable[Row], most: int) -> list[str]:
    """The chain of the oldest kept row cannot be checked once older ones have been pruned; all later ones can."""
    found = []
    before: tuple[int, str] | None = None
    for row in rows:
        number, values, chain = row[0], row[:-1], row[-1]
        if before is None and number == 1:
            before = (0, FIRST_CHAIN)
        if before is not None:
            if number != before[0] + 1:
                found.append(f"audit row {before[0]} is followed by {number}")
            elif next_chain(before[1], values) != chain:
                found.append(f"audit row {number} ({row[1]}) is not what was written")
        before = (number, chain)
    return found[:most]
