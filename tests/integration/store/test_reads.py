"""What consoles read, on a home with a history."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.model.moments import DAY, HOUR, SECOND
from engine.model.rows import Transition
from engine.model.states import Reason, RunState, TaskState
from engine.store import reads_home, reads_inbox, reads_overview, reads_run
from engine.store.batch import Batch
from engine.store.errors import NotFound
from engine.store.reader import Reader
from engine.store.reads_overview import SHOWN_STATES
from tests.support.console_store import NOW, FilledHome
from tests.support.store import (
    T0,
    a_command,
    a_run,
    a_writer,
    creation,
    definition,
    instances,
    look,
    move,
    steps,
    tamper,
)


def test_the_list_of_dags_has_schedules_and_pauses(told: FilledHome, reader: Reader) -> None:
    """One line per DAG, by id."""
    lines = reads_overview.dags(reader)
    assert [line.dag_id for line in lines] == sorted(told.plans)
    by_id = {line.dag_id: line for line in lines}
    assert by_id["legacy_export"].paused_by == "ops2"
    assert by_id["trades_us"].paused_at is None
    assert by_id["trades_us"].next_run_after is not None
    assert by_id["trades_us"].tags == ("trades",)


def test_recent_runs_are_the_last_by_logical_date(told: FilledHome, reader: Reader) -> None:
    """Oldest first, as many as asked for, of the DAGs asked for."""
    found = reads_overview.recent_runs(reader, ["trades_us", "legacy_export", "nobody"], count=5)
    assert found.keys() == {"trades_us", "legacy_export"}
    for dag_id, lines in found.items():
        dates = sorted(memory.run.logical_date for memory in told.runs.values() if memory.run.dag_id == dag_id)
        assert [line.logical_date for line in lines] == dates[-5:]
    assert found["trades_us"][-1].state == "running"
    assert found["legacy_export"][-1].state == "success"


def test_active_runs_are_counted_by_the_states_of_their_tasks(told: FilledHome, reader: Reader) -> None:
    """The counts of every active run are those of its memory; the home's totals are their sum."""
    active = reads_overview.active_runs(reader)
    assert {line.run_id for line in active} == {key for key, memory in told.runs.items() if memory.unfinished}
    counts = reads_overview.state_counts(reader, [line.id for line in active])
    for line in active:
        tally = told.runs[line.run_id].tally
        assert counts[line.id] == {state.value: count for state, count in tally.items() if count}
    totals = reads_overview.totals(reader)
    assert totals[:4] == (5, 1, 0, len(active))
    assert sum(totals.tasks.values()) == sum(sum(states.values()) for states in counts.values())


def test_live_tasks_say_what_a_run_does_now(told: FilledHome, reader: Reader) -> None:
    """The task in retry with its time and error, the running one with its start; neither the done nor the waiting."""
    active = {line.dag_id: line for line in reads_overview.active_runs(reader)}
    live = reads_overview.live_tasks(reader, [line.id for line in active.values()])
    (retry,) = live[active["trades_us"].id]
    assert (retry.task_id, retry.state, retry.attempt) == ("load", "up_for_retry", 3)
    assert retry.retry_at is not None
    assert retry.last_error == "ConnectionError: db-1:5432 refused"
    (running,) = live[active["weather_daily"].id]
    assert (running.task_id, running.state) == ("load", "running")
    assert running.started_at is not None


async def test_live_tasks_come_most_pressing_first_and_bounded(path: Path) -> None:
    """A run with very many waiting tasks shows a few of each state, failures before them."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        tasks = instances(500)
        run = a_run()
        run.state = RunState.RUNNING
        await writer.submit(creation(run, tasks))
        await writer.submit(move(*tasks[:400], to=TaskState.SCHEDULED))
        await writer.submit(move(tasks[450], to=TaskState.FAILED))
    with Reader(path) as reader:
        shown = reads_overview.live_tasks(reader, [1], count=3)[1]
    assert [task.state for task in shown] == ["failed", "scheduled", "scheduled", "scheduled"]
    assert set(SHOWN_STATES).isdisjoint({"none", "success"})


def test_stats_are_of_the_last_successes(told: FilledHome, reader: Reader) -> None:
    """Percentiles over the successful runs; failures of the week are counted, running ones are not."""
    stats = reads_overview.dag_stats(reader, ["trades_eu", "trades_us", "nobody"], NOW)
    runs = [memory.run for memory in told.runs.values() if memory.run.dag_id == "trades_eu"]
    took = sorted(
        run.ended_at - run.started_at for run in runs if run.state == "success" and run.ended_at and run.started_at
    )
    assert stats["trades_eu"].usual == (
        (took[6] + took[7]) // 2, round(took[12] + (took[13] - took[12]) * 0.35), 14,
        round(took[12] + (took[13] - took[12]) * 0.87),
    )  # fmt: skip
    assert (stats["trades_eu"].succeeded, stats["trades_eu"].failed) == (14, 1)
    assert (stats["trades_us"].succeeded, stats["trades_us"].failed) == (14, 0)
    assert stats["nobody"].usual.samples == 0


def test_runs_of_backfills_do_not_count(told: FilledHome, tmp_path: Path) -> None:
    """Neither what a backfill made nor what it ran again enters the figures by which scheduled runs are judged."""
    copy = tmp_path / "state.db"
    with closing(sqlite3.connect(told.home.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    some = "dag_id = 'trades_eu' AND state = 'success' ORDER BY id LIMIT"
    tamper(
        copy,
        f"UPDATE run SET backfill = 1 WHERE id IN (SELECT id FROM run WHERE {some} 4)",
        f"UPDATE run SET run_type = 'backfill' WHERE id IN (SELECT id FROM run WHERE {some} 1)",
    )
    with Reader(copy) as reader:
        stats = reads_overview.dag_stats(reader, ["trades_eu"], NOW)["trades_eu"]
        assert (stats.usual.samples, stats.succeeded, stats.failed) == (10, 10, 1)
        usual = reads_run.task_stats(reader, "trades_eu", ["extract", "load"], NOW)
        assert (usual["extract"].samples, usual["load"].samples) == (11, 10)


def test_old_successes_do_not_count(reader: Reader) -> None:
    """After 30 days without a run there are no figures."""
    stats = reads_overview.dag_stats(reader, ["trades_eu"], NOW + 40 * DAY)["trades_eu"]
    assert stats == ((None, None, 0, None), 0, 0)


def test_open_failures_of_given_runs(reader: Reader) -> None:
    """Failed and retrying task instances, with the run's name and the error; the same rows as the inbox reads."""
    recent = reads_overview.recent_runs(reader, ["trades_us", "trades_eu", "fx_daily"], count=2)
    runs = [line.id for lines in recent.values() for line in lines]
    of_runs = reader.all("inbox", "open_of", {"ids": "[]", "runs": json.dumps(runs)})
    found = reads_inbox.failed(reader, retrying=True)
    assert sorted(of_runs) == sorted(found)
    assert sorted((line.dag_id, line.task_id, line.state) for line in found) == [
        ("fx_daily", "load", "failed"),
        ("trades_eu", "load", "failed"),
        ("trades_us", "load", "up_for_retry"),
    ]
    assert {line.error for line in found} == {"ConnectionError: db-1:5432 refused"}


def test_one_run_with_its_instances_attempts_and_episodes(told: FilledHome, reader: Reader) -> None:
    """A run in detail equals its memory."""
    memory = next(memory for memory in told.runs.values() if memory.run.dag_id == "trades_us" and memory.unfinished)
    detail = reads_run.run(reader, memory.run.id)
    assert (detail.run_id, detail.state, detail.params) == (memory.run.run_id, "running", {})
    lines = reads_run.instances(reader, memory.run.id)
    assert [line.task_id for line in lines] == list(memory.plan.order)
    assert reads_run.instances_by_id(reader, [lines[2].id, 10**9, lines[0].id]) == [lines[2], lines[0]]
    assert reads_run.instances_of_task(reader, memory.run.id, "load") == [lines[5]]
    attempts = reads_run.attempts(reader, lines[5].id)
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert {attempt.outcome for attempt in attempts} == {"failed"}
    assert reads_run.newest_attempts(reader, memory.run.id)[lines[5].id] == attempts[-1]
    assert reads_run.attempts_by_id(reader, [attempts[0].id]) == attempts[:1]
    (episode,) = reads_run.episodes(reader, memory.run.id)
    assert (episode.number, episode.outcome, episode.started_at) == (1, None, memory.run.started_at)
    with pytest.raises(NotFound, match="no run with the key 0"):
        reads_run.run(reader, 0)


def test_lists_of_runs_come_in_pages(reader: Reader) -> None:
    """Pages follow each other without gap or repetition, whatever they are filtered by."""
    for filters in ({}, {"dag_id": "trades_us"}, {"state": "success"}, {"dag_id": "trades_us", "state": "success"}):
        whole = reads_run.runs(reader, count=1000, **filters)  # type: ignore[arg-type]  # each filter is a text
        pages, before = [], None
        while page := reads_run.runs(reader, before=before, count=7, **filters):
            pages += page
            before = page[-1]
        assert pages == whole and len({line.id for line in whole}) == len(whole) > 7
    known = reader.all("run", "runs_by_id", {"ids": json.dumps([whole[0].id, 10**9])})
    assert known == [tuple(whole[0])]


def test_task_stats_and_grid(told: FilledHome, reader: Reader) -> None:
    """Usual durations per task by the attempts that succeeded, and the states of the last runs' tasks."""
    usual = reads_run.task_stats(reader, "trades_eu", ["extract", "load", "nothing"], NOW)
    assert usual["extract"].samples == 15
    assert usual["load"].samples == 14
    assert usual["load"].p50 is not None and 4 * SECOND <= usual["load"].p50 <= 8 * SECOND
    assert usual["nothing"].samples == 0
    runs = [line.id for line in reads_run.runs(reader, dag_id="trades_eu", count=3)]
    cells = reads_run.grid(reader, runs)
    assert [cell.run for cell in cells] == [run for run in runs for _ in range(8)]
    assert [cell.state for cell in cells[:8]] == ["success"] * 5 + ["failed"] + ["upstream_failed"] * 2


def test_versions_can_be_read(reader: Reader) -> None:
    """A version's serialized DAG, and the list of a DAG's versions."""
    (line,) = reads_run.versions(reader, "trades_us")
    assert reads_run.version(reader, line.id).spec.startswith('{"dag_id": "trades_us"')
    with pytest.raises(NotFound, match="no DAG version with the key 77"):
        reads_run.version(reader, 77)


async def test_the_feed_gives_what_came_after(path: Path) -> None:
    """Events after a number, oldest first and so many at most; the head tells whether older ones have been pruned."""

    def after(reader: Reader, seq: int, count: int = 5_000) -> list[int]:
        return [row[0] for row in reader.all("home", "events_after", {"seq": seq, "count": count})]

    async with a_writer(path) as writer:
        for at in range(10):
            await writer.submit(Batch(transitions=[Transition("engine", T0 + at)]))
        with Reader(path) as reader:
            assert reader.one("home", "feed_head") == (10, 1)
            assert (after(reader, 7), after(reader, 10)) == ([8, 9, 10], [])
            assert after(reader, 0, count=2) == [1, 2]
            prune = Batch()
            prune.add("event.prune", before=T0 + 5, most=1_000)
            await writer.submit(prune)
            assert reader.one("home", "feed_head") == (10, 6)
            assert after(reader, 4) == after(reader, 5) == [6, 7, 8, 9, 10]


async def test_the_audit_sessions_reports_holds_and_import_errors(path: Path) -> None:
    """What people did, when the engine lived, what it found, what is held and what does not load: newest first."""
    async with a_writer(path) as writer:
        batch = Batch(command=a_command(id="first", args={"task": "load"}, claimed={"SUDO_USER": "ana"}))
        batch.add("engine.start", id=1, at=T0, boot_id="boot", pid=7, version="0.1.0")
        batch.add("engine.end", id=1, at=T0 + 9, reason="stop")
        batch.add("recovery.add", session=1, at=T0, report='{"lost": 2}')
        batch.add("hold.add", id=1, scope="pool", pattern="db", who="ops1", note="deploy", since=T0, until=None)
        batch.add("hold.add", id=2, scope="all", pattern="", who="ops1", note=None, since=T0, until=T0 + 5)
        batch.add("hold.release", id=2, at=T0 + 1, who="ops2")
        batch.add("import_error.add", file="a.py", dag_id=None, message="no", line=3, traceback="…", at=T0)
        await writer.submit(batch)
        await writer.submit(Batch(command=a_command(id="second", outcome="refused")))
        with Reader(path) as reader:
            assert [line.id for line in reads_home.commands(reader)] == ["second", "first"]
            assert [line.id for line in reads_home.commands(reader, before=2)] == ["first"]
            first = reads_home.command(reader, "first")
            assert first is not None
            assert (first.args, first.claimed, first.applied_seq) == ({"task": "load"}, {"SUDO_USER": "ana"}, 1)
            assert reads_home.command(reader, "third") is None
            assert [(line.ended_at, line.reason) for line in reads_home.sessions(reader)] == [(T0 + 9, "stop")]
            report = reader.one("home", "open_report")
            assert report is not None and json.loads(report[3]) == {"lost": 2}
            assert [(line.scope, line.pattern) for line in reads_home.holds(reader)] == [("pool", "db")]
            assert [(line.file, line.line) for line in reads_home.import_errors(reader)] == [("a.py", 3)]
            read = Batch()
            read.add("recovery.acknowledge", at=T0, who="ops1")
            await writer.submit(read)
            assert reader.one("home", "open_report") is None


async def test_pools_show_their_use(path: Path) -> None:
    """Slots are counted by what each task takes: queued and running ones use them, scheduled ones want them."""
    spec = '{"tasks": [{"task_id": "t1", "pool": "db", "pool_slots": 2}, {"task_id": "t2", "pool": "db"}]}'
    async with a_writer(path) as writer:
        batch = definition()
        batch.rows[1][1]["spec"] = spec  # type: ignore[index]  # a mapping that was just made
        batch.add(
            "pool.put",
            name="db",
            slots=4,
            description="the warehouse",
            configured=None,
            include_deferred=0,
            configured_deferred=0,
        )
        batch.add(
            "pool.put",
            name="default",
            slots=16,
            description=None,
            configured=None,
            include_deferred=0,
            configured_deferred=0,
        )
        await writer.submit(batch)
        tasks = instances(4)
        run = a_run()
        run.state = RunState.RUNNING
        await writer.submit(creation(run, tasks))
        way = steps(tasks[0], "A1")
        for _ in range(3):
            await writer.submit(next(way))
        await writer.submit(move(tasks[1], tasks[2], to=TaskState.SCHEDULED))
    with Reader(path) as reader:
        found = [pool[:5] for pool in reads_home.pools(reader)]
        assert found == [("db", 4, "the warehouse", 2, 1), ("default", 16, None, 0, 1)]


async def test_a_row_says_who_changed_it(path: Path) -> None:
    """The last command that moved an instance is named beside it, for as long as asked."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        await writer.submit(creation(a_run(), [ti]))
        for number, user in enumerate(("ops1", "ops2")):
            row = a_command(user=user, verb="mark", note=f"note {number}")
            batch = Batch(command=row)
            batch.transitions.append(
                Transition(
                    "task", T0 + number, "etl", 1, ti.id, from_state="none", to_state="none", reason=Reason.MANUAL,
                    command=row.id,
                )
            )  # fmt: skip
            await writer.submit(batch)
    with Reader(path) as reader:
        assert reads_run.mentions(reader, 1, T0) == [(ti.id, "ops2", "mark", T0 + 1, "note 1")]
        assert reads_run.mentions(reader, 1, T0 + HOUR) == []


async def test_results_and_callbacks_can_be_read(path: Path) -> None:
    """The newest result of an instance, and a run's callbacks."""
    from engine.store.batch import CallbackRow, ResultRow

    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        await writer.submit(creation(a_run(), [ti]))
        call = CallbackRow("C1", 1, "on_failure", "queued", T0, ti.id, "A1", error="no")
        results = [ResultRow(ti.id, "A2", "2", 1, T0 + 1), ResultRow(ti.id, "A1", "1", 1, T0)]
        await writer.submit(Batch(results=results, callbacks=[call]))
    with Reader(path) as reader:
        assert reads_run.result(reader, ti.id) == ("A2", "2", 1, T0 + 1)
        assert reads_run.result(reader, 77) is None
        (line,) = reads_run.callbacks(reader, 1)
        assert (line.name, line.task_instance, line.error) == ("on_failure", ti.id, "no")


def test_the_views_for_people_can_be_read(told: FilledHome) -> None:
    """Each view answers, in times that people read and seconds that they count."""
    database = told.home.database
    views = [name for (name,) in look(database, "SELECT name FROM sqlite_master WHERE type = 'view'")]
    assert set(views) == {"v_runs", "v_tasks", "v_attempts", "v_audit", "v_events"}
    for view in views:
        look(database, f"SELECT * FROM {view} LIMIT 5")
    ((started, seconds),) = look(
        database, "SELECT started_at, seconds FROM v_tasks WHERE task_id = 'load' AND state = 'success' LIMIT 1"
    )
    assert started.startswith("2026-11-2") and started.endswith("Z")
    assert 4 <= seconds <= 8
