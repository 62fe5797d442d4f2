"""Everything that must hold of a home, checked: the store's file, its rows, the state of every run that is under way,
and what stands on the disk. Each contradiction with what would repair it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.execution.directory import path_of, survey
from engine.home import Home
from engine.lifecycle import validate
from engine.lifecycle.memory import restore
from engine.model.attempt_files import CLAIM, RESULT, STATUS, AttemptStatus
from engine.scheduler import loading
from engine.store.errors import StoreDamaged, making_sense
from engine.store.reader import Reader
from engine.store.recovery import recover
from engine.store.verify import MOST, problems

_PAGE = 5000
_FILE = "put a backup in its place (`dagdeck restore BACKUP --replace`), or `dagdeck salvage`"
_ROWS = "make a backup, keep it, and report this: nothing repairs rows that contradict each other but an older backup"
_AUDIT = "somebody edited the store by hand: compare the audit with that of a backup"
_STATE = "restart the engine, which derives everything anew; if it stays, make a backup and report this"
_BOOKED = "the engine books it when it starts"
_EVIDENCE = "the store stands: it was committed when the evidence was whole. Find out who changed the directory"
_RESULT = "clear the task, so that it makes its result again"
_BUNDLE = "save the DAG file again: the engine keeps it anew as a version"


@dataclass(frozen=True, slots=True)
class Problem:
    """A contradiction (`wrong`), or something that an engine will put right by itself (`note`)."""

    verdict: str
    rule: str
    """`file`, `rows`, `audit`, `state`, `evidence`, `result` or `bundle`."""
    text: str
    remedy: str


def verify(home: Home, *, engine_runs: bool) -> Iterator[Problem]:
    """Everything that does not fit together. Reads all of it. Raises StoreError when the store cannot be read."""
    try:
        with Reader(home.database) as store, making_sense(home.database):
            found = [str(row[0]) for row in store.select("PRAGMA integrity_check(20)")]
            if found != ["ok"]:
                yield from (Problem("wrong", "file", text, _FILE) for text in found)
                return
            yield from _rows(store)
            yield from _state(store)
            yield from _bundles(home, store)
            yield from _ended(home, store)
            if not engine_runs:
                yield from _unfinished(home, store)
    except StoreDamaged as error:
        yield Problem("wrong", "file", str(error), _FILE)


def _rows(store: Reader) -> Iterator[Problem]:
    for text in problems(store):
        rule, remedy = ("audit", _AUDIT) if text.startswith("audit ") else ("rows", _ROWS)
        yield Problem("wrong", rule, text, remedy)


def _state(store: Reader) -> Iterator[Problem]:
    """The whole-state validator over every run that is not over."""
    rows = recover(store)
    plans = {key: loading.make_version(stored).plan for key, stored in rows.versions.items()}
    for active in rows.runs:
        try:
            memory = restore(plans[active.run.version_id], active.run, active.instances)
        except ValueError as error:
            yield Problem("wrong", "state", f"run {active.run.run_id}: {error}", _STATE)
            continue
        for text in validate.problems(memory)[:MOST]:
            yield Problem("wrong", "state", f"run {active.run.run_id}: {text}", _STATE)


def _bundles(home: Home, store: Reader) -> Iterator[Problem]:
    for dag_id, bundle in store.all("evidence", "bundles"):
        if not (home.versions / bundle).is_dir():
            yield Problem("wrong", "bundle", f"DAG {dag_id}: {home.versions / bundle} is gone", _BUNDLE)


def _ended(home: Home, store: Reader) -> Iterator[Problem]:
    """Attempts whose directory says something else than the store. One that was pruned says nothing."""
    count, after = 0, ""
    while page := store.all("evidence", "ended_attempts", {"after": after, "count": _PAGE}):
        for attempt_id, outcome, by_rule, result_wanted in page:
            directory = Path(path_of(str(home.attempts), attempt_id))
            found = list(_contradictions(directory, attempt_id, outcome, by_rule=bool(by_rule)))
            if found and directory.is_dir():  # asked last: it may have been pruned while it was read
                yield from (Problem("wrong", "evidence", text, _EVIDENCE) for text in found)
                count += len(found)
            if result_wanted and not (directory / RESULT).is_file():
                yield Problem("wrong", "result", f"the result {directory / RESULT} is gone", _RESULT)
                count += 1
            if count >= MOST:
                return
        after = page[-1][0]


def _contradictions(directory: Path, attempt_id: str, outcome: str, *, by_rule: bool) -> Iterator[str]:
    """What the directory says against the outcome. A failure that a retry rule skips is skipped `by_rule`."""
    if outcome == "unspent":
        if (directory / CLAIM).exists():
            yield f"attempt {attempt_id} has a claim, so it did start, but the store says that it did not"
        return
    try:
        status = AttemptStatus.loads((directory / STATUS).read_bytes())
    except FileNotFoundError:
        if outcome in ("success", "skipped"):
            yield f"attempt {attempt_id} is {outcome} without a status in {directory}"
        return
    except OSError as error:
        yield f"attempt {attempt_id}: {directory / STATUS}: {error}"
        return
    except ValueError as error:  # torn, as a full disk leaves it: the attempt was lost, and is no success
        if outcome in ("success", "skipped"):
            yield f"attempt {attempt_id} is {outcome}, but {directory / STATUS}: {error}"
        return
    if status.code != 0 and (outcome == "success" or (outcome == "skipped" and not by_rule)):
        yield f"attempt {attempt_id} is {outcome}, but its status says {status.code}"


def _unfinished(home: Home, store: Reader) -> Iterator[Problem]:
    """What went on while no engine ran: it is no contradiction, only not booked yet."""
    for (attempt_id,) in store.all("evidence", "unfinished_attempts"):
        found = survey(path_of(str(home.attempts), attempt_id))
        if found.state == "ended":
            yield Problem("note", "evidence", f"attempt {attempt_id} has ended since the engine stopped", _BOOKED)
        elif found.state == "lost":
            text = f"attempt {attempt_id} has begun, is not alive, and left no status: it is lost"
            yield Problem("note", "evidence", text, _BOOKED)
