-- The home: the feed, the audit, the engine's sessions, import errors, pools and holds.

-- name: feed_head
SELECT (SELECT coalesce(max(seq), 0) FROM event), (SELECT coalesce(min(seq), 0) FROM event);

-- name: events_after
SELECT seq, at, kind, dag_id, run, task_instance, attempt, from_state, to_state, reason, command, detail
FROM event WHERE seq > :seq ORDER BY seq LIMIT :count;

-- name: commands
SELECT number, id, verb, args, selector, seen_seq, uid, login_uid, user, claimed, client, received_at, applied_seq,
    outcome, message, result, note
FROM command WHERE number < :number ORDER BY number DESC LIMIT :count;

-- name: command
SELECT number, id, verb, args, selector, seen_seq, uid, login_uid, user, claimed, client, received_at, applied_seq,
    outcome, message, result, note
FROM command WHERE id = :id;

-- name: moved_by
SELECT e.kind, e.dag_id, r.run_id, t.task_id, t.map_index, e.from_state, e.to_state, e.reason, e.detail
FROM event AS e LEFT JOIN run AS r ON r.id = e.run LEFT JOIN task_instance AS t ON t.id = e.task_instance
WHERE e.seq > :low AND e.seq <= :high AND e.command = :command ORDER BY e.seq LIMIT :count;

-- name: sessions
SELECT id, started_at, last_seen_at, ended_at, reason, boot_id, pid, version
FROM engine_session ORDER BY id DESC LIMIT :count;

-- name: open_report
SELECT id, session, created_at, report FROM recovery_report
WHERE acknowledged_at IS NULL ORDER BY created_at DESC LIMIT 1;

-- name: import_errors
SELECT file, dag_id, message, line, traceback, at FROM import_error ORDER BY at DESC, id LIMIT :count;

-- name: pools
SELECT name, slots, description, include_deferred FROM pool ORDER BY name;

-- name: alive_tasks
SELECT r.version_id, t.task_id, t.state, count(*)
FROM run AS r CROSS JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('queued', 'running', 'paused', 'cancelling')
    AND t.state IN ('scheduled', 'queued', 'running', 'killing', 'deferred', 'up_for_reschedule', 'up_for_retry')
    AND t.reason IS NOT 'expanded'
GROUP BY r.version_id, t.task_id, t.state;

-- name: breakers
SELECT name, state, failures, cooldown, until, opened_at, last_failure_at, last_error, probe, by, note, victims FROM breaker ORDER BY name;

-- name: open_holds
SELECT id, scope, pattern, who, note, since, until FROM hold WHERE released_at IS NULL ORDER BY since, id;

-- name: failed_run
SELECT dag_id, run_id, logical_date FROM run WHERE id = :run AND state = 'failed';

-- name: first_failure
SELECT task_id, last_error FROM task_instance WHERE run = :run AND state = 'failed' ORDER BY ended_at, id LIMIT 1;
