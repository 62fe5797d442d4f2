-- Statements a batch may carry by name, with named parameters.

-- name: dag.put
INSERT INTO dag (dag_id, file, state, current_version, broken_since, first_seen_at, updated_at, schedule, timezone,
    owner, tags)
VALUES (:dag_id, :file, :state, :current_version, :broken_since, :at, :at, :schedule, :timezone, :owner, :tags)
ON CONFLICT (dag_id) DO UPDATE SET file = excluded.file, state = excluded.state,
    current_version = excluded.current_version, broken_since = excluded.broken_since,
    updated_at = excluded.updated_at, schedule = excluded.schedule, timezone = excluded.timezone,
    owner = excluded.owner, tags = excluded.tags;

-- name: dag.state
UPDATE dag SET state = :state, broken_since = :broken_since, updated_at = :at WHERE dag_id = :dag_id;

-- name: dag_version.add
INSERT INTO dag_version (id, dag_id, number, bundle, spec_hash, spec, created_at)
VALUES (:id, :dag_id, :number, :bundle, :spec_hash, :spec, :at);

-- name: dag_version.commit
UPDATE dag_version SET commit_id = :commit_id, commit_author = :author, committed_at = :committed_at, dirty = :dirty
WHERE id = :id AND dirty IS NOT 0;

-- An error that is reported again keeps the moment at which it was first seen: all of a file's are doubted, those that
-- still stand are added, and what is doubted then goes.
-- name: import_error.doubt
UPDATE import_error SET doubted = 1 WHERE file = :file;

-- name: import_error.add
INSERT INTO import_error (file, dag_id, message, line, traceback, at, doubted)
VALUES (:file, :dag_id, :message, :line, :traceback,
    coalesce((SELECT min(e.at) FROM import_error AS e
              WHERE e.file = :file AND e.dag_id IS :dag_id AND e.message = :message AND e.doubted = 1), :at), 0);

-- name: import_error.sweep
DELETE FROM import_error WHERE file = :file AND doubted = 1;

-- name: schedule.put
INSERT INTO schedule_state (dag_id, next_start, next_run_after, enabled_at, paused_at, paused_by, pause_reason,
    spec_hash, last_start, last_end, catchup_until, catchup)
VALUES (:dag_id, :next_start, :next_run_after, :enabled_at, :paused_at, :paused_by, :pause_reason, :spec_hash,
    :last_start, :last_end, :catchup_until, :catchup)
ON CONFLICT (dag_id) DO UPDATE SET next_start = excluded.next_start, next_run_after = excluded.next_run_after,
    enabled_at = excluded.enabled_at, paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, spec_hash = excluded.spec_hash, last_start = excluded.last_start,
    last_end = excluded.last_end, catchup_until = excluded.catchup_until, catchup = excluded.catchup;

-- name: gap.put
INSERT INTO schedule_gap (dag_id, first, until, count, why, at) VALUES (:dag_id, :first, :until, :count, :why, :at)
ON CONFLICT (dag_id, first) DO UPDATE SET until = excluded.until, count = excluded.count, why = excluded.why,
    at = excluded.at;

-- name: answer.add
INSERT INTO answer (task_instance, asked_at, answered_at, option, params, by, origin, command)
VALUES (:task_instance, :asked_at, :answered_at, :option, :params, :by, :origin, :command)
ON CONFLICT (task_instance, asked_at) DO NOTHING;

-- name: answer.withdraw
DELETE FROM answer WHERE task_instance = :task_instance AND answered_at = :at;

-- name: answer.result
DELETE FROM task_result WHERE task_instance = :task_instance AND at = :at;

-- name: breaker.put
INSERT INTO breaker (name, state, failures, cooldown, until, opened_at, last_failure_at, last_error, probe, by, note,
    victims)
VALUES (:name, :state, :failures, :cooldown, :until, :opened_at, :last_failure_at, :last_error, :probe, :by, :note,
    :victims)
ON CONFLICT (name) DO UPDATE SET state = excluded.state, failures = excluded.failures, cooldown = excluded.cooldown,
    until = excluded.until, opened_at = excluded.opened_at, last_failure_at = excluded.last_failure_at,
    last_error = excluded.last_error, probe = excluded.probe, by = excluded.by, note = excluded.note,
    victims = excluded.victims;

-- name: run_config.add
INSERT INTO run_config (run, config) VALUES (:run, :config);

-- name: backfill.put
INSERT INTO backfill (id, dag_id, state, start, stop, sort, max_active, reprocess, created_at, created_by, total,
    params, tasks, downstream, max_slots, not_during, stop_after, failures, waits_for, note, ended_at)
VALUES (:id, :dag_id, :state, :start, :stop, :sort, :max_active, :reprocess, :created_at, :created_by, :total,
    :params, :tasks, :downstream, :max_slots, :not_during, :stop_after, :failures, :waits_for, :note, :ended_at)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, max_active = excluded.max_active,
    max_slots = excluded.max_slots, not_during = excluded.not_during, stop_after = excluded.stop_after,
    failures = excluded.failures, waits_for = excluded.waits_for, ended_at = excluded.ended_at;

-- name: backfill_item.put
INSERT INTO backfill_item (backfill, ordinal, logical_date, interval_end, state, reason, run)
VALUES (:backfill, :ordinal, :logical_date, :interval_end, :state, :reason, :run)
ON CONFLICT (backfill, ordinal) DO UPDATE SET state = excluded.state, reason = excluded.reason, run = excluded.run;

-- name: backfill_item.of_run
UPDATE backfill_item SET state = :state WHERE backfill = :backfill AND run = :run;

-- name: failure.claim
INSERT INTO failure_claim (signature, who, at, note) VALUES (:signature, :who, :at, :note)
ON CONFLICT (signature) DO UPDATE SET who = excluded.who, at = excluded.at, note = excluded.note;

-- name: failure.release
DELETE FROM failure_claim WHERE signature = :signature;

-- name: failure.resolve
INSERT INTO failure_resolved (task_instance, attempt, who, at, note) VALUES (:task_instance, :attempt, :who, :at, :note)
ON CONFLICT (task_instance) DO UPDATE SET attempt = excluded.attempt, who = excluded.who, at = excluded.at,
    note = excluded.note;

-- name: failure.reopen
DELETE FROM failure_resolved WHERE task_instance = :task_instance;

-- name: recovery_plan.add
INSERT INTO recovery (id, state, cause, created_by, created_at, at_once, command, note, dags, backfills)
VALUES (:id, 'running', :cause, :created_by, :at, :at_once, :command, :note, :dags, :backfills);

-- name: recovery_plan.left
UPDATE recovery SET dags = :dags, backfills = :backfills WHERE id = :id;

-- name: recovery_plan.end
UPDATE recovery SET state = :state, ended_at = :at WHERE id = :id;

-- name: recovery_item.put
INSERT INTO recovery_item (recovery, ordinal, run, run_id, tasks, state, detail)
VALUES (:recovery, :ordinal, :run, :run_id, :tasks, :state, :detail)
ON CONFLICT (recovery, ordinal) DO UPDATE SET state = excluded.state, detail = excluded.detail;

-- name: undo.put
INSERT INTO undo (command, at, former) VALUES (:command, :at, :former);

-- name: undo.forget
DELETE FROM undo WHERE command = :command OR at < :before;

-- name: pool.put
INSERT INTO pool (name, slots, description, configured, include_deferred, configured_deferred)
VALUES (:name, :slots, :description, :configured, :include_deferred, :configured_deferred)
ON CONFLICT (name) DO UPDATE SET slots = excluded.slots,
    description = coalesce(excluded.description, pool.description), configured = excluded.configured,
    include_deferred = excluded.include_deferred, configured_deferred = excluded.configured_deferred;

-- name: pool.remove
DELETE FROM pool WHERE name = :name;

-- name: hold.add
INSERT INTO hold (id, scope, pattern, who, note, since, until)
VALUES (:id, :scope, :pattern, :who, :note, :since, :until);

-- name: hold.release
UPDATE hold SET released_at = :at, released_by = :who WHERE id = :id AND released_at IS NULL;

-- name: engine.start
INSERT INTO engine_session (id, started_at, last_seen_at, boot_id, pid, version)
VALUES (:id, :at, :at, :boot_id, :pid, :version);

-- name: engine.seen
UPDATE engine_session SET last_seen_at = :at WHERE id = :id;

-- name: engine.end
UPDATE engine_session SET last_seen_at = :at, ended_at = :at, reason = :reason WHERE id = :id;

-- name: recovery.add
INSERT INTO recovery_report (session, created_at, report) VALUES (:session, :at, :report);

-- name: recovery.acknowledge
UPDATE recovery_report SET acknowledged_at = :at, acknowledged_by = :who WHERE acknowledged_at IS NULL;

-- name: meta.put
INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: trash.prune
DELETE FROM trash WHERE at < :before;

-- name: event.prune
DELETE FROM event
WHERE seq < (SELECT min((SELECT max(seq) FROM event),
                        coalesce((SELECT min(seq) FROM (SELECT seq, at FROM event ORDER BY seq LIMIT :most)
                                  WHERE at >= :before),
                                 (SELECT min(seq) FROM event) + :most)));

-- name: run.prune
DELETE FROM run WHERE id = :id AND state IN ('success', 'failed', 'cancelled');

-- name: backfill.prune
DELETE FROM backfill WHERE id = :id AND ended_at IS NOT NULL;

-- name: gap.prune
DELETE FROM schedule_gap WHERE dag_id = :dag_id AND at < :before AND until < :before;

-- name: command.prune_mark
INSERT INTO meta (key, value) VALUES ('audit_kept_from', CAST(:before AS TEXT))
ON CONFLICT (key) DO UPDATE SET value = excluded.value
WHERE CAST(excluded.value AS INTEGER) > CAST(meta.value AS INTEGER);

-- name: command.prune
DELETE FROM command
WHERE received_at < :before AND number < (SELECT max(number) FROM command);
