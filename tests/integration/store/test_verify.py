"""The whole store's checks find what is wrong, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model.states import RunState
from engine.store.batch import Batch
from engine.store.reader import Reader
from engine.store.sql import statements
from engine.store.verify import problems
from tests.support.console_store import FilledHome
from tests.support.store import a_command, a_run, a_writer, creation, definition, instances, steps, tamper


def test_a_night_of_real_work_is_sound(told: FilledHome) -> None:
    """What the engine's own lifecycle wrote breaks no rule."""
    with Reader(told.home.database) as reader:
        assert problems(reader) == []


@pytest.fixture
async def store(path: Path) -> Path:
    """A sound store: one running run with one task done and one waiting, and three commands."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        done, waiting = instances(2)
        run = a_run()
        run.state = RunState.RUNNING
        await writer.submit(creation(run, [done, waiting]))
        for batch in steps(done, "A1"):
            await writer.submit(batch)
        for number in range(3):
            await writer.submit(Batch(command=a_command(id=f"command {number}")))
    with Reader(path) as reader:
        assert problems(reader) == []
    return path


NO_TRIGGERS = "DROP TRIGGER command_is_kept; DROP TRIGGER command_is_kept_until"

WRONGS = {
    "backfill_dates": (
        "INSERT INTO backfill VALUES (1, 'trades_us', 'running', 0, 1, 'oldest', 1, 'none', 0, 'ada', 1, '{}', '[]', 0,"
        " NULL, NULL, NULL, 0, NULL, NULL, NULL);"
        "INSERT INTO backfill_item VALUES (1, 0, 0, 1, 'running', 'create', 1);"
        "UPDATE run SET backfill = 1, state = 'failed'",
        "date 0 of backfill 1 is running while its run is failed",
    ),
    "event_gaps": ("DELETE FROM event WHERE seq = 3", "event 2 is followed by 4"),
    "task_moves": (
        "UPDATE event SET to_state = 'deferred' WHERE seq = 5; UPDATE event SET from_state = 'deferred' WHERE seq = 6",
        "moved from queued to deferred, which is not in the table",
    ),
    "run_moves": (
        "INSERT INTO event (seq, at, kind, run, from_state, to_state) VALUES (10, 0, 'run', 1, 'running', 'queued');"
        "UPDATE run SET state = 'queued'",
        "some run moved from running to queued",
    ),
    "broken_task_histories": (
        "UPDATE event SET from_state = 'scheduled' WHERE seq = 6",
        "event 6: task instance 1 moves from scheduled but was running",
    ),
    "broken_run_histories": (
        "INSERT INTO event (seq, at, kind, run, from_state, to_state) VALUES (10, 0, 'run', 1, 'paused', 'running')",
        "event 10: run 1 moves from paused but was running",
    ),
    "tasks_unlike_their_history": (
        "UPDATE task_instance SET state = 'failed' WHERE id = 1",
        "task instance 1 is failed but its last event says success",
    ),
    "runs_unlike_their_history": (
        "UPDATE run SET state = 'paused'",
        "run etl@1 is paused but its last event says running",
    ),
    "success_without_proof": (
        "UPDATE attempt SET exit_code = 1",
        "task instance 1 (t1) is a success without an attempt that ended with 0",
    ),
    "attempts_at_once": (
        "INSERT INTO attempt (id, task_instance, number, state, counts) VALUES ('A2', 1, 2, 'queued', 1);"
        "INSERT INTO attempt (id, task_instance, number, state, counts) VALUES ('A3', 1, 3, 'queued', 1)",
        "task instance 1 has 2 unfinished attempts",
    ),
    "attempt_numbers": (
        "UPDATE attempt SET number = 2",
        "task instance 1 counts 1 attempts, the store has 1 up to number 2",
    ),
    "current_attempts": (
        "UPDATE task_instance SET current_attempt = 'A1' WHERE id = 1",
        "task instance 1 is success with the attempt A1 under way, which is ended",
    ),
    "stray_attempts": (
        "UPDATE attempt SET state = 'running'",
        "attempt A1 is running but its task instance 1 has another one under way",
    ),
    "ended_runs_with_open_tasks": (
        "UPDATE run SET state = 'success'",
        "run etl@1 is success while t2 is none",
    ),
    "open_runs_with_ended_tasks": (
        "UPDATE task_instance SET state = 'skipped' WHERE id = 2",
        "run etl@1 is running although all its tasks have ended",
    ),
    "retry_times": (
        "UPDATE task_instance SET retry_at = 5 WHERE id = 2",
        "task instance 2 is none with a retry time",
    ),
    "unknown_changes": ("UPDATE run SET changed_seq = 99", "run etl@1 was changed by event 99"),
    "unknown_task_changes": (
        "UPDATE task_instance SET changed_seq = 99 WHERE id = 2",
        "task instance 2 was changed by event 99",
    ),
    "audit": (
        f"{NO_TRIGGERS}; UPDATE command SET user = 'somebody' WHERE number = 2",
        "audit row 2 (command 1) is not what was written",
    ),
    "audit_gap": (f"{NO_TRIGGERS}; DELETE FROM command WHERE number = 2", "audit row 1 is followed by 3"),
    "foreign_keys": ("DELETE FROM dag_version", "points to a missing row of dag_version"),
}


@pytest.mark.parametrize("rule", WRONGS)
async def test_each_rule_finds_its_breach(store: Path, rule: str) -> None:
    """A store that breaks one rule is reported in words that name the row."""
    statement, words = WRONGS[rule]
    tamper(store, *statement.split(";"))
    with Reader(store) as reader:
        assert any(words in found for found in problems(reader)), problems(reader)


def test_every_rule_has_its_breach() -> None:
    """No check goes untried."""
    assert set(statements("verify")) <= set(WRONGS)


async def test_findings_are_bounded(path: Path) -> None:
    """However much is wrong, each rule shows a few."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        await writer.submit(creation(a_run(), instances(100)))
    tamper(path, "UPDATE task_instance SET changed_seq = 99")
    with Reader(path) as reader:
        assert len(problems(reader, most=7)) == 7


RIGHTS = {
    "an approval that a person answered": (
        "UPDATE task_instance SET reason = 'answered' WHERE id = 1;UPDATE attempt SET outcome = 'failed', exit_code = 1"
    ),
    "an approval that took its default": (
        "UPDATE task_instance SET reason = 'unanswered' WHERE id = 1;"
        "UPDATE attempt SET outcome = 'failed', exit_code = 1"
    ),
    "a run that came back from the trash": (
        "INSERT INTO event (seq, at, kind, task_instance, from_state, to_state)"
        " VALUES (10, 0, 'task', 2, 'none', 'skipped');"
        "INSERT INTO event (seq, at, kind, run, from_state, to_state) VALUES"
        " (11, 0, 'run', 1, 'running', 'success'), (12, 0, 'run', 1, 'success', 'deleted'),"
        " (13, 0, 'run', 1, 'deleted', 'success');"
        "UPDATE task_instance SET state = 'skipped' WHERE id = 2; UPDATE run SET state = 'success'"
    ),
}


@pytest.mark.parametrize("what", RIGHTS)
async def test_what_the_engine_does_without_a_process_is_sound(store: Path, what: str) -> None:
    """Answers of people, and the way to the trash and back, break no rule."""
    tamper(store, *RIGHTS[what].split(";"))
    with Reader(store) as reader:
        assert problems(reader) == []
