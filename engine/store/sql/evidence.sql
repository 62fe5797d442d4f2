-- Attempts that are over, to be compared with what stands in their directories.

-- name: ended_attempts
SELECT id, outcome FROM attempt WHERE id > :after AND state = 'ended' ORDER BY id LIMIT :count;
