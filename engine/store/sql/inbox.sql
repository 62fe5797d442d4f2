-- What has failed and nobody has put right. What a person has decided (killed, marked, cancelled) is no failure.

-- name: unresolved
SELECT t.id, t.dag_id, t.run, r.run_id, t.task_id, t.map_index, t.state, t.attempt, t.ended_at,
    coalesce(t.last_error, t.reason, ''), t.changed_seq, r.logical_date, t.retry_at
FROM task_instance AS t INDEXED BY task_instance_failed JOIN run AS r ON r.id = t.run
WHERE t.state = 'failed' AND t.ended_at >= :since
    AND coalesce(t.reason, '') NOT IN ('expanded', 'killed', 'kill_requested', 'manual', 'cancel')
    AND NOT EXISTS (SELECT 1 FROM failure_resolved AS f WHERE f.task_instance = t.id AND f.attempt = t.attempt)
ORDER BY t.ended_at DESC, t.id LIMIT :most;

-- name: retrying
SELECT t.id, t.dag_id, t.run, r.run_id, t.task_id, t.map_index, t.state, t.attempt,
    coalesce(a.ended_at, t.started_at, 0), coalesce(t.last_error, t.reason, ''), t.changed_seq, r.logical_date,
    t.retry_at
FROM run AS r INDEXED BY run_state JOIN task_instance AS t ON t.run = r.id AND t.state = 'up_for_retry'
    LEFT JOIN attempt AS a ON a.task_instance = t.id AND a.number = t.attempt
WHERE r.state = 'running' AND coalesce(a.ended_at, t.started_at, 0) >= :since
    AND coalesce(t.reason, '') NOT IN ('expanded', 'killed', 'kill_requested', 'manual', 'cancel')
ORDER BY 9 DESC, t.id LIMIT :most;

-- name: open_of
SELECT t.id, t.dag_id, t.run, r.run_id, t.task_id, t.map_index, t.state, t.attempt,
    CASE t.state WHEN 'failed' THEN t.ended_at ELSE coalesce(a.ended_at, t.started_at, 0) END,
    coalesce(t.last_error, t.reason, ''), t.changed_seq, r.logical_date, t.retry_at
FROM (SELECT value AS id FROM json_each(:ids)
      UNION SELECT i.id FROM json_each(:runs) AS w CROSS JOIN json_each('["failed", "up_for_retry"]') AS s
          CROSS JOIN task_instance AS i ON i.run = w.value AND i.state = s.value) AS wanted
    CROSS JOIN task_instance AS t ON t.id = wanted.id CROSS JOIN run AS r ON r.id = t.run
    LEFT JOIN attempt AS a ON a.task_instance = t.id AND a.number = t.attempt
WHERE (t.state = 'failed' AND t.ended_at >= 0 OR t.state = 'up_for_retry' AND r.state = 'running')
    AND coalesce(t.reason, '') NOT IN ('expanded', 'killed', 'kill_requested', 'manual', 'cancel')
    AND (t.state <> 'failed' OR NOT EXISTS
        (SELECT 1 FROM failure_resolved AS f WHERE f.task_instance = t.id AND f.attempt = t.attempt));

-- Runs that failed although no task of them did, by their time limit or by a deadlock. A run's row has the key of its first
-- instance that was stopped, and the number of its episode, negative, where others have that of their attempt.

-- name: failed_runs
SELECT f.id, r.dag_id, r.id, r.run_id, '', -1, r.state, -r.episode, r.ended_at, r.reason, r.changed_seq,
    r.logical_date, NULL
FROM run AS r INDEXED BY run_state CROSS JOIN task_instance AS f ON f.id =
    (SELECT min(t.id) FROM task_instance AS t WHERE t.run = r.id AND t.state IN ('cancelled', 'removed', 'skipped'))
WHERE r.state = 'failed' AND r.reason <> 'tasks_failed' AND r.ended_at >= :since
    AND NOT EXISTS (SELECT 1 FROM task_instance AS t WHERE t.run = r.id AND t.state = 'failed')
    AND NOT EXISTS (SELECT 1 FROM failure_resolved AS d WHERE d.task_instance = f.id AND d.attempt = -r.episode)
ORDER BY r.ended_at DESC, r.id LIMIT :most;

-- name: failed_runs_of
SELECT f.id, r.dag_id, r.id, r.run_id, '', -1, r.state, -r.episode, r.ended_at, r.reason, r.changed_seq,
    r.logical_date, NULL
FROM json_each(:runs) AS wanted CROSS JOIN run AS r ON r.id = wanted.value CROSS JOIN task_instance AS f ON f.id =
    (SELECT min(t.id) FROM task_instance AS t WHERE t.run = r.id AND t.state IN ('cancelled', 'removed', 'skipped'))
WHERE r.state = 'failed' AND r.reason <> 'tasks_failed'
    AND NOT EXISTS (SELECT 1 FROM task_instance AS t WHERE t.run = r.id AND t.state = 'failed')
    AND NOT EXISTS (SELECT 1 FROM failure_resolved AS d WHERE d.task_instance = f.id AND d.attempt = -r.episode);

-- name: dragged_down
SELECT t.dag_id, r.run_id, t.task_id, t.map_index, t.state
FROM json_each(:runs) AS wanted CROSS JOIN task_instance AS t ON t.run = wanted.value AND t.state = 'upstream_failed'
    CROSS JOIN run AS r ON r.id = t.run
ORDER BY r.logical_date, r.id, t.id LIMIT :most;

-- name: claims
SELECT signature, who, at, note FROM failure_claim ORDER BY signature;

-- name: recoveries
SELECT c.id, c.state, c.cause, c.created_by, c.created_at, c.ended_at, c.at_once, c.command, c.note,
    count(*), sum(i.state = 'pending'), sum(i.state = 'running'), sum(i.state = 'success'), sum(i.state = 'failed'),
    sum(i.state = 'skipped')
FROM recovery AS c JOIN recovery_item AS i ON i.recovery = c.id
WHERE (:id IS NULL OR c.id = :id) AND (c.ended_at IS NULL OR c.ended_at >= :since)
GROUP BY c.id ORDER BY c.id;

-- name: recovery_failures
SELECT run_id, detail, state FROM recovery_item WHERE recovery = :id AND state IN ('failed', 'skipped') ORDER BY ordinal;

-- name: open_recoveries
SELECT id, cause, at_once, command, created_by, created_at, dags, backfills FROM recovery WHERE state = 'running' ORDER BY id;

-- name: recovery_items
SELECT ordinal, run, run_id, tasks, state, detail FROM recovery_item WHERE recovery = :id ORDER BY ordinal;

-- name: stopped_backfills
SELECT DISTINCT b.id FROM json_each(:runs) AS wanted CROSS JOIN run AS r ON r.id = wanted.value
    CROSS JOIN backfill AS b ON b.id = r.backfill
WHERE b.state = 'stopped_by_failures' ORDER BY b.id;

-- name: last_recovery
SELECT coalesce(max(id), 0) FROM recovery;
