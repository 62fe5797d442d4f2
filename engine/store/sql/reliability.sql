-- How reliable a DAG is, and what it takes. Moments are microseconds UTC; :since is where a window begins.

-- name: outcomes
SELECT r.logical_date, e.ended_at, e.outcome = 'success',
    r.run_type IN ('scheduled', 'asset_triggered', 'external') AND r.backfill IS NULL
FROM run AS r CROSS JOIN run_episode AS e ON e.run = r.id
WHERE r.dag_id = :dag_id
    AND (r.state IN ('success', 'failed', 'cancelled') AND r.ended_at >= :since
        OR r.state IN ('queued', 'running', 'paused', 'cancelling'))
    AND e.outcome IN ('success', 'failed') AND e.ended_at >= :since
ORDER BY e.ended_at;

-- name: failing_before
SELECT min(f.ended_at), f.logical_date
FROM run AS f
WHERE f.dag_id = :dag_id AND f.state = 'failed' AND f.ended_at < :since AND f.backfill IS NULL
    AND f.run_type IN ('scheduled', 'asset_triggered', 'external')
    AND f.ended_at > coalesce((SELECT max(s.ended_at) FROM run AS s
        WHERE s.dag_id = :dag_id AND s.state = 'success' AND s.ended_at < :since), 0);

-- name: backfilled
SELECT count(*) FROM run
WHERE dag_id = :dag_id AND state = 'success' AND ended_at >= :since AND (backfill IS NOT NULL OR run_type = 'backfill');

-- name: ends
WITH newest AS
    (SELECT id FROM run
     WHERE dag_id = :dag_id AND state IN ('success', 'failed', 'cancelled') AND ended_at >= :since
        AND (:backfills OR backfill IS NULL AND run_type <> 'backfill')
     ORDER BY ended_at DESC LIMIT :runs)
SELECT a.outcome, a.failure_class, a.reason, count(*),
    sum(t.state = 'failed' AND a.number = t.attempt)
FROM newest AS r CROSS JOIN task_instance AS t ON t.run = r.id CROSS JOIN attempt AS a ON a.task_instance = t.id
WHERE a.state = 'ended' AND a.outcome <> 'unspent'
GROUP BY a.outcome, a.failure_class, a.reason
UNION ALL
SELECT 'upstream_failed', NULL, NULL, 0, count(*)
FROM newest AS r CROSS JOIN task_instance AS t ON t.run = r.id AND t.state = 'upstream_failed'
WHERE t.reason IS NOT 'expanded'
UNION ALL
SELECT 'runs', NULL, NULL, count(*), 0 FROM newest;

-- name: slot_time
SELECT t.task_id, sum(min(coalesce(a.ended_at, :now), :now) - max(a.started_at, :since)),
    sum(a.cpu_seconds), sum(CASE WHEN a.cpu_seconds IS NOT NULL THEN a.duration END),
    sum(a.peak_bytes), count(a.peak_bytes), max(a.peak_bytes)
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id CROSS JOIN attempt AS a ON a.task_instance = t.id
WHERE r.dag_id = :dag_id
    AND (r.state IN ('success', 'failed', 'cancelled') AND r.ended_at >= :since
        OR r.state IN ('queued', 'running', 'paused', 'cancelling'))
    AND a.started_at < :now AND coalesce(a.ended_at, :now) > :since
GROUP BY t.task_id;

-- name: runs_since
SELECT count(*) FROM run
WHERE dag_id = :dag_id
    AND (state IN ('success', 'failed', 'cancelled') AND ended_at >= :since
        OR state IN ('queued', 'running', 'paused', 'cancelling'));
