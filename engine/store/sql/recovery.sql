-- What the engine loads when it starts, and whenever it has to trust the store instead of its memory.

-- name: head
SELECT coalesce(max(seq), 0) FROM event;

-- name: heads
SELECT (SELECT coalesce(max(seq), 0) FROM event), (SELECT max(coalesce((SELECT max(id) FROM run), 0), coalesce((SELECT max(run) FROM trash), 0))),
    (SELECT max(coalesce((SELECT max(id) FROM task_instance), 0), coalesce((SELECT max(last_task) FROM trash), 0))), (SELECT coalesce(max(id), 0) FROM dag_version),
    (SELECT coalesce(max(id), 0) FROM hold), (SELECT coalesce(max(id), 0) FROM engine_session);

-- name: active_run_ids
SELECT id FROM run WHERE state IN ('queued', 'running', 'paused', 'cancelling')
UNION SELECT run FROM callback INDEXED BY callback_open WHERE state <> 'ended' ORDER BY 1;

-- name: run
SELECT id, run_id, dag_id, version_id, run_type, state, logical_date, interval_start, interval_end, run_after,
    created_at, reason, params, note, created_by, inferred, episode, started_at, ended_at, changed_seq, backfill,
    priority
FROM run WHERE id = :run;

-- name: run_config
SELECT config FROM run_config WHERE run = :run;

-- name: instances
SELECT id, run, task_id, map_index, state, reason, attempt, epoch_start, lost_count, spared, requeues, then_state,
    then_reason, retry_at, scheduled_at, started_at, ended_at, blockers, last_error, changed_seq, current_attempt,
    retries, failed_keys, decision, forced
FROM task_instance WHERE run = :run ORDER BY id;

-- name: current_attempts
SELECT a.id, a.task_instance, a.number, a.state, a.queued_at, a.started_at, a.ended_at, a.outcome, a.failure_class,
    a.reason, a.exit_code, a.signal, a.error, a.pid, a.pid_started, a.boot_id, a.duration, a.cpu_seconds, a.peak_bytes,
    a.version_id, a.late_result, a.counts
FROM task_instance AS t JOIN attempt AS a ON a.id = t.current_attempt
WHERE t.run = :run;

-- name: unfinished_attempts
SELECT a.id, a.task_instance, a.number, a.state, a.queued_at, a.started_at, a.ended_at, a.outcome, a.failure_class,
    a.reason, a.exit_code, a.signal, a.error, a.pid, a.pid_started, a.boot_id, a.duration, a.cpu_seconds, a.peak_bytes,
    a.version_id, a.late_result, a.counts
FROM attempt AS a INDEXED BY attempt_unfinished WHERE a.state <> 'ended' ORDER BY a.id;

-- name: open_callbacks
SELECT id, run, name, state, created_at, task_instance, attempt, started_at, ended_at, outcome, exit_code, error, pid,
    pid_started, boot_id
FROM callback WHERE state <> 'ended' ORDER BY created_at, id;

-- name: results_of_run
SELECT t.task_id, t.map_index, r.task_instance, r.attempt, r.value, r.bytes, r.at
FROM task_instance AS t JOIN task_result AS r ON r.task_instance = t.id
WHERE t.run = :run
ORDER BY r.task_instance, r.attempt;

-- name: dags
SELECT d.dag_id, d.file, d.state, d.current_version, d.broken_since, d.schedule, d.timezone, d.owner, d.tags
FROM dag AS d ORDER BY d.dag_id;

-- name: schedules
SELECT dag_id, next_start, next_run_after, enabled_at, paused_at, paused_by, pause_reason, spec_hash, last_start,
    last_end, catchup_until, catchup
FROM schedule_state ORDER BY dag_id;

-- name: slots_taken
SELECT s.dag_id, r.logical_date
FROM schedule_state AS s CROSS JOIN run AS r INDEXED BY run_slot
    ON r.dag_id = s.dag_id AND r.logical_date > coalesce(s.last_start, -9223372036854775807)
WHERE r.run_type IN ('scheduled', 'backfill');

-- name: backfill_head
SELECT coalesce(max(id), 0) FROM backfill;

-- name: open_backfills
SELECT id FROM backfill WHERE state IN ('running', 'paused', 'stopping') ORDER BY id;

-- name: backfill
SELECT id, dag_id, state, start, stop, sort, max_active, reprocess, created_at, created_by, total, params, tasks,
    downstream, max_slots, not_during, stop_after, failures, waits_for, note, ended_at
FROM backfill WHERE id = :id;

-- name: backfill_items
SELECT backfill, ordinal, logical_date, interval_end, state, reason, run
FROM backfill_item WHERE backfill = :id ORDER BY ordinal;

-- name: runs_in_slots
SELECT logical_date, id, run_id, state FROM run INDEXED BY run_slot
WHERE dag_id = :dag_id AND logical_date BETWEEN :low AND :high AND run_type IN ('scheduled', 'backfill')
ORDER BY logical_date;

-- name: current_versions
SELECT v.id, v.dag_id, v.number, v.bundle, v.spec_hash, v.spec, v.created_at
FROM dag AS d JOIN dag_version AS v ON v.id = d.current_version;

-- name: version
SELECT v.id, v.dag_id, v.number, v.bundle, v.spec_hash, v.spec, v.created_at FROM dag_version AS v WHERE v.id = :id;

-- name: pools
SELECT name, slots, description, configured, include_deferred, configured_deferred FROM pool ORDER BY name;

-- name: breakers
SELECT name, state, failures, cooldown, until, opened_at, last_failure_at, last_error, probe, by, note, victims FROM breaker ORDER BY name;

-- name: open_holds
SELECT id, scope, pattern, who, note, since, until FROM hold WHERE released_at IS NULL ORDER BY since, id;

-- name: undo
SELECT former FROM undo;

-- name: last_session
SELECT id, started_at, last_seen_at, ended_at, reason, boot_id, pid, version
FROM engine_session ORDER BY id DESC LIMIT 1;

-- name: command
SELECT id, verb, outcome, message, result, applied_seq, uid, user, number FROM command WHERE id = :id;

-- name: run_by_run_id
SELECT id FROM run WHERE run_id = :run_id;

-- name: meta
SELECT value FROM meta WHERE key = :key;

-- name: run_before
SELECT id, run_id, logical_date FROM run
WHERE dag_id = :dag_id AND run_type NOT IN ('manual', 'external')
    AND (logical_date < :logical_date OR (logical_date = :logical_date AND id < :run))
ORDER BY logical_date DESC, id DESC LIMIT 1;

-- name: states_of_tasks
SELECT task_id, state FROM task_instance WHERE run = :run AND map_index = -1;
