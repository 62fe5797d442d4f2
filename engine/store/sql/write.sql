-- The statements of the writer's hot path. Parameters are positional: engine/store/encode.py makes the tuples.

-- name: run.insert
INSERT INTO run (id, run_id, dag_id, version_id, run_type, state, reason, logical_date, interval_start, interval_end,
    run_after, created_at, started_at, ended_at, episode, params, note, created_by, inferred, changed_seq, backfill,
    priority)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: run.update
UPDATE run SET version_id = ?, state = ?, reason = ?, started_at = ?, ended_at = ?, episode = ?, note = ?,
    changed_seq = ?, backfill = ?, priority = ?
WHERE id = ? AND state = ?;

-- name: task.insert
INSERT INTO task_instance (id, run, dag_id, task_id, map_index, state, reason, attempt, epoch_start, lost_count,
    spared, requeues, current_attempt, then_state, then_reason, retry_at, scheduled_at, started_at, ended_at, duration,
    blockers, last_error, retries, failed_keys, decision, forced, changed_seq)
VALUES (?1, ?2, coalesce(?3, (SELECT dag_id FROM run WHERE run.id = ?2)), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
    ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27);

-- name: task.update
UPDATE task_instance SET state = ?1, reason = ?2, attempt = ?3, epoch_start = ?4, lost_count = ?5, spared = ?6,
    requeues = ?7, current_attempt = ?8, then_state = ?9, then_reason = ?10, retry_at = ?11, scheduled_at = ?12,
    started_at = ?13, ended_at = ?14, duration = iif(?1 = 'success', coalesce(?15, duration, (SELECT a.duration FROM attempt AS a
        WHERE a.task_instance = ?23 AND a.number = ?3 AND a.outcome = 'success')), NULL), blockers = ?16,
    last_error = ?17, retries = ?18, failed_keys = ?19, decision = ?20, forced = ?21, changed_seq = ?22
WHERE id = ?23 AND state = ?24;

-- name: attempt.insert
INSERT INTO attempt (task_instance, number, state, queued_at, started_at, ended_at, outcome, failure_class, reason,
    exit_code, signal, error, pid, pid_started, boot_id, duration, cpu_seconds, peak_bytes, version_id, late_result,
    counts, id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: attempt.update
UPDATE attempt SET state = ?, queued_at = ?, started_at = ?, ended_at = ?, outcome = ?, failure_class = ?, reason = ?,
    exit_code = ?, signal = ?, error = ?, pid = ?, pid_started = ?, boot_id = ?, duration = ?, cpu_seconds = ?,
    peak_bytes = ?, version_id = ?, late_result = ?, counts = ?
WHERE id = ?;

-- name: episode.put
INSERT INTO run_episode (run, number, version_id, reason, opened_by, started_at, ended_at, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, number) DO UPDATE SET version_id = excluded.version_id, started_at = excluded.started_at,
    ended_at = excluded.ended_at, outcome = excluded.outcome;

-- name: callback.put
INSERT INTO callback (id, run, task_instance, attempt, name, state, created_at, started_at, ended_at, outcome,
    exit_code, error, pid, pid_started, boot_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at, ended_at = excluded.ended_at,
    outcome = excluded.outcome, exit_code = excluded.exit_code, error = excluded.error, pid = excluded.pid,
    pid_started = excluded.pid_started, boot_id = excluded.boot_id;

-- name: result.put
INSERT INTO task_result (task_instance, attempt, value, in_file, bytes, at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (task_instance, attempt) DO UPDATE SET value = excluded.value, in_file = excluded.in_file,
    bytes = excluded.bytes, at = excluded.at;

-- name: command.insert
INSERT INTO command (number, id, verb, args, selector, seen_seq, uid, login_uid, user, claimed, client, received_at,
    applied_seq, outcome, message, result, note, chain)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: event.insert
INSERT INTO event (seq, at, kind, dag_id, run, task_instance, attempt, from_state, to_state, reason, command, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: head
SELECT coalesce(max(seq), 0) FROM event;

-- name: audit_head
SELECT number, chain FROM command ORDER BY number DESC LIMIT 1;

-- name: probe
INSERT INTO meta (key, value) VALUES ('last_probe', hex(randomblob(16)))
ON CONFLICT (key) DO UPDATE SET value = excluded.value;
