"""What is kept for how long: files by age and size, rows in small steps, and always the last good and bad of a task."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.care import Retention
from engine.dagfiles.bundle import keep
from engine.execution.directory import path_of
from engine.home import Home
from engine.model.moments import DAY, Micros, from_iso
from engine.store.reader import Reader
from engine.store.transaction import Committer
from engine.upkeep.bundles import remove_unused, unused
from engine.upkeep.night import Night, next_night
from engine.upkeep.retention import Survey, remove, survey
from tests.support.cli import Cli
from tests.support.console_store import NOW
from tests.support.homes import contradictions
from tests.support.scheduler import Rig
from tests.support.source import PROJECT
from tests.support.store import look, tamper

LATER = NOW + 40 * DAY
FOREVER = Retention(0, 0, 0, 0, 0)


def surveyed(home: Home, retention: Retention, now: Micros = LATER) -> Survey:
    """A survey of the home."""
    with Reader(home.database) as store:
        return survey(home, store, retention, now)


def last_of_each_task(home: Home) -> set[str]:
    """Ids of the attempts that stay whatever their age, found another way."""
    rows = look(
        home.database,
        "SELECT max(a.id) FROM attempt a JOIN task_instance t ON t.id = a.task_instance WHERE a.state = 'ended'"
        " GROUP BY t.dag_id, t.task_id, a.outcome = 'success'",
    )
    return {row[0] for row in rows}


def test_what_is_old_goes_and_the_last_of_each_task_stays(home: Home) -> None:
    """After thirty days every attempt directory goes, but for the last good and the last failed one of each task, and
    what has not ended.
    """
    found = surveyed(home, Retention(log_days=30, log_bytes=0))
    going = {each.path.name for each in found.doomed}
    ended = {row[0] for row in look(home.database, "SELECT id FROM attempt WHERE state = 'ended'")}
    assert going == ended - last_of_each_task(home)
    count, freed = remove(found.doomed)
    assert count == len(going)
    left = {path.name for path in home.attempts.glob("*/*")}
    unfinished = {row[0] for row in look(home.database, "SELECT id FROM attempt WHERE state <> 'ended'")}
    assert left - {path.name for path in home.attempts.glob("*/*") if (path / "result.json").exists()} == (
        last_of_each_task(home) | unfinished
    )
    assert freed > 0
    assert contradictions(home) == []


def test_the_result_that_is_still_the_latest_stays_when_its_log_goes(home: Home) -> None:
    """Of a kept run the latest success's result is never removed; the log beside it is."""
    [(attempt,)] = look(home.database, "SELECT attempt FROM task_result WHERE in_file")
    remove(surveyed(home, Retention(log_days=30, log_bytes=0)).doomed)
    assert sorted(path.name for path in Path(path_of(str(home.attempts), attempt)).iterdir()) == [
        "claim", "result.json", "spec", "status",
    ]  # fmt: skip


def test_beyond_the_size_the_oldest_go_first(home: Home) -> None:
    """However young they are, the oldest go until the rest is within the limit."""
    whole = surveyed(home, FOREVER, NOW).bytes
    found = surveyed(home, Retention(log_days=0, log_bytes=whole // 2), NOW)
    assert sum(each.bytes for each in found.kept if not each.doomed) <= whole // 2
    spared = last_of_each_task(home)
    names = [each.path.name for each in sorted(found.kept, key=lambda each: each.path.name)]
    doomed = {each.path.name for each in found.doomed}
    assert doomed == set([name for name in names if name not in spared][: len(doomed)])


def test_without_limits_nothing_goes(home: Home) -> None:
    """0 is for ever."""
    assert surveyed(home, FOREVER, NOW + 9999 * DAY).doomed == []


def test_what_the_store_does_not_know_goes_when_it_is_old(home: Home) -> None:
    """A directory without a row, as a restored store leaves them, is kept like others, and not touched while alive."""
    day = home.attempts / "20200101"
    for name in ("01DXFAG000AAAAAAAAAAAAAAAA", "01DXFAG000BBBBBBBBBBBBBBBB"):
        (day / name).mkdir(parents=True)
        (day / name / "log").write_bytes(b"x" * 5000)
    alive = os.open(day / "01DXFAG000BBBBBBBBBBBBBBBB", os.O_RDONLY)
    fcntl.flock(alive, fcntl.LOCK_EX)
    found = surveyed(home, Retention(log_days=30, log_bytes=0), NOW)
    os.close(alive)
    assert [(each.path.name[-1], each.doomed) for each in found.kept if not each.dag_id] == [("A", "unknown")]


def test_a_dry_run_shows_bytes_by_dag_and_age_and_changes_nothing(home: Home, cli: Cli) -> None:
    """`dagdeck prune --dry-run` counts what stands on the disk; the verb itself then removes what it said."""
    before = sorted(home.attempts.glob("*/*"))
    tamper(home.database, f"UPDATE attempt SET ended_at = ended_at - {3 * DAY} WHERE state = 'ended'")
    home.config.write_text(home.config.read_text() + "[retention]\nlog_days = 1\n")
    said = cli("--home", home.root, "prune", "--dry-run", "--json")
    assert said.code == 0, said.err
    assert {row["dag_id"] for row in said.json["dags"]} == {"sales", "stock"}
    assert sum(sum(row["bytes"].values()) for row in said.json["dags"]) == said.json["bytes"]
    assert sorted(home.attempts.glob("*/*")) == before
    plain = cli("--home", home.root, "prune", "--dry-run")
    assert "sales" in plain.out and "would go" in plain.out
    done = cli("--home", home.root, "prune", "--json")
    assert done.json["removed"] == done.json["changed"] == said.json["prunable"]
    assert {"message", "skipped", "seq"} <= done.json.keys(), "as where an engine does it"
    assert done.json["freed"] > 0


def test_evidence_that_is_being_pruned_is_there_or_not(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who verifies a home while directories go finds each of them whole or gone; what a killed remover left goes with
    the next one.
    """
    seen = []
    real = shutil.rmtree

    def watched(path: Path) -> None:
        for file in sorted(path.iterdir()):
            file.unlink()
            seen.append(contradictions(home))
        if len(seen) < 8:
            real(path)

    monkeypatch.setattr("engine.upkeep.retention.shutil.rmtree", watched)
    remove(surveyed(home, Retention(log_days=30, log_bytes=0)).doomed[:3])
    assert len(seen) >= 8 and not any(seen)
    monkeypatch.undo()
    left = [each for each in surveyed(home, FOREVER).doomed if each.path.name.startswith(".old-")]
    assert left and remove(left)[0] == len(left)
    assert not list(home.attempts.glob("*/.old-*"))


def test_code_that_nothing_needs_goes_after_a_week(home: Home, cli: Cli) -> None:
    """A bundle goes when no DAG loads it, no kept run was made with it, and nobody has asked for it for a week; what is
    asked for again, even as it goes, stays whole.
    """
    contents = [{"a.py": b"one"}, {"a.py": b"two"}, {"a.py": b"three"}]
    old, fresh, asked = (home.versions / keep(each, home.versions) for each in contents)
    week = time.time() - 8 * 86_400
    for path in (*home.versions.iterdir(), old, asked):
        os.utime(path, (week, week))
    os.utime(fresh)
    with Reader(home.database) as store:
        going = unused(home, store)
    assert {each.path for each in going} == {old, asked}
    assert keep(contents[2], home.versions) == asked.name
    said = cli("--home", home.root, "prune", "--dry-run", "--json")
    assert said.json["prunable_bundles"] == 1
    assert remove_unused(going) == (1, next(each.bytes for each in going if each.path == old))
    assert not old.exists() and (asked / "a.py").read_bytes() == b"three" and fresh.exists()
    assert contradictions(home) == []
    assert keep(contents[0], home.versions) == old.name and (old / "a.py").read_bytes() == b"one"


def test_the_process_that_prunes_files_is_polite(home: Home) -> None:
    """It runs beside the engine with the least claim on processors, and tells in JSON what it did."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.upkeep.pruning", "--home", str(home.root), "--dry-run"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["removed"] == 0
    assert told["largest"][0][0] in ("sales", "stock")


class Store:
    """Carries a rig's batches into a real store, as the engine's writer does."""

    def __init__(self, home: Home, rig: Rig) -> None:
        from engine.store.connection import connect_writer
        from engine.store.encode import encode

        self.committer = Committer(home.database, connect_writer)
        head = self.committer.open()
        self.commits = 0
        submit = rig.writer.submit

        def written(batch: Any) -> Any:
            self.commits += 1
            self.committer.commit([encode(batch, head, rig.clock.now())])
            return submit(batch)

        rig.writer.submit = written  # type: ignore[method-assign]


async def prune_rows(home: Home, retention: Retention, now: Micros) -> tuple[int, list[str]]:
    """One night on a home; how many commits it took, and what became of the files."""
    rig = Rig(home.root)
    rig.clock.at = now
    store = Store(home, rig)
    called: list[str] = []

    async def read(wanted: Any) -> Any:
        with Reader(home.database) as reader:
            return wanted(reader)

    async def files(root: Path, *, dry_run: bool) -> dict[str, int]:
        called.append(f"{root} {dry_run}")
        return {"removed": 0, "freed": 0}

    night = Night(
        home, retention, "UTC", rig.scheduler, read, rig.clock, structlog.get_logger(), lambda: None, files,
    )  # fmt: skip
    work = asyncio.create_task(night.prune())
    while not work.done():
        await rig.turn()
        await asyncio.wait([work], timeout=0.002)
    await work
    store.committer.close()
    return store.commits, called


async def test_rows_go_in_small_steps_and_break_no_rule(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old runs go with all that hangs on them, old events from the beginning; the newest run of each DAG and outcome
    stays, as does what is under way, and the store is sound after it.
    """
    monkeypatch.setattr("engine.upkeep.night.RUNS", 2)
    monkeypatch.setattr("engine.upkeep.night.EVENTS", 40)
    events = look(home.database, "SELECT count(*) FROM event")[0][0]
    commits, called = await prune_rows(home, Retention(run_days=20, event_days=10), LATER)
    assert called == [f"{home.root} False"]
    assert look(home.database, "SELECT dag_id, state FROM run ORDER BY 1, 2") == [
        ("sales", "failed"), ("sales", "success"), ("stock", "running"), ("stock", "success"),
    ]  # fmt: skip
    assert look(home.database, "SELECT count(*) FROM task_instance") == [(12,)]
    assert look(home.database, "SELECT count(*) FROM event")[0][0] < events // 10
    assert commits > 8
    assert contradictions(home) == []
    assert look(home.database, "SELECT count(*) FROM command") == [(1,)]


async def test_runs_with_the_last_attempts_of_a_task_stay(home: Home, cli: Cli) -> None:
    """However long ago a task failed for the last time: that run stays, with its attempt, while others around it go. A
    dry run counts what goes.
    """
    [(attempt, run, dag_id)] = look(
        home.database,
        "SELECT a.id, t.run, t.dag_id FROM attempt a JOIN task_instance t ON t.id = a.task_instance JOIN run r"
        " ON r.id = t.run WHERE a.outcome = 'success' AND r.state = 'success' ORDER BY r.ended_at LIMIT 1",
    )
    tamper(
        home.database,
        f"UPDATE attempt SET outcome = 'failed' WHERE id = '{attempt}'",
        "UPDATE attempt SET outcome = 'success' WHERE outcome = 'failed' AND task_instance IN (SELECT id FROM"
        f" task_instance WHERE dag_id = '{dag_id}') AND id <> '{attempt}'",
    )
    home.config.write_text(home.config.read_text() + "[retention]\nrun_days = 0.001\nevent_days = 0.001\n")
    said = cli("--home", home.root, "prune", "--dry-run", "--json").json
    runs, events = (look(home.database, f"SELECT count(*) FROM {table}")[0][0] for table in ("run", "event"))
    await prune_rows(home, Retention(0, 0, run_days=20, event_days=20), LATER)
    assert (run,) in look(home.database, "SELECT id FROM run")
    assert (run,) not in look(home.database, "SELECT max(id) FROM run GROUP BY dag_id, state")
    gone = look(home.database, "SELECT count(*) FROM event WHERE kind = 'prune'")[0][0]
    assert gone and said["prunable_runs"] == gone == runs - look(home.database, "SELECT count(*) FROM run")[0][0]
    assert said["prunable_events"] == events


async def test_backfills_and_gaps_go_with_the_runs_of_their_time(home: Home) -> None:
    """Those that ended before what is kept, with all their dates; a backfill stays while a run of it does, while it is
    under way and while it is young, and a gap as long as what filled it.
    """
    old, young = LATER - 30 * DAY, LATER - 5 * DAY
    kept = look(home.database, "SELECT max(id) FROM run WHERE state = 'running'")[0][0]
    for key, state, ended in (
        (901, "completed", old),
        (902, "cancelled", young),
        (903, "completed", old),
        (904, "paused", None),
    ):
        tamper(
            home.database,
            "INSERT INTO backfill (id, dag_id, state, start, stop, sort, max_active, reprocess, created_at, created_by,"
            f" total, params, tasks, downstream, failures, ended_at) VALUES ({key}, 'stock', '{state}', 0, 1, 'oldest',"
            f" 1, 'none', {old}, 'ann', 1, '{{}}', '[]', 0, 0, {'NULL' if ended is None else ended})",
            f"INSERT INTO backfill_item VALUES ({key}, 0, 0, 1, 'success', 'create', NULL)",
        )
    tamper(home.database, f"UPDATE run SET backfill = 903 WHERE id = {kept}")
    for first, until, at in ((1, 2, old), (3, LATER, old), (4, 5, young)):
        tamper(home.database, f"INSERT INTO schedule_gap VALUES ('stock', {first}, {until}, 1, 'missed', {at})")
    await prune_rows(home, FOREVER, LATER)
    assert len(look(home.database, "SELECT id FROM backfill WHERE id > 900")) == 4
    await prune_rows(home, Retention(0, 0, run_days=20, event_days=0), LATER)
    assert look(home.database, "SELECT id FROM backfill WHERE id > 900") == [(902,), (903,), (904,)]
    assert look(home.database, "SELECT backfill FROM backfill_item WHERE backfill > 900") == [(902,), (903,), (904,)]
    assert look(home.database, "SELECT first FROM schedule_gap WHERE dag_id = 'stock'") == [(3,), (4,)]


async def test_what_has_been_in_the_trash_for_a_week_goes_at_night(home: Home) -> None:
    """Also where everything else is kept for ever; what was deleted since then stays."""
    for run, days in ((9001, 8), (9002, 6)):
        tamper(
            home.database,
            "INSERT INTO trash (run, run_id, dag_id, version_id, run_type, state, logical_date, last_task, at, who,"
            f" rows) VALUES ({run}, 'r{run}', 'etl', 1, 'manual', 'failed', 0, 0, {LATER - days * DAY}, 'ann', '{{}}')",
        )
    await prune_rows(home, FOREVER, LATER)
    assert look(home.database, "SELECT run FROM trash") == [(9002,)]


async def test_the_audit_goes_only_when_it_is_told_to(home: Home) -> None:
    """The audit is for ever unless the home says otherwise; its newest row stays."""
    await prune_rows(home, Retention(0, 0, 0, 0, audit_days=1), LATER)
    assert look(home.database, "SELECT count(*) FROM command") == [(1,)]
    assert look(home.database, "SELECT count(*) FROM meta WHERE key = 'audit_kept_from'") == [(1,)]


@pytest.mark.parametrize(
    ("after", "zone", "expected"),
    [
        ("2026-11-22T01:00:00Z", "UTC", "2026-11-22T03:00:00Z"),
        ("2026-11-22T03:00:00Z", "UTC", "2026-11-23T03:00:00Z"),
        ("2026-11-22T01:59:00Z", "Europe/Berlin", "2026-11-22T02:00:00Z"),
        ("2026-10-24T12:00:00Z", "Europe/Berlin", "2026-10-25T02:00:00Z"),
    ],
)
def test_the_night_is_the_homes(after: str, zone: str, expected: str) -> None:
    """Three o'clock is three o'clock in the home's zone, whatever the clocks do that night."""
    assert next_night(from_iso(after), 3 * 60, zone) == from_iso(expected)


def test_whatever_hangs_on_a_run_goes_with_it(home: Home) -> None:
    """Each table that points to a run or a task instance lets its rows go with theirs: else pruning would fail."""
    rows = look(
        home.database,
        "SELECT t.name, f.on_delete FROM sqlite_master AS t JOIN pragma_foreign_key_list(t.name) AS f"
        " WHERE t.type = 'table' AND f.\"table\" IN ('run', 'task_instance')",
    )
    assert len(rows) >= 4
    assert {on_delete for _, on_delete in rows} == {"CASCADE"}
