-- Checks of the whole store: each statement yields the rows that break its rule, as text to show.

-- name: event_gaps
SELECT 'event ' || before || ' is followed by ' || seq
FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM event)
WHERE seq <> before + 1 LIMIT :most;

-- name: task_moves
SELECT DISTINCT from_state, to_state FROM event
WHERE kind = 'task' AND from_state IS NOT NULL AND to_state IS NOT NULL AND from_state <> to_state;

-- name: run_moves
SELECT DISTINCT from_state, to_state FROM event
WHERE kind = 'run' AND from_state IS NOT NULL AND to_state IS NOT NULL AND from_state <> to_state;

-- name: broken_task_histories
SELECT 'event ' || seq || ': task instance ' || task_instance || ' moves from ' || from_state || ' but was ' || before
FROM (SELECT seq, task_instance, from_state, lag(to_state) OVER (PARTITION BY task_instance ORDER BY seq) AS before
      FROM event WHERE kind = 'task' AND from_state IS NOT NULL)
WHERE from_state <> before LIMIT :most;

-- name: broken_run_histories
SELECT 'event ' || seq || ': run ' || run || ' moves from ' || from_state || ' but was ' || before
FROM (SELECT seq, run, from_state, lag(to_state) OVER (PARTITION BY run ORDER BY seq) AS before
      FROM event WHERE kind = 'run')
WHERE from_state <> before LIMIT :most;

-- name: tasks_unlike_their_history
SELECT 'task instance ' || t.id || ' is ' || t.state || ' but its last event says ' || e.to_state
FROM (SELECT task_instance, to_state, max(seq) FROM event
      WHERE kind = 'task' AND to_state IS NOT NULL GROUP BY task_instance) AS e
JOIN task_instance AS t ON t.id = e.task_instance
WHERE t.state <> e.to_state LIMIT :most;

-- name: runs_unlike_their_history
SELECT 'run ' || r.run_id || ' is ' || r.state || ' but its last event says ' || e.to_state
FROM (SELECT run, to_state, max(seq) FROM event WHERE kind = 'run' AND to_state IS NOT NULL GROUP BY run) AS e
JOIN run AS r ON r.id = e.run
WHERE r.state <> e.to_state LIMIT :most;

-- name: success_without_proof
SELECT 'task instance ' || t.id || ' (' || t.task_id || ') is a success without an attempt that ended with 0'
FROM task_instance AS t
WHERE t.state = 'success' AND t.reason NOT IN ('manual', 'expanded', 'answered', 'unanswered') AND NOT EXISTS
    (SELECT 1 FROM attempt AS a WHERE a.task_instance = t.id AND a.outcome = 'success' AND a.exit_code = 0)
LIMIT :most;

-- name: attempts_at_once
SELECT 'task instance ' || task_instance || ' has ' || count(*) || ' unfinished attempts'
FROM attempt WHERE state <> 'ended' GROUP BY task_instance HAVING count(*) > 1 LIMIT :most;

-- name: attempt_numbers
SELECT 'task instance ' || t.id || ' counts ' || t.attempt || ' attempts, the store has ' || count(a.number)
    || ' up to number ' || coalesce(max(a.number), 0)
FROM task_instance AS t LEFT JOIN attempt AS a ON a.task_instance = t.id
GROUP BY t.id HAVING count(a.number) <> t.attempt OR coalesce(max(a.number), 0) <> t.attempt LIMIT :most;

-- name: current_attempts
SELECT 'task instance ' || t.id || ' is ' || t.state || ' with the attempt ' || coalesce(t.current_attempt, '(none)')
    || ' under way, which is ' || coalesce(a.state, 'missing')
FROM task_instance AS t LEFT JOIN attempt AS a ON a.id = t.current_attempt
WHERE (t.current_attempt IS NOT NULL AND (a.state IS NULL OR a.state = 'ended' OR a.task_instance <> t.id))
    OR (t.state IN ('queued', 'running', 'killing') AND t.current_attempt IS NULL)
LIMIT :most;

-- name: stray_attempts
SELECT 'attempt ' || a.id || ' is ' || a.state || ' but its task instance ' || t.id || ' has another one under way'
FROM attempt AS a JOIN task_instance AS t ON t.id = a.task_instance
WHERE a.state <> 'ended' AND t.current_attempt IS NOT a.id LIMIT :most;

-- name: ended_runs_with_open_tasks
SELECT 'run ' || r.run_id || ' is ' || r.state || ' while ' || t.task_id || ' is ' || t.state
FROM run AS r JOIN task_instance AS t ON t.run = r.id
WHERE r.state IN ('success', 'failed', 'cancelled')
    AND t.state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'removed')
LIMIT :most;

-- name: open_runs_with_ended_tasks
SELECT 'run ' || r.run_id || ' is ' || r.state || ' although all its tasks have ended'
FROM run AS r
WHERE r.state IN ('running', 'paused', 'cancelling')
    AND EXISTS (SELECT 1 FROM task_instance AS t WHERE t.run = r.id)
    AND NOT EXISTS (SELECT 1 FROM task_instance AS t WHERE t.run = r.id
        AND t.state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'removed'))
LIMIT :most;

-- name: retry_times
SELECT 'task instance ' || id || ' is ' || state || iif(retry_at IS NULL, ' without', ' with') || ' a retry time'
FROM task_instance WHERE (state = 'up_for_retry') <> (retry_at IS NOT NULL) LIMIT :most;

-- name: unknown_changes
SELECT 'run ' || run_id || ' was changed by event ' || changed_seq || ', which does not exist yet'
FROM run WHERE changed_seq > (SELECT coalesce(max(seq), 0) FROM event) LIMIT :most;

-- name: unknown_task_changes
SELECT 'task instance ' || id || ' was changed by event ' || changed_seq || ', which does not exist yet'
FROM task_instance WHERE changed_seq > (SELECT coalesce(max(seq), 0) FROM event) LIMIT :most;

-- name: backfill_dates
SELECT 'date ' || i.ordinal || ' of backfill ' || i.backfill || ' is ' || i.state || ' while its run is ' || r.state
FROM backfill_item AS i JOIN run AS r ON r.id = i.run AND r.backfill = i.backfill
WHERE (i.state = 'running' AND r.state IN ('success', 'failed', 'cancelled'))
    OR (i.state IN ('success', 'failed', 'cancelled') AND i.state <> r.state)
LIMIT :most;

-- name: audit
SELECT number, id, verb, args, selector, seen_seq, uid, login_uid, user, claimed, client, received_at, applied_seq,
    outcome, message, result, note, chain
FROM command ORDER BY number;

-- name: foreign_keys
SELECT 'a row of ' || "table" || ' (' || coalesce(rowid, '?') || ') points to a missing row of ' || parent
FROM pragma_foreign_key_check LIMIT :most;
