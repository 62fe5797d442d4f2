-- What the command line's verbs read. Every statement goes through an index, or over a table that stays small.

-- name: cli.dag
SELECT d.dag_id, d.file, d.state, d.broken_since, d.schedule, d.timezone, d.owner, d.tags, d.first_seen_at,
    d.updated_at, s.next_start, s.next_run_after, s.paused_at, s.paused_by, s.pause_reason,
    v.number AS version, v.bundle, v.spec
FROM dag AS d
LEFT JOIN schedule_state AS s ON s.dag_id = d.dag_id
LEFT JOIN dag_version AS v ON v.id = d.current_version
WHERE d.dag_id = :dag_id;

-- name: cli.dags
SELECT d.dag_id, d.file, d.state, d.broken_since, d.schedule, d.timezone, d.owner, d.tags, d.first_seen_at,
    d.updated_at, s.next_start, s.next_run_after, s.paused_at, s.paused_by, s.pause_reason,
    v.number AS version, v.bundle, NULL AS spec
FROM dag AS d
LEFT JOIN schedule_state AS s ON s.dag_id = d.dag_id
LEFT JOIN dag_version AS v ON v.id = d.current_version
ORDER BY d.dag_id;

-- name: cli.dag_version
SELECT id, number, bundle, spec, created_at FROM dag_version WHERE dag_id = :dag_id AND number = :number;

-- name: cli.version_spec
SELECT spec FROM dag_version WHERE id = :id;

-- name: cli.last_run_state
SELECT run_id, state FROM run WHERE dag_id = :dag_id ORDER BY logical_date DESC, id DESC LIMIT 1;

-- name: cli.import_errors
SELECT file, dag_id, message, line, at FROM import_error ORDER BY file, line;

-- name: cli.run
SELECT r.*, v.number AS version FROM run AS r JOIN dag_version AS v ON v.id = r.version_id WHERE r.run_id = :run_id;

-- name: cli.run_ids_by_prefix
SELECT run_id FROM run WHERE run_id >= :prefix AND run_id < :beyond ORDER BY run_id LIMIT :most;

-- name: cli.run_ids_by_date
SELECT run_id FROM run WHERE dag_id = :dag_id AND logical_date >= :first AND logical_date < :beyond
ORDER BY logical_date, id LIMIT :most;

-- name: cli.run_id_from_latest
SELECT run_id FROM run WHERE dag_id = :dag_id ORDER BY logical_date DESC, id DESC LIMIT 1 OFFSET :back;

-- name: cli.runs
SELECT r.*, v.number AS version FROM run AS r JOIN dag_version AS v ON v.id = r.version_id
WHERE r.created_at >= :since AND (:state IS NULL OR r.state = :state)
ORDER BY r.created_at DESC, r.id DESC LIMIT :most;

-- name: cli.runs_of_dag
SELECT r.*, v.number AS version FROM run AS r JOIN dag_version AS v ON v.id = r.version_id
WHERE r.dag_id = :dag_id AND r.created_at >= :since AND (:state IS NULL OR r.state = :state)
ORDER BY r.logical_date DESC, r.id DESC LIMIT :most;

-- name: cli.runs_active
SELECT r.*, v.number AS version FROM run AS r JOIN dag_version AS v ON v.id = r.version_id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling') AND r.state = :state AND r.created_at >= :since
ORDER BY r.created_at DESC, r.id DESC LIMIT :most;

-- name: cli.tasks
SELECT * FROM task_instance WHERE run = :run ORDER BY id;

-- name: cli.task
SELECT * FROM task_instance WHERE run = :run AND task_id = :task_id AND map_index = :map_index;

-- name: cli.attempts
SELECT * FROM attempt WHERE task_instance = :task_instance ORDER BY number;

-- name: cli.attempt
SELECT * FROM attempt WHERE task_instance = :task_instance AND number = :number;

-- name: cli.episodes
SELECT * FROM run_episode WHERE run = :run ORDER BY number;

-- name: cli.run_durations
SELECT dag_id, state, ended_at - started_at AS duration FROM run
WHERE dag_id = :dag_id AND state IN ('success', 'failed') AND ended_at >= :since AND started_at IS NOT NULL;

-- name: cli.task_durations
SELECT task_id, duration FROM task_instance
WHERE dag_id = :dag_id AND state = 'success' AND duration IS NOT NULL AND ended_at >= :since;

-- name: cli.task_durations_of
SELECT duration FROM task_instance
WHERE dag_id = :dag_id AND task_id = :task_id AND state = 'success' AND duration IS NOT NULL
ORDER BY ended_at DESC LIMIT 100;

-- name: cli.failures_since
SELECT t.dag_id, t.task_id, count(*) AS failures FROM attempt AS a JOIN task_instance AS t ON t.id = a.task_instance
WHERE a.outcome IN ('failed', 'timeout', 'lost') AND a.ended_at >= :since
GROUP BY t.dag_id, t.task_id;

-- name: cli.commands
SELECT * FROM command ORDER BY number DESC LIMIT :most;

-- name: cli.command
SELECT * FROM command WHERE id = :id;

-- name: cli.pools
SELECT name, slots, description FROM pool ORDER BY name;

-- name: cli.live_tasks
SELECT t.dag_id, t.task_id, t.map_index, t.state, t.blockers, r.run_id, r.version_id FROM task_instance AS t
JOIN run AS r ON r.id = t.run
WHERE t.state IN ('scheduled', 'queued', 'running', 'killing');

-- name: cli.open_holds
SELECT scope, pattern, who, note, since, until FROM hold WHERE released_at IS NULL ORDER BY since;

-- name: cli.active_runs_of_dag
SELECT run_id, state FROM run
WHERE dag_id = :dag_id AND state IN ('queued', 'running', 'paused', 'cancelling') ORDER BY logical_date, id;

-- name: cli.last_command_of_run
SELECT e.at, e.reason, c.user, c.verb, c.note FROM event AS e JOIN command AS c ON c.id = e.command
WHERE e.run = :run AND e.command IS NOT NULL ORDER BY e.seq DESC LIMIT 1;

-- name: cli.last_session
SELECT started_at, last_seen_at, ended_at, reason, pid, version FROM engine_session ORDER BY id DESC LIMIT 1;

-- name: cli.open_reports
SELECT id, created_at, report FROM recovery_report WHERE acknowledged_at IS NULL ORDER BY created_at;

-- name: cli.seq
SELECT coalesce(max(seq), 0) AS seq FROM event;
