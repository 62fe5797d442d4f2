"""Naming a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.model.ids import manual_run_id, scheduled_run_id
from engine.model.moments import HOUR, MINUTE, from_iso
from engine.model.rows import Run
from engine.store.errors import Ambiguous, NotFound
from engine.store.reader import Reader
from engine.store.resolve import resolve_run
from tests.support.store import a_run, a_writer, creation, definition

MIDNIGHT = from_iso("2026-11-22T00:00:00Z")


@pytest.fixture
async def reader(path: Path) -> AsyncIterator[Reader]:
    """Hourly runs of `etl` from midnight UTC until 05:00, one manual run at 02:30, and a DAG without runs."""
    async with a_writer(path) as writer:
        batch = definition()
        batch.rows[0][1]["timezone"] = "Europe/Berlin"  # type: ignore[index]  # a mapping that was just made
        await writer.submit(batch)
        await writer.submit(definition("empty", 2))
        for hour in range(6):
            run = a_run(hour + 1, logical=MIDNIGHT + hour * HOUR)
            run.run_id = scheduled_run_id("etl", run.logical_date)
            await writer.submit(creation(run))
        manual: Run = a_run(7, logical=MIDNIGHT + 150 * MINUTE)
        manual.run_id = manual_run_id("etl", manual.logical_date, b"\0\0\0\1")
        await writer.submit(creation(manual))
    with Reader(path) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("etl@20261122T010000Z", 2),
        ("etl@20261122T0100", 2),
        ("etl@20261122T0230", 7),
        ("etl@latest", 6),
        ("etl@-1", 5),
        ("etl@-5", 2),
        ("etl@-6", 1),
        ("etl@2026-11-22T03:30", 7),
        ("etl@2026-11-22T01", 1),
        ("etl@2026-11-22T01Z", 2),
        ("etl@2026-11-22T01:00:00Z", 2),
        ("etl@2026-11-22 06:00", 6),
    ],
)
async def test_a_run_is_found_by_each_way_of_naming_it(reader: Reader, text: str, key: int) -> None:
    """By id, unique prefix, age, and by dates, which are the DAG's local time unless they end in Z."""
    assert resolve_run(reader, text).id == key


@pytest.mark.parametrize(
    "text",
    ["", "nobody@latest", "empty@latest", "etl@-7", "etl@2026-11-21", "etl@2026-02-31", "etl@20261123", "etl@tomorrow"],
)
async def test_what_names_nothing_is_not_found(reader: Reader, text: str) -> None:
    """No guess is made."""
    with pytest.raises(NotFound):
        resolve_run(reader, text)


async def test_what_names_several_is_ambiguous(reader: Reader) -> None:
    """The runs that it could be are named, a few of them."""
    with pytest.raises(Ambiguous, match="could be") as caught:
        resolve_run(reader, "etl@2026-11-22")
    assert len(caught.value.candidates) == 5
    with pytest.raises(Ambiguous) as caught:
        resolve_run(reader, "etl@2026-11-22T03")
    assert caught.value.candidates == ["etl@20261122T020000Z", "etl@20261122T023000Z~aaaaab"]
    with pytest.raises(Ambiguous):
        resolve_run(reader, "etl@2026")


async def test_a_dag_without_runs_says_so(reader: Reader) -> None:
    """The words name the DAG."""
    with pytest.raises(NotFound, match="DAG empty has no run"):
        resolve_run(reader, "empty@latest")
    with pytest.raises(NotFound, match="DAG etl has no run 40 before the latest"):
        resolve_run(reader, "etl@-40")
