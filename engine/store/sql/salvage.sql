-- Making what was read from a damaged store a store again. Statements are executed in this order.

-- name: dags_without_version
UPDATE dag SET current_version = NULL
WHERE current_version IS NOT NULL AND current_version NOT IN (SELECT id FROM dag_version);

-- name: backfills_without_dag
DELETE FROM backfill WHERE dag_id NOT IN (SELECT dag_id FROM dag);

-- name: items_without_backfill
DELETE FROM backfill_item WHERE backfill NOT IN (SELECT id FROM backfill);

-- name: gaps_without_dag
DELETE FROM schedule_gap WHERE dag_id NOT IN (SELECT dag_id FROM dag);

-- name: runs_in_part
DELETE FROM run
WHERE NOT EXISTS (SELECT 1 FROM task_instance AS t WHERE t.run = run.id)
    OR EXISTS (SELECT 1 FROM task_instance AS t LEFT JOIN attempt AS a ON a.task_instance = t.id
               WHERE t.run = run.id GROUP BY t.id
               HAVING count(a.number) <> t.attempt OR coalesce(max(a.number), 0) <> t.attempt)
    OR EXISTS (SELECT 1 FROM task_instance AS t
               WHERE t.run = run.id AND t.state = 'success' AND t.reason IS NOT 'manual' AND NOT EXISTS
                   (SELECT 1 FROM attempt AS a
                    WHERE a.task_instance = t.id AND a.outcome = 'success' AND a.exit_code = 0));

-- name: events_before_a_gap
DELETE FROM event WHERE seq < (SELECT max(seq) FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM event)
                               WHERE before IS NOT NULL AND seq <> before + 1);

-- name: end_backfill_items
UPDATE backfill_item SET state = 'cancelled' WHERE state = 'running';

-- name: pause_backfills
UPDATE backfill SET state = 'paused' WHERE state = 'running';

-- name: tell
INSERT INTO event (seq, at, kind, reason)
VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM event), :at, 'engine', 'salvaged');

-- name: end_attempts
UPDATE attempt SET state = 'ended', outcome = 'lost', failure_class = 'infrastructure', reason = 'lost', ended_at = :at
WHERE state <> 'ended';

-- name: tell_tasks
INSERT INTO event (seq, at, kind, dag_id, run, task_instance, to_state, reason)
SELECT (SELECT coalesce(max(seq), 0) FROM event) + row_number() OVER (ORDER BY id), :at, 'task', dag_id, run, id,
    'cancelled', 'cancel'
FROM task_instance WHERE state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'removed');

-- name: end_tasks
UPDATE task_instance SET state = 'cancelled', reason = 'cancel', current_attempt = NULL, retry_at = NULL,
    then_state = NULL, then_reason = NULL, blockers = NULL, ended_at = coalesce(ended_at, :at)
WHERE state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'removed');

-- name: tell_runs
INSERT INTO event (seq, at, kind, dag_id, run, to_state, reason)
SELECT (SELECT coalesce(max(seq), 0) FROM event) + row_number() OVER (ORDER BY id), :at, 'run', dag_id, id,
    'cancelled', 'cancel'
FROM run WHERE state IN ('queued', 'running', 'paused', 'cancelling');

-- name: end_runs
UPDATE run SET state = 'cancelled', reason = 'cancel', ended_at = coalesce(ended_at, :at)
WHERE state IN ('queued', 'running', 'paused', 'cancelling');

-- name: end_episodes
UPDATE run_episode SET ended_at = :at, outcome = 'cancelled'
WHERE ended_at IS NULL AND number = (SELECT r.episode FROM run AS r WHERE r.id = run_episode.run);

-- name: changes_not_yet_made
UPDATE run SET changed_seq = (SELECT coalesce(max(seq), 0) FROM event)
WHERE changed_seq > (SELECT coalesce(max(seq), 0) FROM event);

-- name: task_changes_not_yet_made
UPDATE task_instance SET changed_seq = (SELECT coalesce(max(seq), 0) FROM event)
WHERE changed_seq > (SELECT coalesce(max(seq), 0) FROM event);

-- name: forget_history
DELETE FROM event WHERE :forget = 1 AND seq < (SELECT max(seq) FROM event);
