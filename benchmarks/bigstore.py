"""Builds a large store for benchmarks, by SQL: D DAGs with a history of runs, N task instances in all, some runs live.

    python benchmarks/bigstore.py HOME_OR_FILE [--dags 1000] [--tasks 1000000] [--per-run 10] [--now MICROS]

The rows agree with each other as the engine's do, except that the feed holds only the live runs' last events.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
from dataclasses import asdict
from pathlib import Path

from engine.model.dag import DagSpec, ScheduleSpec, TaskSpec
from engine.model.moments import DAY, HOUR, MINUTE, SECOND
from engine.store.connection import connect_writer
from engine.store.migrations import open_store

FEED = 20_000
"""Events that the store holds: the latest ones."""


def build(path: Path, dags: int, tasks: int, per_run: int, now: int, live: int = 16) -> None:
    """Makes the store at `path`, which must not exist. `live` DAGs have a run under way."""
    if path.exists():
        raise SystemExit(f"{path} exists")
    open_store(path)
    db = connect_writer(path)
    runs_per_dag = max(1, tasks // per_run // dags)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    db.execute("BEGIN IMMEDIATE")
    _definitions(db, dags, per_run, now)
    db.execute("CREATE TEMP TABLE n (i INTEGER PRIMARY KEY)")
    db.execute(
        "WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < ?)"
        " INSERT INTO n SELECT i FROM c",
        (max(runs_per_dag, dags, per_run, FEED),),
    )
    _runs(db, dags, runs_per_dag, now, live)
    _instances(db, per_run)
    _feed(db)
    db.execute("INSERT INTO engine_session VALUES (1, ?, ?, NULL, NULL, 'boot', 1, '0')", (now - DAY, now))
    db.execute("COMMIT")
    db.execute("DROP TABLE n")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _definitions(db: sqlite3.Connection, dags: int, per_run: int, now: int) -> None:
    for number in range(dags):
        dag_id = f"team_{number % 20:02}.pipeline_{number:05}"
        chain = [
            TaskSpec(task_id=f"task_{i:03}", kind="shell", command="true", upstream=[f"task_{i - 1:03}"] if i else [])
            for i in range(per_run)
        ]
        schedule = ScheduleSpec(expression="0 * * * *", start_date="2024-01-01T00:00:00+00:00")
        spec = json.dumps(asdict(DagSpec(dag_id, f"pipelines/{number:05}.py", chain, schedule, tags=["bench"])))
        db.execute(
            "INSERT INTO dag VALUES (?, ?, 'active', ?, NULL, ?, ?, '0 * * * *', 'UTC', 'data', '[\"bench\"]')",
            (dag_id, f"pipelines/{number:05}.py", number + 1, now - DAY, now - DAY),
        )
        db.execute(
            "INSERT INTO dag_version VALUES (?, ?, 1, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
            (number + 1, dag_id, f"{number:064x}", f"{number:064x}", spec, now - 60 * DAY),
        )
        db.execute(
            "INSERT INTO schedule_state VALUES (?, ?, ?, ?, NULL, NULL, NULL, ?, NULL, NULL, NULL, NULL)",
            (dag_id, now, now + (number % 60) * MINUTE, now - 60 * DAY, f"{number:064x}"),
        )
    db.executemany(
        "INSERT INTO pool (name, slots, description, include_deferred, configured_deferred) VALUES (?, ?, ?, 0, 0)",
        [("default", 16, None), ("db", 4, "connections")],
    )


def _runs(db: sqlite3.Connection, dags: int, runs_per_dag: int, now: int, live: int) -> None:
    """Runs in the order of their logical dates, as they would have been created: hourly, one in 40 failed."""
    first = (now // HOUR) * HOUR - runs_per_dag * HOUR
    db.execute(
        """
        WITH slot AS MATERIALIZED (
            SELECT age.i AS age, v.id AS version, v.dag_id AS dag_id, :first + age.i * :hour AS at,
                CASE WHEN age.i = :runs - 1 AND v.id <= :live THEN 'running'
                     WHEN (v.id * 31 + age.i * 17) % 40 = 0 THEN 'failed' ELSE 'success' END AS state
            FROM n AS age CROSS JOIN dag_version AS v WHERE age.i < :runs
        )
        INSERT INTO run (id, run_id, dag_id, version_id, run_type, state, reason, logical_date, interval_start,
            interval_end, run_after, created_at, started_at, ended_at, episode, params, inferred, changed_seq,
            priority)
        SELECT age * :dags + version, dag_id || '@' || strftime('%Y%m%dT%H%M%SZ', at / 1000000, 'unixepoch'), dag_id,
            version, 'scheduled', state,
            CASE state WHEN 'success' THEN 'tasks_succeeded' WHEN 'failed' THEN 'tasks_failed' ELSE 'started' END,
            at, at, at + :hour, at + :hour, at + :hour, at + :hour + :second,
            CASE WHEN state <> 'running' THEN at + :hour + :second * (60 + (version * 7 + age * 13) % 120) END,
            1, '{}', 0, 1, 0
        FROM slot
        """,
        {"first": first, "hour": HOUR, "second": SECOND, "runs": runs_per_dag, "live": live, "dags": dags},
    )
    db.execute(
        "INSERT INTO run_episode SELECT id, 1, version_id, 'created', NULL, started_at, ended_at,"
        " CASE WHEN ended_at IS NOT NULL THEN state END FROM run"
    )


def _instances(db: sqlite3.Connection, per_run: int) -> None:
    """Chains: in a failed run the fifth task failed, in a live one it runs."""
    db.execute(
        """
        WITH place AS MATERIALIZED (
            SELECT r.id AS run, r.dag_id, r.version_id, r.started_at, n.i AS i,
                CASE WHEN r.state = 'success' OR n.i < 4 THEN 'success'
                     WHEN r.state = 'failed' THEN iif(n.i = 4, 'failed', 'upstream_failed')
                     ELSE iif(n.i = 4, 'running', 'none') END AS state
            FROM run AS r CROSS JOIN n WHERE n.i < :per_run
        )
        INSERT INTO task_instance (id, run, dag_id, task_id, map_index, state, reason, attempt, epoch_start,
            lost_count, spared, requeues, current_attempt, scheduled_at, started_at, ended_at, duration, last_error,
            forced, changed_seq)
        SELECT (run - 1) * :per_run + i + 1, run, dag_id, printf('task_%03d', i), -1, state,
            CASE state WHEN 'success' THEN 'exit' WHEN 'failed' THEN 'exit' WHEN 'running' THEN 'claimed'
                 WHEN 'upstream_failed' THEN 'upstream' END,
            state IN ('success', 'failed', 'running'), 0, 0, 0, 0,
            CASE WHEN state = 'running' THEN printf('01HB%022d', (run - 1) * :per_run + i + 1) END,
            started_at + i * 6 * :second, started_at + i * 6 * :second,
            CASE WHEN state IN ('success', 'failed', 'upstream_failed') THEN started_at + (i + 1) * 6 * :second END,
            CASE WHEN state = 'success' THEN 5 * :second + (run * 37 + i * 11) % :second END,
            CASE WHEN state = 'failed' THEN 'ConnectionError: db-1:5432 refused' END, 0, 1
        FROM place
        """,
        {"per_run": per_run, "second": SECOND},
    )
    db.execute(
        """
        INSERT INTO attempt (id, task_instance, number, state, queued_at, started_at, ended_at, outcome, failure_class,
            reason, exit_code, error, duration, version_id, counts)
        SELECT printf('01HB%022d', id), id, 1, iif(state = 'running', 'running', 'ended'), scheduled_at, started_at,
            ended_at, CASE WHEN state <> 'running' THEN state END, CASE WHEN state = 'failed' THEN 'transient' END,
            reason, CASE state WHEN 'success' THEN 0 WHEN 'failed' THEN 1 END, last_error,
            coalesce(duration, ended_at - started_at), 1, 1
        FROM task_instance WHERE attempt = 1
        """
    )


def _feed(db: sqlite3.Connection) -> None:
    """The last moves of the newest task instances that have ended."""
    db.execute(
        """
        INSERT INTO event (at, kind, dag_id, run, task_instance, attempt, from_state, to_state, reason)
        SELECT ended_at, 'task', dag_id, run, id, printf('01HB%022d', id),
            iif(state = 'upstream_failed', 'none', 'running'), state, reason
        FROM (SELECT * FROM task_instance WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT :feed) ORDER BY ended_at
        """,
        {"feed": FEED},
    )


def main() -> None:
    """Reads the arguments, builds, says how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--dags", type=int, default=1_000)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--per-run", type=int, default=10)
    parser.add_argument("--now", type=int, default=time.time_ns() // 1000)
    options = parser.parse_args()
    path = options.path / "state.db" if options.path.is_dir() else options.path
    started = time.perf_counter()
    build(path, options.dags, options.tasks, options.per_run, options.now)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
