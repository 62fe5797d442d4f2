-- Attempts that are over, to be compared with what stands in their directories.

-- name: ended_attempts
SELECT id, outcome FROM attempt WHERE id > :after AND state = 'ended' ORDER BY id LIMIT :count;

-- name: attempts_and_results
SELECT a.id, EXISTS (SELECT 1 FROM task_result AS r
                     WHERE r.task_instance = a.task_instance AND r.attempt = a.id AND r.in_file = 1)
FROM attempt AS a WHERE a.state = 'ended' AND a.id > :after ORDER BY a.id LIMIT :count;
