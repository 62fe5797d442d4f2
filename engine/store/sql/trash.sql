-- Runs that were deleted, and whether they can be put back.

-- name: trashed
SELECT t.run_id, t.dag_id, t.run, t.state, t.logical_date, t.at, t.who, t.note,
    EXISTS (SELECT 1 FROM run AS r WHERE r.run_id = t.run_id)
    OR NOT EXISTS (SELECT 1 FROM dag_version AS v WHERE v.id = t.version_id)
    OR (t.run_type IN ('scheduled', 'backfill') AND EXISTS (SELECT 1 FROM run AS r
        WHERE r.dag_id = t.dag_id AND r.logical_date = t.logical_date AND r.run_type IN ('scheduled', 'backfill')))
FROM trash AS t WHERE :run_id IS NULL OR t.run_id = :run_id ORDER BY t.at DESC, t.run DESC;
