-- What holds a waiting task instance back, joined with who and how long.

-- name: holders
SELECT t.id, t.run, r.run_id, r.dag_id, r.version_id, t.task_id, t.map_index, t.state, t.started_at
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') AND t.state IN ('queued', 'running', 'killing')
ORDER BY t.started_at, t.id;

-- name: answers
SELECT asked_at, answered_at, option, params, by, origin FROM answer
WHERE task_instance = :task_instance ORDER BY asked_at;

-- name: questions
SELECT t.id, r.run_id, r.dag_id, r.version_id, t.task_id, t.map_index, t.scheduled_at
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') AND t.state = 'awaiting_input'
ORDER BY t.scheduled_at, t.id;

-- name: pool
SELECT slots FROM pool WHERE name = :name;

-- name: instance
SELECT r.run_id, t.task_id, t.map_index FROM task_instance AS t JOIN run AS r ON r.id = t.run WHERE t.id = :id;

-- name: deferred
SELECT t.id, t.run, r.run_id, r.dag_id, r.version_id, t.task_id, t.map_index, t.state, t.retry_at
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling')
    AND t.state IN ('deferred', 'up_for_reschedule', 'up_for_retry') AND t.reason IS NOT 'expanded'
ORDER BY t.id;

-- name: including
SELECT name FROM pool WHERE include_deferred = 1;

-- name: pause
SELECT paused_at, paused_by, pause_reason FROM schedule_state WHERE dag_id = :dag_id;

-- name: active_runs
SELECT run_id FROM run WHERE dag_id = :dag_id AND state IN ('running', 'paused', 'cancelling') AND backfill IS NULL
ORDER BY logical_date, id;

-- name: backfill_of
SELECT backfill FROM run WHERE id = :run;

-- name: waiters
SELECT t.task_id, t.map_index, r.run_id, t.scheduled_at, t.blockers
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') AND t.state = 'scheduled'
    AND (instr(t.blockers, json_quote(:code)) > 0 OR instr(t.blockers, :beginning) > 0)
ORDER BY t.scheduled_at, t.id LIMIT 1000;

-- name: held
SELECT r.id, t.id FROM json_each(:runs) AS wanted CROSS JOIN run AS r ON r.id = wanted.value
    CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused') AND t.state IN ('none', 'scheduled', 'up_for_retry')
    AND (instr(t.blockers, '"hold"') > 0 OR instr(t.blockers, '"dag_paused"') > 0 OR instr(t.blockers, '"run_paused"') > 0)
ORDER BY t.id LIMIT 1;
