-- The store's first schema. Moments and durations are integer microseconds (moments UTC); states are text.
-- Runs and task instances are numbered by the engine; `changed_seq` names the last event that moved a row.

CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE engine_session (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    ended_at INTEGER,                -- empty after a kill: then last_seen_at is all that is known
    reason TEXT,
    boot_id TEXT,
    pid INTEGER,
    version TEXT
) STRICT;

CREATE TABLE recovery_report (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES engine_session (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    report TEXT NOT NULL,            -- JSON: interrupted, retried, needs a person, missed ticks
    acknowledged_at INTEGER,
    acknowledged_by TEXT
) STRICT;
CREATE INDEX recovery_report_open ON recovery_report (created_at) WHERE acknowledged_at IS NULL;

CREATE TABLE dag (
    dag_id TEXT PRIMARY KEY NOT NULL,
    file TEXT NOT NULL,              -- relative to dags/
    state TEXT NOT NULL,             -- active, or inactive once its file is gone
    current_version INTEGER,
    broken_since INTEGER,            -- its file no longer loads: runs use the last good version, or are held
    first_seen_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    schedule TEXT,                   -- expression, for lists
    timezone TEXT NOT NULL,
    owner TEXT,
    tags TEXT NOT NULL               -- JSON list
) STRICT;

CREATE TABLE dag_version (
    id INTEGER PRIMARY KEY,
    dag_id TEXT NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,         -- 1, 2, 3 … per DAG
    bundle TEXT NOT NULL,            -- content hash: the folder below versions/
    spec_hash TEXT NOT NULL,
    spec TEXT NOT NULL,              -- JSON: the serialized DAG
    created_at INTEGER NOT NULL,
    commit_id TEXT,                  -- where dags/ is a checkout: the commit it was loaded from
    commit_author TEXT,
    committed_at INTEGER,
    dirty INTEGER,                   -- 1: loaded with changes that the commit does not hold
    UNIQUE (dag_id, number)
) STRICT;

CREATE TABLE import_error (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    dag_id TEXT,
    message TEXT NOT NULL,
    line INTEGER,
    traceback TEXT,
    at INTEGER NOT NULL,             -- when it was first seen
    doubted INTEGER NOT NULL         -- 1 only within the transaction that renews a file's errors
) STRICT;
CREATE INDEX import_error_file ON import_error (file);

CREATE TABLE schedule_state (
    dag_id TEXT PRIMARY KEY NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    next_start INTEGER,              -- logical date of the next run to create
    next_run_after INTEGER,          -- when that run is due
    enabled_at INTEGER,
    paused_at INTEGER,               -- empty: not paused
    paused_by TEXT,
    pause_reason TEXT,
    spec_hash TEXT,
    last_start INTEGER,              -- logical date of the last run that was created or passed on purpose
    last_end INTEGER,                -- end of its interval
    catchup_until INTEGER,           -- while catching up: what was due by then is still to be created
    catchup TEXT                     -- chosen by whoever resumed the DAG; empty: as the DAG says
) STRICT;

CREATE TABLE schedule_gap (
    dag_id TEXT NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    first INTEGER NOT NULL,          -- logical date of the first slot that was left out
    until INTEGER NOT NULL,          -- end of the last one's interval
    count INTEGER NOT NULL,          -- slots; 0: the time belongs to none, since the schedule was changed
    why TEXT NOT NULL,               -- catchup, missed, overlap or schedule
    at INTEGER NOT NULL,
    PRIMARY KEY (dag_id, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    dag_id TEXT NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    version_id INTEGER NOT NULL REFERENCES dag_version (id),
    run_type TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    logical_date INTEGER NOT NULL,
    interval_start INTEGER NOT NULL,
    interval_end INTEGER NOT NULL,
    run_after INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,              -- of the present episode
    ended_at INTEGER,
    episode INTEGER NOT NULL,
    params TEXT NOT NULL,            -- JSON object
    note TEXT,
    created_by TEXT,
    inferred INTEGER NOT NULL,       -- 1: the logical date was not given but taken from the last interval
    changed_seq INTEGER NOT NULL,
    backfill INTEGER,                -- the backfill that made it, or ran it again
    priority INTEGER NOT NULL        -- what operators added to the priority weight of its tasks
) STRICT;
CREATE UNIQUE INDEX run_slot ON run (dag_id, logical_date) WHERE run_type IN ('scheduled', 'backfill');
CREATE INDEX run_of_dag ON run (dag_id, logical_date, id);
CREATE INDEX run_ended ON run (dag_id, state, ended_at, started_at, run_type, episode, backfill);
CREATE INDEX run_of_backfill ON run (backfill, state) WHERE backfill IS NOT NULL;
CREATE INDEX run_state ON run (state);

CREATE TABLE run_config (             -- of runs for which something was configured
    run INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    config TEXT NOT NULL             -- JSON object: environment, where params came from, [config], connections by reference
) STRICT;

CREATE TABLE backfill (
    id INTEGER PRIMARY KEY,
    dag_id TEXT NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    state TEXT NOT NULL,
    start INTEGER NOT NULL,          -- limits of the starts of intervals, both inclusive
    stop INTEGER NOT NULL,
    sort TEXT NOT NULL,              -- oldest or newest first
    max_active INTEGER NOT NULL,
    reprocess TEXT NOT NULL,         -- none, failed or completed
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    total INTEGER NOT NULL,
    params TEXT NOT NULL,            -- JSON object
    tasks TEXT NOT NULL,             -- JSON list; empty: whole runs
    downstream INTEGER NOT NULL,
    max_slots INTEGER,
    not_during TEXT,
    stop_after INTEGER,
    failures INTEGER NOT NULL,       -- failed runs since it was started or resumed
    waits_for TEXT,                  -- why nothing of it starts although it is running
    note TEXT,
    ended_at INTEGER
) STRICT;
CREATE INDEX backfill_of_dag ON backfill (dag_id, id);
CREATE INDEX backfill_open ON backfill (state) WHERE state IN ('running', 'paused', 'stopping');

CREATE TABLE backfill_item (
    backfill INTEGER NOT NULL REFERENCES backfill (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ordinal INTEGER NOT NULL,        -- the order in which the dates are run: 0, 1, 2 …
    logical_date INTEGER NOT NULL,
    interval_end INTEGER NOT NULL,
    state TEXT NOT NULL,             -- pending, running, success, failed, cancelled or skipped
    reason TEXT NOT NULL,            -- what is to be done, or why it is skipped
    run INTEGER,
    PRIMARY KEY (backfill, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX backfill_item_state ON backfill_item (backfill, state);

CREATE TABLE run_episode (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    opened_by TEXT,
    started_at INTEGER,              -- empty while the run is queued
    ended_at INTEGER,
    outcome TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_instance (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    dag_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    map_index INTEGER NOT NULL,      -- -1: not mapped, or the lasting summary row of a mapped task
    state TEXT NOT NULL,
    reason TEXT,
    attempt INTEGER NOT NULL,        -- number of the newest attempt, 0 before the first
    epoch_start INTEGER NOT NULL,    -- attempts made before the present try epoch
    lost_count INTEGER NOT NULL,
    spared INTEGER NOT NULL,         -- attempts of this epoch that use no retry budget without being lost
    requeues INTEGER NOT NULL,
    current_attempt TEXT,            -- id of the attempt that has not ended
    then_state TEXT,                 -- for killing: what follows once the process is dead
    then_reason TEXT,
    retry_at INTEGER,
    scheduled_at INTEGER,
    started_at INTEGER,              -- of the newest attempt
    ended_at INTEGER,
    duration INTEGER,                -- of the attempt that succeeded, by the monotonic clock; empty in every other state
    blockers TEXT,                   -- JSON list of what a waiting instance waits for
    last_error TEXT,
    retries INTEGER,                 -- of the present epoch, where a clear gave another number than the task's
    failed_keys TEXT,                -- JSON list: what the epoch's last partial attempt left undone
    decision TEXT,                   -- of a decider that left tasks out: JSON list of those directly below that it chose
    forced INTEGER NOT NULL,         -- 1: an operator has it run whatever its upstreams say
    changed_seq INTEGER NOT NULL,
    UNIQUE (run, task_id, map_index)
) STRICT;
CREATE INDEX task_instance_state ON task_instance (run, state);
CREATE INDEX task_instance_summary ON task_instance (run, state) WHERE reason = 'expanded';
CREATE INDEX task_instance_duration ON task_instance (dag_id, task_id, ended_at, duration, run)
    WHERE duration IS NOT NULL;

CREATE TABLE attempt (
    id TEXT PRIMARY KEY NOT NULL,    -- ULID: also the name of the attempt's directory
    task_instance INTEGER NOT NULL REFERENCES task_instance (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    queued_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    failure_class TEXT,
    reason TEXT,
    exit_code INTEGER,
    signal INTEGER,
    error TEXT,
    pid INTEGER,
    pid_started INTEGER,             -- clock ticks since boot
    boot_id TEXT,
    duration INTEGER,
    cpu_seconds REAL,
    peak_bytes INTEGER,
    version_id INTEGER,
    late_result TEXT,
    counts INTEGER NOT NULL,         -- 1: it spends retry budget
    UNIQUE (task_instance, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_unfinished ON attempt (task_instance) WHERE state <> 'ended';

CREATE TABLE task_result (
    task_instance INTEGER NOT NULL REFERENCES task_instance (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    attempt TEXT NOT NULL,
    value TEXT,                      -- JSON; empty when the attempt's directory holds it as a file
    in_file INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (task_instance, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (                 -- of approvals, kept when they are asked again
    task_instance INTEGER NOT NULL REFERENCES task_instance (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    asked_at INTEGER NOT NULL,
    answered_at INTEGER NOT NULL,
    option TEXT,                     -- empty: nobody answered in time, and there was no default
    params TEXT NOT NULL,            -- JSON object
    by TEXT,                         -- empty: the default was taken
    origin TEXT,                     -- console or cli, and what the client said of where it is
    command TEXT,                    -- id of the command, for all that is known of who asked for it
    PRIMARY KEY (task_instance, asked_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE callback (
    id TEXT PRIMARY KEY NOT NULL,    -- ULID, of the attempt directory it runs in
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    task_instance INTEGER,           -- empty for the DAG's own
    attempt TEXT,                    -- the attempt it reports
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    exit_code INTEGER,
    error TEXT,                      -- the error it reports, then its own
    pid INTEGER,
    pid_started INTEGER,
    boot_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_open ON callback (created_at) WHERE state <> 'ended';
CREATE INDEX callback_of_run ON callback (run);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,         -- 1, 2, 3 … without gaps
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,              -- run, task, attempt, dag, schedule, import, pool, hold, engine, command
    dag_id TEXT,
    run INTEGER,
    task_instance INTEGER,
    attempt TEXT,
    from_state TEXT,
    to_state TEXT,
    reason TEXT,
    command TEXT,
    detail TEXT
) STRICT;
CREATE INDEX event_by_command ON event (run, seq) WHERE command IS NOT NULL;

CREATE TABLE command (
    number INTEGER PRIMARY KEY,      -- 1, 2, 3 … without gaps
    id TEXT NOT NULL UNIQUE,         -- made by the client
    verb TEXT NOT NULL,
    args TEXT NOT NULL,              -- JSON object
    selector TEXT,                   -- JSON
    seen_seq INTEGER,                -- what its operator was looking at
    uid INTEGER NOT NULL,            -- as the kernel attests it
    login_uid INTEGER,
    user TEXT NOT NULL,
    claimed TEXT NOT NULL,           -- JSON object: what the client only says of itself
    client TEXT NOT NULL,            -- console or cli
    received_at INTEGER NOT NULL,
    applied_seq INTEGER NOT NULL,    -- the last event of the change it made
    outcome TEXT NOT NULL,           -- done or refused
    message TEXT NOT NULL,
    result TEXT NOT NULL,            -- JSON object, with what undo needs
    note TEXT,
    chain TEXT NOT NULL              -- SHA-256 over this row and the chain of the one before
) STRICT;
CREATE TRIGGER command_is_kept BEFORE UPDATE ON command
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER command_is_kept_until BEFORE DELETE ON command
WHEN old.received_at >= (SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta WHERE key = 'audit_kept_from')
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only: only what is older than meta.audit_kept_from may be pruned');
END;

CREATE INDEX task_instance_failed ON task_instance (ended_at) WHERE state = 'failed';

CREATE TABLE failure_claim (          -- somebody is on it
    signature TEXT PRIMARY KEY NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE failure_resolved (       -- seen to; a later attempt that fails is another failure
    task_instance INTEGER PRIMARY KEY REFERENCES task_instance (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    attempt INTEGER NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT
) STRICT;

CREATE TABLE recovery (               -- a plan to run again what failed of one cause
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,             -- running, done, failed (some of it again) or stopped
    cause TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    at_once INTEGER NOT NULL,
    command TEXT NOT NULL,
    note TEXT,
    dags TEXT NOT NULL,              -- JSON list: paused by their breakers, to be resumed once the first run has succeeded
    backfills TEXT NOT NULL          -- JSON list: stopped by its failures, to be resumed then, too
) STRICT;
CREATE INDEX recovery_open ON recovery (id) WHERE state = 'running';

CREATE TABLE recovery_item (
    recovery INTEGER NOT NULL REFERENCES recovery (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ordinal INTEGER NOT NULL,
    run INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    tasks TEXT NOT NULL,             -- JSON list of keys of task instances
    state TEXT NOT NULL,             -- pending, running, success, failed or skipped
    detail TEXT,
    PRIMARY KEY (recovery, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE trash (                  -- deleted runs, each as one row, for a week
    run INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    dag_id TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    run_type TEXT NOT NULL,
    state TEXT NOT NULL,
    logical_date INTEGER NOT NULL,
    last_task INTEGER NOT NULL,      -- the highest key of its task instances: keys are not given twice
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    note TEXT,
    rows TEXT NOT NULL               -- JSON object: rows by table
) STRICT;

CREATE TABLE undo (                   -- what taking back the newest commands needs; gone after a few minutes
    command TEXT PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    former TEXT NOT NULL             -- JSON object: rows as they were, or the command that does the opposite
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
    name TEXT PRIMARY KEY NOT NULL,
    slots INTEGER NOT NULL,          -- -1: no limit, 0: nothing starts
    description TEXT,
    configured INTEGER,              -- what dagdeck.toml said when it was read last; empty: made by an operator
    include_deferred INTEGER NOT NULL,    -- 1: tasks that have begun and wait without a process keep their slots
    configured_deferred INTEGER NOT NULL  -- what dagdeck.toml said of that
) STRICT;

CREATE TABLE breaker (
    name TEXT PRIMARY KEY NOT NULL,  -- dag:ID is a DAG's own
    state TEXT NOT NULL,             -- closed, open or half_open
    failures INTEGER NOT NULL,       -- in a row
    cooldown INTEGER NOT NULL,       -- the present one; it doubles
    until INTEGER,                   -- when it becomes half open; empty and open: held open
    opened_at INTEGER,
    last_failure_at INTEGER,
    last_error TEXT,
    probe TEXT,                      -- the attempt or run that has been let through
    by TEXT,                         -- who tripped it
    note TEXT,
    victims TEXT NOT NULL            -- JSON list: DAGs whose failures it counted last
) STRICT;

CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,             -- all, pool or dag
    pattern TEXT NOT NULL,           -- a pool's name, a glob of DAG ids, or empty
    who TEXT NOT NULL,
    note TEXT,
    since INTEGER NOT NULL,
    until INTEGER,                   -- empty: until it is released
    released_at INTEGER,
    released_by TEXT
) STRICT;
CREATE INDEX hold_open ON hold (since) WHERE released_at IS NULL;

CREATE VIEW v_runs AS
SELECT run_id, dag_id, run_type, state, reason,
    strftime('%Y-%m-%dT%H:%M:%SZ', logical_date / 1000000, 'unixepoch') AS logical_date,
    strftime('%Y-%m-%dT%H:%M:%SZ', started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', ended_at / 1000000, 'unixepoch') AS ended_at,
    (ended_at - started_at) / 1000000.0 AS seconds, episode, params, note, created_by
FROM run;

CREATE VIEW v_tasks AS
SELECT run.run_id, t.dag_id, t.task_id, t.map_index, t.state, t.reason, t.attempt,
    strftime('%Y-%m-%dT%H:%M:%SZ', t.started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', t.ended_at / 1000000, 'unixepoch') AS ended_at,
    coalesce(t.duration, t.ended_at - t.started_at) / 1000000.0 AS seconds, t.blockers, t.last_error
FROM task_instance AS t JOIN run ON run.id = t.run;

CREATE VIEW v_attempts AS
SELECT run.run_id, t.dag_id, t.task_id, t.map_index, a.number, a.id, a.state, a.outcome, a.failure_class, a.reason,
    a.exit_code, a.signal, a.error,
    strftime('%Y-%m-%dT%H:%M:%SZ', a.started_at / 1000000, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', a.ended_at / 1000000, 'unixepoch') AS ended_at,
    a.duration / 1000000.0 AS seconds, a.cpu_seconds, a.peak_bytes
FROM attempt AS a JOIN task_instance AS t ON t.id = a.task_instance JOIN run ON run.id = t.run;

CREATE VIEW v_audit AS
SELECT number, strftime('%Y-%m-%dT%H:%M:%SZ', received_at / 1000000, 'unixepoch') AS received_at, user, uid,
    login_uid, claimed, client, verb, args, selector, outcome, message, note, id
FROM command;

CREATE VIEW v_events AS
SELECT e.seq, strftime('%Y-%m-%dT%H:%M:%SZ', e.at / 1000000, 'unixepoch') AS at, e.kind, e.dag_id, run.run_id,
    t.task_id, t.map_index, e.attempt, e.from_state, e.to_state, e.reason, e.command, e.detail
FROM event AS e LEFT JOIN run ON run.id = e.run LEFT JOIN task_instance AS t ON t.id = e.task_instance;
