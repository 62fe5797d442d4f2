-- Backfills: lists, one whole, how far they are and how long their runs take.

-- name: backfills
SELECT id, dag_id, state, start, stop, sort, max_active, reprocess, created_at, created_by, total, params, tasks,
    downstream, max_slots, not_during, stop_after, failures, waits_for, note, ended_at
FROM backfill AS b WHERE (:dag_id IS NULL OR b.dag_id = :dag_id) AND b.id < :before ORDER BY b.id DESC LIMIT :count;

-- name: backfill
SELECT id, dag_id, state, start, stop, sort, max_active, reprocess, created_at, created_by, total, params, tasks,
    downstream, max_slots, not_during, stop_after, failures, waits_for, note, ended_at
FROM backfill AS b WHERE b.id = :id;

-- name: items_by_state
SELECT wanted.value, i.state, count(*) FROM json_each(:ids) AS wanted CROSS JOIN backfill_item AS i
    ON i.backfill = wanted.value
GROUP BY wanted.value, i.state;

-- name: items
SELECT i.ordinal, i.logical_date, i.interval_end, i.state, i.reason, i.run, r.run_id, r.state
FROM backfill_item AS i LEFT JOIN run AS r ON r.id = i.run
WHERE i.backfill = :id AND i.ordinal >= :first ORDER BY i.ordinal LIMIT :count;

-- name: last_moved
SELECT user, received_at, note FROM command
WHERE verb = :verb AND outcome = 'done' AND json_extract(args, '$.id') = :id ORDER BY number DESC LIMIT 1;

-- name: run_times
SELECT group_concat(took) FROM
    (SELECT max(0, r.ended_at - r.started_at) AS took FROM run AS r
     WHERE r.backfill = :id AND r.state = 'success' AND r.started_at IS NOT NULL ORDER BY r.rowid DESC LIMIT 100);

-- name: run_times_of_dag
SELECT group_concat(took) FROM
    (SELECT max(0, r.ended_at - r.started_at) AS took FROM run AS r
     WHERE r.dag_id = :dag_id AND r.state = 'success' AND r.ended_at >= :since AND r.started_at IS NOT NULL
     ORDER BY r.ended_at DESC LIMIT 100);
