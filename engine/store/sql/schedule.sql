-- Schedules: what was left out.

-- name: gaps
SELECT g.dag_id, g.first, g.until, g.count, g.why, g.at FROM schedule_gap AS g
WHERE (:dag_id IS NULL OR g.dag_id = :dag_id)
ORDER BY g.first DESC, g.dag_id LIMIT :count;
