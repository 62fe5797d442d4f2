-- What makes a copied store safe to be the store of a home again: statements of `dagdeck restore` and `salvage`.

-- name: hold
INSERT INTO hold (id, scope, pattern, who, note, since)
VALUES ((SELECT coalesce(max(id), 0) + 1 FROM hold), 'all', '', :who, :note, :at);

-- name: another_machine
UPDATE engine_session SET boot_id = :boot_id, ended_at = NULL, reason = NULL
WHERE id = (SELECT max(id) FROM engine_session);

-- name: end_callbacks
UPDATE callback SET state = 'ended', ended_at = :at, outcome = 'lost' WHERE state <> 'ended';

-- name: event
INSERT INTO event (seq, at, kind, reason, detail)
VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM event), :at, :kind, :reason, :detail);
