-- Attempts and versions, to be compared with what stands on the disk.

-- name: ended_attempts
SELECT a.id, a.outcome, a.reason = 'retry_rule',
    EXISTS (SELECT 1 FROM task_result AS r
            WHERE r.task_instance = a.task_instance AND r.attempt = a.id AND r.in_file = 1)
    AND NOT EXISTS (SELECT 1 FROM attempt AS later
                    WHERE later.task_instance = a.task_instance AND later.number > a.number
                        AND later.outcome = 'success')
FROM attempt AS a WHERE a.id > :after AND a.state = 'ended' ORDER BY a.id LIMIT :count;

-- name: unfinished_attempts
SELECT a.id FROM attempt AS a INDEXED BY attempt_unfinished WHERE a.state <> 'ended' ORDER BY a.id;

-- name: attempt_states
SELECT a.id, a.state FROM attempt AS a WHERE a.id = :id;

-- name: bundles
SELECT d.dag_id, v.bundle FROM dag AS d JOIN dag_version AS v ON v.id = d.current_version WHERE d.state = 'active';

-- name: last_event
SELECT at FROM event ORDER BY seq DESC LIMIT 1;

-- name: attempts_and_results
SELECT a.id, EXISTS (SELECT 1 FROM task_result AS r
                     WHERE r.task_instance = a.task_instance AND r.attempt = a.id AND r.in_file = 1)
FROM attempt AS a WHERE a.state = 'ended' AND a.id > :after ORDER BY a.id LIMIT :count;

-- name: callback_of
SELECT c.id FROM callback AS c WHERE c.id = :id;
