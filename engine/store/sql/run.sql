-- One run, its task instances and attempts, and lists of runs.

-- name: run
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.interval_start,
    r.interval_end, r.run_after, r.created_at, r.started_at, r.ended_at, r.episode, r.params, r.note, r.created_by,
    r.inferred, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END
FROM run AS r WHERE r.id = :run;

-- name: run_config
SELECT config FROM run_config WHERE run = :run;

-- name: runs_of_dag
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM run AS r
WHERE r.dag_id = :dag_id AND (r.logical_date, r.id) < (:logical_date, :id)
ORDER BY r.logical_date DESC, r.id DESC LIMIT :count;

-- name: latest_runs
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM run AS r WHERE r.id < :id ORDER BY r.id DESC LIMIT :count;

-- name: latest_runs_in_state
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM run AS r WHERE r.state = :state AND r.id < :id ORDER BY r.id DESC LIMIT :count;

-- name: runs_of_dag_in_state
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM run AS r
WHERE r.dag_id = :dag_id AND r.state = :state AND (r.logical_date, r.id) < (:logical_date, :id)
ORDER BY r.logical_date DESC, r.id DESC LIMIT :count;

-- name: runs_by_id
SELECT r.id, r.run_id, r.dag_id, r.version_id, r.run_type, r.state, r.reason, r.logical_date, r.run_after,
    r.started_at, r.ended_at, r.created_by, r.changed_seq,
    CASE WHEN r.episode > 1 THEN
        (SELECT coalesce(sum(max(0, e.ended_at - e.started_at)), 0) FROM run_episode AS e
         WHERE e.run = r.id AND e.number < r.episode) ELSE 0 END,
    r.episode
FROM json_each(:ids) AS wanted CROSS JOIN run AS r ON r.id = wanted.value;

-- name: instances
SELECT t.id, t.run, t.dag_id, t.task_id, t.map_index, t.state, t.reason, t.attempt, t.epoch_start, t.lost_count,
    t.current_attempt, t.then_state, t.retry_at, t.scheduled_at, t.started_at, t.ended_at, t.duration, t.blockers,
    t.last_error, t.changed_seq, t.retries, t.failed_keys,
    (SELECT coalesce(a.duration, max(0, a.ended_at - a.started_at)) FROM attempt AS a
     WHERE a.task_instance = t.id AND a.number = t.attempt)
FROM task_instance AS t WHERE t.run = :run ORDER BY t.id;

-- name: instances_by_id
SELECT t.id, t.run, t.dag_id, t.task_id, t.map_index, t.state, t.reason, t.attempt, t.epoch_start, t.lost_count,
    t.current_attempt, t.then_state, t.retry_at, t.scheduled_at, t.started_at, t.ended_at, t.duration, t.blockers,
    t.last_error, t.changed_seq, t.retries, t.failed_keys,
    (SELECT coalesce(a.duration, max(0, a.ended_at - a.started_at)) FROM attempt AS a
     WHERE a.task_instance = t.id AND a.number = t.attempt)
FROM json_each(:ids) AS wanted CROSS JOIN task_instance AS t ON t.id = wanted.value;

-- name: instances_of_task
SELECT t.id, t.run, t.dag_id, t.task_id, t.map_index, t.state, t.reason, t.attempt, t.epoch_start, t.lost_count,
    t.current_attempt, t.then_state, t.retry_at, t.scheduled_at, t.started_at, t.ended_at, t.duration, t.blockers,
    t.last_error, t.changed_seq, t.retries, t.failed_keys,
    (SELECT coalesce(a.duration, max(0, a.ended_at - a.started_at)) FROM attempt AS a
     WHERE a.task_instance = t.id AND a.number = t.attempt)
FROM task_instance AS t WHERE t.run = :run AND t.task_id = :task_id ORDER BY t.map_index;

-- name: attempts
SELECT a.id, a.task_instance, a.number, a.state, a.queued_at, a.started_at, a.ended_at, a.outcome, a.failure_class,
    a.reason, a.exit_code, a.signal, a.error, a.pid, a.duration, a.cpu_seconds, a.peak_bytes, a.version_id,
    a.late_result, a.counts
FROM attempt AS a WHERE a.task_instance = :task_instance ORDER BY a.number;

-- name: newest_attempts
SELECT a.id, a.task_instance, a.number, a.state, a.queued_at, a.started_at, a.ended_at, a.outcome, a.failure_class,
    a.reason, a.exit_code, a.signal, a.error, a.pid, a.duration, a.cpu_seconds, a.peak_bytes, a.version_id,
    a.late_result, a.counts
FROM task_instance AS t CROSS JOIN attempt AS a ON a.task_instance = t.id AND a.number = t.attempt
WHERE t.run = :run AND t.attempt > 0;

-- name: attempts_by_id
SELECT a.id, a.task_instance, a.number, a.state, a.queued_at, a.started_at, a.ended_at, a.outcome, a.failure_class,
    a.reason, a.exit_code, a.signal, a.error, a.pid, a.duration, a.cpu_seconds, a.peak_bytes, a.version_id,
    a.late_result, a.counts
FROM json_each(:ids) AS wanted CROSS JOIN attempt AS a ON a.id = wanted.value;

-- name: episodes
SELECT number, version_id, reason, opened_by, started_at, ended_at, outcome
FROM run_episode WHERE run = :run ORDER BY number;

-- name: callbacks
SELECT id, task_instance, attempt, name, state, created_at, started_at, ended_at, outcome, exit_code, error
FROM callback WHERE run = :run ORDER BY created_at, id;

-- name: grid
SELECT t.run, t.task_id, t.map_index, t.state
FROM json_each(:runs) AS wanted CROSS JOIN task_instance AS t ON t.run = wanted.value
ORDER BY wanted.key, t.id;

-- name: grid_states
SELECT DISTINCT t.run, t.task_id, t.state
FROM json_each(:runs) AS wanted CROSS JOIN task_instance AS t ON t.run = wanted.value;

-- name: task_durations
SELECT k.value,
    (SELECT group_concat(duration) FROM
        (SELECT duration FROM task_instance AS t CROSS JOIN run AS r ON r.id = t.run AND r.backfill IS NULL
         WHERE t.dag_id = :dag_id AND t.task_id = k.value AND t.ended_at >= :since
             AND t.duration IS NOT NULL
         ORDER BY t.ended_at DESC LIMIT 100))
FROM json_each(:task_ids) AS k;

-- name: task_times
SELECT k.value,
    (SELECT group_concat(told) FROM
        (SELECT t.ended_at || ':' || t.duration || ':' || coalesce(
            (SELECT max(0, a.started_at - min(coalesce(t.scheduled_at, a.queued_at), a.queued_at))
             FROM attempt AS a WHERE a.task_instance = t.id AND a.number = t.attempt), '') AS told
         FROM task_instance AS t CROSS JOIN run AS r ON r.id = t.run
            AND (:backfills OR r.backfill IS NULL AND r.run_type <> 'backfill')
         WHERE t.dag_id = :dag_id AND t.task_id = k.value AND t.ended_at >= :since AND t.duration IS NOT NULL
         ORDER BY t.ended_at DESC LIMIT 100))
FROM json_each(:task_ids) AS k;

-- name: run_times
SELECT r.ended_at, max(0, r.ended_at - r.started_at),
    CASE WHEN r.run_type <> 'backfill' AND r.backfill IS NULL THEN max(0, r.ended_at - r.run_after) END,
    CASE r.run_type WHEN 'scheduled' THEN max(0, r.started_at - r.run_after) END
FROM run AS r
WHERE r.dag_id = :dag_id AND r.state = 'success' AND r.ended_at >= :since AND r.started_at IS NOT NULL
    AND r.episode = 1 AND (:backfills OR r.run_type <> 'backfill' AND r.backfill IS NULL)
ORDER BY r.ended_at DESC LIMIT 100;

-- name: instance_key
SELECT id, dag_id FROM task_instance WHERE run = :run AND task_id = :task_id AND map_index = :map_index;

-- name: task_history
SELECT r.logical_date, t.duration
FROM task_instance AS t CROSS JOIN run AS r ON r.id = t.run
WHERE t.dag_id = :dag_id AND t.task_id = :task_id AND t.map_index = :map_index AND t.duration IS NOT NULL
    AND t.ended_at >= :since AND r.backfill IS NULL
ORDER BY t.ended_at DESC LIMIT :count;

-- name: last_good
SELECT a.id, a.number, r.run_id, r.logical_date
FROM task_instance AS t
    CROSS JOIN attempt AS a ON a.task_instance = t.id AND a.outcome = 'success' AND a.id < :attempt
    CROSS JOIN run AS r ON r.id = t.run
WHERE t.dag_id = :dag_id AND t.task_id = :task_id AND t.map_index = :map_index AND t.duration IS NOT NULL
ORDER BY t.ended_at DESC LIMIT 1;

-- name: mentions
SELECT e.task_instance, c.user, c.verb, max(e.at), c.note
FROM event AS e JOIN command AS c ON c.id = e.command
WHERE e.run = :run AND e.command IS NOT NULL AND e.at >= :since
GROUP BY e.task_instance;

-- name: version
SELECT v.id, v.dag_id, v.number, v.bundle, v.spec_hash, v.spec, v.created_at, v.commit_id,
    v.commit_author, v.committed_at, v.dirty
FROM dag_version AS v WHERE v.id = :id;

-- name: current_version
SELECT current_version, file, broken_since FROM dag WHERE dag_id = :dag_id;

-- name: versions_of_dag
SELECT v.id, v.number, v.bundle, v.created_at, v.commit_id, v.commit_author, v.committed_at, v.dirty
FROM dag_version AS v
WHERE v.dag_id = :dag_id ORDER BY v.number DESC LIMIT :count;

-- name: result
SELECT attempt, value, bytes, at FROM task_result
WHERE task_instance = :task_instance ORDER BY attempt DESC LIMIT 1;

-- name: newest_run_of_dag
SELECT id, run_id FROM run WHERE dag_id = :dag_id ORDER BY logical_date DESC, id DESC LIMIT 1 OFFSET :offset;

-- name: runs_between
SELECT id, run_id FROM run
WHERE dag_id = :dag_id AND logical_date >= :start AND logical_date < :end
ORDER BY logical_date, id LIMIT :count;

-- name: runs_by_prefix
SELECT id, run_id FROM run WHERE run_id >= :prefix AND run_id < :after ORDER BY run_id LIMIT :count;

-- name: run_by_run_id
SELECT id, run_id FROM run WHERE run_id = :run_id;

-- name: dag_timezone
SELECT timezone FROM dag WHERE dag_id = :dag_id;

-- name: acts
SELECT c.received_at, c.user, c.verb, c.outcome, c.message, c.note
FROM command AS c
WHERE c.id IN (SELECT e.command FROM event AS e WHERE e.run = :run AND e.command IS NOT NULL)
ORDER BY c.number LIMIT :count;
