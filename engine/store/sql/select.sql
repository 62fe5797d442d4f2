-- What expressions choose from. Lists are JSON; an empty parameter does not restrict.

-- name: dags
SELECT d.dag_id, CASE WHEN d.state <> 'active' THEN d.state WHEN s.paused_at IS NOT NULL THEN 'paused'
    WHEN d.broken_since IS NOT NULL THEN 'broken' ELSE 'active' END, d.owner, d.tags, d.updated_at
FROM dag AS d LEFT JOIN schedule_state AS s ON s.dag_id = d.dag_id ORDER BY d.dag_id;

-- name: runs
SELECT r.run_id, r.dag_id, r.state, coalesce(r.ended_at, r.started_at, r.created_at), r.run_type,
    r.created_by, r.logical_date
FROM json_each(:dags) AS d CROSS JOIN run AS r ON r.dag_id = d.value
WHERE (:states IS NULL OR r.state IN (SELECT value FROM json_each(:states)))
    AND (:since IS NULL OR coalesce(r.ended_at, r.started_at, r.created_at) >= :since)
ORDER BY r.logical_date, r.id LIMIT :most;

-- name: tasks
SELECT t.id, r.run_id, r.dag_id, t.task_id, t.state, coalesce(t.ended_at, t.started_at, r.created_at),
    r.run_type, r.created_by, r.logical_date, t.last_error, r.version_id
FROM json_each(:dags) AS d CROSS JOIN run AS r ON r.dag_id = d.value CROSS JOIN task_instance AS t ON t.run = r.id
WHERE (:since IS NULL OR r.ended_at IS NULL OR r.ended_at >= :since)
    AND (:states IS NULL OR t.state IN (SELECT value FROM json_each(:states)))
    AND (:since IS NULL OR coalesce(t.ended_at, t.started_at, r.created_at) >= :since)
    AND coalesce(t.reason, '') <> 'expanded'
ORDER BY r.logical_date, r.id, t.id LIMIT :most;

-- name: pools
SELECT v.id, t.value ->> 'task_id', coalesce(t.value ->> 'pool', 'default')
FROM dag_version AS v, json_each(v.spec, '$.tasks') AS t
WHERE v.id IN (SELECT value FROM json_each(:versions));

-- name: command_by_number
SELECT id FROM command WHERE number = :number;

-- name: runs_beside
SELECT o.run_id FROM run AS r JOIN run AS o ON o.dag_id = r.dag_id
WHERE r.run_id = :run_id
    AND ((:past = 1 AND o.logical_date < r.logical_date) OR (:future = 1 AND o.logical_date > r.logical_date))
ORDER BY o.logical_date, o.id;
