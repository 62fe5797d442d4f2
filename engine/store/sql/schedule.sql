-- Schedules: what was left out.

-- name: gaps
SELECT g.dag_id, g.first, g.until, g.left_out, g.why, g.at FROM
    (SELECT dag_id, first, until, why, at, count, count -
        (SELECT count(*) FROM run AS r INDEXED BY run_slot
         WHERE r.dag_id = s.dag_id AND r.logical_date >= s.first AND r.logical_date < s.until
             AND r.run_type IN ('scheduled', 'backfill')) AS left_out
     FROM schedule_gap AS s WHERE :dag_id IS NULL OR s.dag_id = :dag_id) AS g
WHERE (g.left_out > 0 OR (g.count = 0 AND g.at > (CAST(strftime('%s', 'now') AS INTEGER) - 604800) * 1000000))
    AND NOT EXISTS
    (SELECT 1 FROM backfill AS b
     WHERE b.dag_id = g.dag_id AND b.start <= g.first AND b.stop >= g.until - 1
         AND b.state <> 'cancelled')
ORDER BY g.first DESC, g.dag_id LIMIT :count;

-- name: dates
SELECT r.logical_date, r.state, r.run_id, r.started_at, r.ended_at FROM run AS r INDEXED BY run_slot
WHERE r.dag_id = :dag_id AND r.run_type IN ('scheduled', 'backfill')
    AND r.logical_date >= :first AND r.logical_date < :until
ORDER BY r.logical_date DESC LIMIT :count;
