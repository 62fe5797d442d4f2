-- What is old enough to go, in short reads; the rows themselves are removed by the engine's writer.

-- name: attempts
SELECT a.id, t.dag_id, t.task_id, a.state, a.outcome, a.ended_at,
    EXISTS (SELECT 1 FROM task_result AS r
            WHERE r.task_instance = a.task_instance AND r.attempt = a.id AND r.in_file = 1),
    NOT EXISTS (SELECT 1 FROM attempt AS later
                WHERE later.task_instance = a.task_instance AND later.number > a.number AND later.outcome = 'success')
FROM attempt AS a JOIN task_instance AS t ON t.id = a.task_instance
WHERE a.id > :after AND a.id <= :upto ORDER BY a.id LIMIT :count;

-- name: callbacks
SELECT c.id, r.dag_id, c.state FROM callback AS c JOIN run AS r ON r.id = c.run
WHERE c.id > :after AND c.id <= :upto ORDER BY c.id LIMIT :count;

-- name: old_runs
SELECT r.id, r.ended_at FROM run AS r
WHERE r.dag_id = :dag_id AND r.state = :state AND r.ended_at < :before
    AND (r.ended_at, r.id) > (:after, :after_id)
    AND r.id <> (SELECT newest.id FROM run AS newest
                 WHERE newest.dag_id = :dag_id AND newest.state = :state
                 ORDER BY newest.ended_at DESC LIMIT 1)
ORDER BY r.ended_at, r.id LIMIT :count;

-- name: attempts_of_runs
SELECT a.id, t.run, t.dag_id, t.task_id, a.outcome IN ('success', 'skipped')
FROM attempt AS a JOIN task_instance AS t ON t.id = a.task_instance
WHERE a.id > :after AND a.state = 'ended' ORDER BY a.id LIMIT :count;

-- name: present_tasks
SELECT DISTINCT t.dag_id, t.task_id FROM dag AS d JOIN task_instance AS t
    ON t.run = (SELECT r.id FROM run AS r WHERE r.dag_id = d.dag_id ORDER BY r.logical_date DESC, r.id DESC LIMIT 1);

-- name: old_backfills
SELECT b.id, b.dag_id FROM backfill AS b
WHERE b.ended_at < :before AND NOT EXISTS (SELECT 1 FROM run AS r WHERE r.backfill = b.id)
ORDER BY b.id LIMIT :count;

-- name: old_gaps
SELECT DISTINCT dag_id FROM schedule_gap WHERE at < :before AND until < :before ORDER BY dag_id;

-- name: oldest_event
SELECT seq, at FROM event ORDER BY seq LIMIT 1;

-- name: event_from
SELECT seq, at FROM event WHERE seq >= :seq ORDER BY seq LIMIT 1;

-- name: oldest_command
SELECT received_at FROM command ORDER BY number LIMIT 1;

-- name: dag_ids
SELECT dag_id FROM dag ORDER BY dag_id;

-- name: bundles
SELECT DISTINCT v.bundle FROM dag_version AS v
WHERE v.id IN (SELECT current_version FROM dag)
    OR v.id IN (SELECT version_id FROM run)
    OR v.id IN (SELECT version_id FROM run_episode)
    OR v.id IN (SELECT version_id FROM attempt)
    OR v.id IN (SELECT version_id FROM trash);
