-- The overview of all DAGs. Lists of keys are given as JSON (:dag_ids, :runs).

-- name: dags
SELECT d.dag_id, d.file, d.state, d.current_version, d.timezone, d.schedule, d.owner, d.tags, d.broken_since,
    s.next_start, s.next_run_after, s.enabled_at, s.paused_at, s.paused_by, s.pause_reason
FROM dag AS d LEFT JOIN schedule_state AS s ON s.dag_id = d.dag_id
ORDER BY d.dag_id;

-- name: recent_runs
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM json_each(:dag_ids) AS d CROSS JOIN run AS r
    ON r.id IN (SELECT id FROM run WHERE dag_id = d.value ORDER BY logical_date DESC, id DESC LIMIT :count);

-- name: active_runs
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM run AS r WHERE r.state IN ('queued', 'running', 'paused', 'cancelling')
ORDER BY r.dag_id, r.logical_date, r.id;

-- name: state_counts
SELECT run, state, sum(n) FROM
    (SELECT t.run, t.state, count(*) AS n
     FROM json_each(:runs) AS wanted CROSS JOIN task_instance AS t ON t.run = wanted.value GROUP BY t.run, t.state
     UNION ALL
     SELECT t.run, t.state, -count(*)
     FROM json_each(:runs) AS wanted CROSS JOIN task_instance AS t ON t.run = wanted.value
     WHERE t.reason = 'expanded' GROUP BY t.run, t.state)
GROUP BY run, state HAVING sum(n) > 0;

-- name: live_tasks
SELECT t.id, t.run, t.dag_id, t.task_id, t.map_index, t.state, t.reason, t.attempt, t.epoch_start, t.retry_at,
    t.scheduled_at, t.started_at, t.ended_at, t.blockers, t.last_error
FROM json_each(:runs) AS wanted CROSS JOIN json_each(:states) AS shown CROSS JOIN task_instance AS t
    ON t.id IN (SELECT id FROM task_instance
        WHERE run = wanted.value AND state = shown.value AND reason IS NOT 'expanded'
            AND NOT EXISTS (SELECT 1 FROM failure_resolved AS f
                WHERE f.task_instance = task_instance.id AND f.attempt = task_instance.attempt) LIMIT :count)
ORDER BY wanted.key, shown.key, t.id;

-- name: totals
SELECT (SELECT count(*) FROM dag WHERE state = 'active'),
    (SELECT count(*) FROM schedule_state AS s JOIN dag AS d ON d.dag_id = s.dag_id
     WHERE s.paused_at IS NOT NULL AND d.state = 'active'),
    (SELECT count(*) FROM dag WHERE broken_since IS NOT NULL AND state = 'active'),
    (SELECT count(*) FROM run WHERE state IN ('queued', 'running', 'paused', 'cancelling'));

-- name: live_counts
SELECT state, sum(n) FROM
    (SELECT t.state, count(*) AS n
     FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
     WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') GROUP BY t.state
     UNION ALL
     SELECT t.state, -count(*)
     FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
     WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') AND t.reason = 'expanded' GROUP BY t.state)
GROUP BY state HAVING sum(n) > 0;

-- name: run_durations
SELECT d.value,
    (SELECT group_concat(took) FROM
        (SELECT max(0, r.ended_at - r.started_at) AS took FROM run AS r
         WHERE r.dag_id = d.value AND r.state = 'success' AND r.ended_at >= :since AND r.started_at IS NOT NULL
             AND r.episode = 1 AND r.run_type <> 'backfill' AND r.backfill IS NULL
         ORDER BY r.ended_at DESC LIMIT 100)),
    (SELECT count(*) FROM run AS r WHERE r.dag_id = d.value AND r.state = 'success' AND r.ended_at >= :week
         AND r.run_type <> 'backfill' AND r.backfill IS NULL),
    (SELECT count(*) FROM run AS r WHERE r.dag_id = d.value AND r.state = 'failed' AND r.ended_at >= :week
         AND r.run_type <> 'backfill' AND r.backfill IS NULL)
FROM json_each(:dag_ids) AS d;
