-- Schedules: what was left out.

-- name: gaps
SELECT g.dag_id, g.first, g.until, g.count, g.why, g.at FROM schedule_gap AS g
WHERE (:dag_id IS NULL OR g.dag_id = :dag_id) AND NOT EXISTS
    (SELECT 1 FROM backfill AS b
     WHERE b.dag_id = g.dag_id AND b.start <= g.first AND b.stop >= g.until - 1 AND b.state <> 'cancelled')
ORDER BY g.first DESC, g.dag_id LIMIT :count;
