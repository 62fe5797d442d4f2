"""Every named query finds its rows by an index: no read grows with the store's age."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import sql
from engine.store.connection import connect_writer
from engine.store.migrations import open_store

LARGE = {
    "run",
    "run_episode",
    "backfill_item",
    "task_instance",
    "attempt",
    "task_result",
    "callback",
    "event",
    "command",
}
"""Tables that grow for as long as a home lives."""
PARTIAL = {"callback_open", "attempt_unfinished"}
"""Indexes that hold open rows alone: reading one from end to end is what they are for."""
NEWEST_FIRST = {
    ("write", "audit_head"), ("write_rows", "event.prune"), ("prune", "oldest_event"), ("prune", "oldest_command"),
    ("evidence", "last_event"), ("backfill", "last_moved"),
}  # fmt: skip
"""Statements that walk a large table by its key, and stop at the first row that fits."""

WHOLE = {"verify", "salvage"}
"""Files whose statements read a whole store, because that is what they are for."""
NIGHTLY = {("prune", "bundles")}
"""Statements that read large tables once a night, in a process of its own: which code is nobody's any more."""
QUERIES = [
    (file, name) for file in sql.files() if file not in WHOLE for name in sql.statements(file)
    if (file, name) not in NIGHTLY
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """An empty store: plans do not depend on how much is in it, as nothing is ever analysed."""
    path: Path = tmp_path_factory.mktemp("plans") / "state.db"
    open_store(path)
    connection = connect_writer(path)
    yield connection
    connection.close()


def plan(store: sqlite3.Connection, text: str) -> list[str]:
    """The steps of a statement's plan, with the names of tables in place of their aliases."""
    names = sql.parameters(text)
    numbered = [int(number) for number in re.findall(r"\?(\d+)", text)]
    values = dict.fromkeys(names, 1) if names else [1] * max(numbered, default=text.count("?"))
    aliases = {alias: table for table, alias in re.findall(r"\b(\w+) AS (\w+)\b", text)}
    steps = [row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    return [re.sub(r"^(SCAN|SEARCH) (\w+)", lambda m: f"{m[1]} {aliases.get(m[2], m[2])}", step) for step in steps]


@pytest.mark.parametrize(("file", "name"), QUERIES, ids=[f"{file}.{name}" for file, name in QUERIES])
def test_no_query_scans_a_table_that_grows(store: sqlite3.Connection, file: str, name: str) -> None:
    """Tables that grow are searched by key or index, never read from end to end, and no index is made on the fly."""
    for step in plan(store, sql.statements(file)[name]):
        assert "AUTOMATIC" not in step
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if scanned and scanned[1] in LARGE and (file, name) not in NEWEST_FIRST:
            assert scanned[2] in PARTIAL, step


@pytest.mark.parametrize(
    ("file", "name", "index"),
    [
        ("recovery", "active_run_ids", "run_state"),
        ("recovery", "unfinished_attempts", "attempt_unfinished"),
        ("recovery", "open_callbacks", "callback_open"),
        ("overview", "recent_runs", "run_of_dag"),
        ("overview", "run_durations", "run_ended"),
        ("recovery", "open_backfills", "backfill_open"),
        ("recovery", "runs_in_slots", "run_slot"),
        ("backfill", "items_by_state", "backfill_item_state"),
        ("backfill", "run_times", "run_of_backfill"),
        ("overview", "live_counts", "task_instance_state"),
        ("run", "task_durations", "task_instance_duration"),
        ("run", "mentions", "event_by_command"),
    ],
)
def test_queries_use_the_index_that_was_made_for_them(
    store: sqlite3.Connection, file: str, name: str, index: str
) -> None:
    """Each index of the schema has the query that pays for it."""
    assert any(f"INDEX {index}" in step for step in plan(store, sql.statements(file)[name]))


def test_percentiles_come_from_the_index_alone(store: sqlite3.Connection) -> None:
    """Durations are read without touching the tables; whether a run belongs to a backfill is looked up by its key."""
    for file, name in (("overview", "run_durations"), ("run", "task_durations")):
        steps = plan(store, sql.statements(file)[name])
        searches = [step for step in steps if re.match(r"SEARCH (run|task_instance)", step)]
        by_key = [step for step in searches if "PRIMARY KEY" in step]
        assert len(by_key) == (name == "task_durations")
        assert len(searches) > len(by_key)
        assert all("COVERING INDEX" in step for step in searches if step not in by_key)
