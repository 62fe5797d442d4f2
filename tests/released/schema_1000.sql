BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
) STRICT;
INSERT INTO "_sqlite_migrations" VALUES(1,'dagdeck','schema_1000','2026-11-22 16:36:34.357118+00:00');
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
INSERT INTO "attempt" VALUES('01M7ZVX9MR0000000000000001',1,1,'ended',1795292047000000,1795292047000000,1795292055000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZVX9MR000000000000000K',19,1,'ended',1795292047000000,1795292047000000,1795292055000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZVXHER0000000000000002',2,1,'ended',1795292055000000,1795292055000000,1795292063000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZVXHER000000000000000M',20,1,'ended',1795292055000000,1795292055000000,1795292063000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZVXS8R0000000000000003',3,1,'ended',1795292063000000,1795292063000000,1795292071000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZVXS8R000000000000000N',21,1,'ended',1795292063000000,1795292063000000,1795292071000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZB58R0000000000000004',4,1,'ended',1795295647000000,1795295647000000,1795295655000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZB58R000000000000000P',22,1,'ended',1795295647000000,1795295647000000,1795295655000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZBD2R0000000000000005',5,1,'ended',1795295655000000,1795295655000000,1795295663000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZBD2R000000000000000Q',23,1,'ended',1795295655000000,1795295655000000,1795295663000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZBMWR0000000000000006',6,1,'ended',1795295663000000,1795295663000000,1795295671000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M7ZZBMWR000000000000000R',24,1,'ended',1795295663000000,1795295663000000,1795295671000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M802S0WR0000000000000007',7,1,'ended',1795299247000000,1795299247000000,1795299255000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M802S0WR000000000000000S',25,1,'ended',1795299247000000,1795299247000000,1795299255000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M802S8PR0000000000000008',8,1,'ended',1795299255000000,1795299255000000,1795299263000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M802S8PR000000000000000T',26,1,'ended',1795299255000000,1795299255000000,1795299263000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M802SGGR0000000000000009',9,1,'ended',1795299263000000,1795299263000000,1795299271000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M802SGGR000000000000000V',27,1,'ended',1795299263000000,1795299263000000,1795299271000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M8066WGR000000000000000A',10,1,'ended',1795302847000000,1795302847000000,1795302855000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M8066WGR000000000000000W',28,1,'ended',1795302847000000,1795302847000000,1795302855000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M80674AR000000000000000B',11,1,'ended',1795302855000000,1795302855000000,1795302863000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80674AR000000000000000X',29,1,'ended',1795302855000000,1795302855000000,1795302863000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M8067C4R000000000000000C',12,1,'ended',1795302863000000,1795302863000000,1795302871000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M8067C4R000000000000000Y',30,1,'ended',1795302863000000,1795302863000000,1795302871000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M809MR4R000000000000000D',13,1,'ended',1795306447000000,1795306447000000,1795306455000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M809MR4R000000000000000Z',31,1,'ended',1795306447000000,1795306447000000,1795306455000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M809MZYR000000000000000E',14,1,'ended',1795306455000000,1795306455000000,1795306463000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M809MZYR0000000000000010',32,1,'ended',1795306455000000,1795306455000000,1795306463000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M809N7RR000000000000000F',15,1,'ended',1795306463000000,1795306463000000,1795306471000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M809N7RR0000000000000011',33,1,'ended',1795306463000000,1795306463000000,1795306471000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M80D2KRR000000000000000G',16,1,'ended',1795310047000000,1795310047000000,1795310055000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80D2KRR0000000000000012',34,1,'ended',1795310047000000,1795310047000000,1795310055000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M80D2VJR000000000000000H',17,1,'ended',1795310055000000,1795310055000000,1795310063000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80D2VJR0000000000000013',35,1,'ended',1795310055000000,1795310055000000,1795310063000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M80D33CR000000000000000J',18,1,'ended',1795310063000000,1795310063000000,1795310071000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80D33CR0000000000000014',36,1,'ended',1795310063000000,1795310063000000,1795310071000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,2,NULL,1);
INSERT INTO "attempt" VALUES('01M80FY5ER0000000000000015',37,1,'ended',1795313047000000,1795313047000000,1795313055000000,'success',NULL,'exit',0,NULL,NULL,4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80FYD8R0000000000000016',38,1,'ended',1795313055000000,1795313055000000,1795313063000000,'failed','unknown','exception',1,NULL,'no such table',4711,99,'boot',8000000,2.66666666666666651863e+00,88000000,1,NULL,1);
INSERT INTO "attempt" VALUES('01M80FYN2R0000000000000017',40,1,'running',1795313063000000,1795313063000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,4711,99,'boot',NULL,NULL,NULL,2,NULL,1);
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
INSERT INTO "command" VALUES(1,'00000000000000000000000000000001','clear','{}',NULL,NULL,1000,NULL,'ops1','{}','console',1700000000000000,201,'done','cleared 1 task instance','{}',NULL,'f142ba26b7f8a1539aa645d258536707f0a8314ec56a423f7d809be141a1dc96');
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
INSERT INTO "dag" VALUES('sales','sales.py','active',1,NULL,1795313647000000,1795313647000000,NULL,'UTC',NULL,'[]');
INSERT INTO "dag" VALUES('stock','stock.py','active',2,NULL,1795310071000000,1795310071000000,NULL,'UTC',NULL,'[]');
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
INSERT INTO "dag_version" VALUES(1,'sales',1,'0000000000000000','0000000000000000','{"dag_id": "sales", "file": "sales.py", "tasks": [{"task_id": "fetch", "kind": "shell", "upstream": [], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 0, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}, {"task_id": "clean", "kind": "shell", "upstream": ["fetch"], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 0, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}, {"task_id": "load", "kind": "shell", "upstream": ["clean"], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 1, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}], "schedule": {"expression": null, "timezone": "UTC", "kind": "interval", "start_date": null, "end_date": null, "catchup": "none", "on_missed": null, "exclude": [], "day_and": false, "catchup_window": null, "missed_grace": null, "overlap": "queue"}, "params": {}, "extra_params": false, "tags": [], "owner": null, "doc": null, "runbook": null, "max_active_runs": 16, "max_active_tasks": null, "max_active_tasks_per_run": null, "run_timeout": null, "max_failed_runs": null, "breaker_cooldown": null, "outcome": "any_failed", "paused_upon_creation": false, "on_broken": "keep", "python": null, "env": {}, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "line": null, "v": 1}',1795313647000000,NULL,NULL,NULL,NULL);
INSERT INTO "dag_version" VALUES(2,'stock',1,'0000000000000000','0000000000000000','{"dag_id": "stock", "file": "stock.py", "tasks": [{"task_id": "fetch", "kind": "shell", "upstream": [], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 0, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}, {"task_id": "clean", "kind": "shell", "upstream": ["fetch"], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 0, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}, {"task_id": "load", "kind": "shell", "upstream": ["clean"], "inputs": [], "trigger_rule": "all_success", "retry": {"retries": 1, "delay": 30.0, "delays": [], "exponential": true, "multiplier": 2.0, "jitter": 0.0, "max_delay": 86400.0, "rules": [], "on_lost": "retry"}, "execution_timeout": null, "grace": 10.0, "memory_limit": null, "pool": "default", "pool_slots": 1, "priority_weight": 1, "max_active_tis": null, "approval": null, "breaker": null, "connections": [], "role": "task", "setups": [], "on_failure_fail_run": false, "decides": null, "skips_all_below": false, "depends_on_past": false, "allow_failure": false, "isolate": false, "command": "true", "env": {}, "owner": null, "doc": null, "runbook": null, "sla": null, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "mapped": [], "group": null, "line": null}], "schedule": {"expression": null, "timezone": "UTC", "kind": "interval", "start_date": null, "end_date": null, "catchup": "none", "on_missed": null, "exclude": [], "day_and": false, "catchup_window": null, "missed_grace": null, "overlap": "queue"}, "params": {}, "extra_params": false, "tags": [], "owner": null, "doc": null, "runbook": null, "max_active_runs": 16, "max_active_tasks": null, "max_active_tasks_per_run": null, "run_timeout": null, "max_failed_runs": null, "breaker_cooldown": null, "outcome": "any_failed", "paused_upon_creation": false, "on_broken": "keep", "python": null, "env": {}, "callbacks": {"on_success": false, "on_failure": false, "on_retry": false}, "line": null, "v": 1}',1795310071000000,NULL,NULL,NULL,NULL);
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
INSERT INTO "engine_session" VALUES(1,1795313647000000,1795313647000000,NULL,NULL,'boot',1,'0.1.0');
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
INSERT INTO "event" VALUES(1,1795313647000000,'engine',NULL,NULL,NULL,NULL,NULL,'started',NULL,NULL,NULL);
INSERT INTO "event" VALUES(2,1795313647000000,'dag','sales',NULL,NULL,NULL,NULL,'active',NULL,NULL,NULL);
INSERT INTO "event" VALUES(3,1795292047000000,'run','sales',1,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(4,1795292047000000,'run','sales',1,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(5,1795292047000000,'task','sales',1,1,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(6,1795292047000000,'task','sales',1,1,'01M7ZVX9MR0000000000000001','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(7,1795292047050000,'task','sales',1,1,'01M7ZVX9MR0000000000000001','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(8,1795292055000000,'task','sales',1,1,'01M7ZVX9MR0000000000000001','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(9,1795292055000000,'task','sales',1,2,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(10,1795292055000000,'task','sales',1,2,'01M7ZVXHER0000000000000002','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(11,1795292055050000,'task','sales',1,2,'01M7ZVXHER0000000000000002','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(12,1795292063000000,'task','sales',1,2,'01M7ZVXHER0000000000000002','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(13,1795292063000000,'task','sales',1,3,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(14,1795292063000000,'task','sales',1,3,'01M7ZVXS8R0000000000000003','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(15,1795292063050000,'task','sales',1,3,'01M7ZVXS8R0000000000000003','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(16,1795292071000000,'task','sales',1,3,'01M7ZVXS8R0000000000000003','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(17,1795292071000000,'run','sales',1,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(18,1795295647000000,'run','sales',2,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(19,1795295647000000,'run','sales',2,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(20,1795295647000000,'task','sales',2,4,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(21,1795295647000000,'task','sales',2,4,'01M7ZZB58R0000000000000004','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(22,1795295647050000,'task','sales',2,4,'01M7ZZB58R0000000000000004','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(23,1795295655000000,'task','sales',2,4,'01M7ZZB58R0000000000000004','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(24,1795295655000000,'task','sales',2,5,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(25,1795295655000000,'task','sales',2,5,'01M7ZZBD2R0000000000000005','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(26,1795295655050000,'task','sales',2,5,'01M7ZZBD2R0000000000000005','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(27,1795295663000000,'task','sales',2,5,'01M7ZZBD2R0000000000000005','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(28,1795295663000000,'task','sales',2,6,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(29,1795295663000000,'task','sales',2,6,'01M7ZZBMWR0000000000000006','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(30,1795295663050000,'task','sales',2,6,'01M7ZZBMWR0000000000000006','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(31,1795295671000000,'task','sales',2,6,'01M7ZZBMWR0000000000000006','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(32,1795295671000000,'run','sales',2,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(33,1795299247000000,'run','sales',3,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(34,1795299247000000,'run','sales',3,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(35,1795299247000000,'task','sales',3,7,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(36,1795299247000000,'task','sales',3,7,'01M802S0WR0000000000000007','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(37,1795299247050000,'task','sales',3,7,'01M802S0WR0000000000000007','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(38,1795299255000000,'task','sales',3,7,'01M802S0WR0000000000000007','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(39,1795299255000000,'task','sales',3,8,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(40,1795299255000000,'task','sales',3,8,'01M802S8PR0000000000000008','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(41,1795299255050000,'task','sales',3,8,'01M802S8PR0000000000000008','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(42,1795299263000000,'task','sales',3,8,'01M802S8PR0000000000000008','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(43,1795299263000000,'task','sales',3,9,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(44,1795299263000000,'task','sales',3,9,'01M802SGGR0000000000000009','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(45,1795299263050000,'task','sales',3,9,'01M802SGGR0000000000000009','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(46,1795299271000000,'task','sales',3,9,'01M802SGGR0000000000000009','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(47,1795299271000000,'run','sales',3,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(48,1795302847000000,'run','sales',4,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(49,1795302847000000,'run','sales',4,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(50,1795302847000000,'task','sales',4,10,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(51,1795302847000000,'task','sales',4,10,'01M8066WGR000000000000000A','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(52,1795302847050000,'task','sales',4,10,'01M8066WGR000000000000000A','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(53,1795302855000000,'task','sales',4,10,'01M8066WGR000000000000000A','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(54,1795302855000000,'task','sales',4,11,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(55,1795302855000000,'task','sales',4,11,'01M80674AR000000000000000B','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(56,1795302855050000,'task','sales',4,11,'01M80674AR000000000000000B','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(57,1795302863000000,'task','sales',4,11,'01M80674AR000000000000000B','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(58,1795302863000000,'task','sales',4,12,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(59,1795302863000000,'task','sales',4,12,'01M8067C4R000000000000000C','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(60,1795302863050000,'task','sales',4,12,'01M8067C4R000000000000000C','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(61,1795302871000000,'task','sales',4,12,'01M8067C4R000000000000000C','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(62,1795302871000000,'run','sales',4,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(63,1795306447000000,'run','sales',5,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(64,1795306447000000,'run','sales',5,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(65,1795306447000000,'task','sales',5,13,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(66,1795306447000000,'task','sales',5,13,'01M809MR4R000000000000000D','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(67,1795306447050000,'task','sales',5,13,'01M809MR4R000000000000000D','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(68,1795306455000000,'task','sales',5,13,'01M809MR4R000000000000000D','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(69,1795306455000000,'task','sales',5,14,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(70,1795306455000000,'task','sales',5,14,'01M809MZYR000000000000000E','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(71,1795306455050000,'task','sales',5,14,'01M809MZYR000000000000000E','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(72,1795306463000000,'task','sales',5,14,'01M809MZYR000000000000000E','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(73,1795306463000000,'task','sales',5,15,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(74,1795306463000000,'task','sales',5,15,'01M809N7RR000000000000000F','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(75,1795306463050000,'task','sales',5,15,'01M809N7RR000000000000000F','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(76,1795306471000000,'task','sales',5,15,'01M809N7RR000000000000000F','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(77,1795306471000000,'run','sales',5,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(78,1795310047000000,'run','sales',6,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(79,1795310047000000,'run','sales',6,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(80,1795310047000000,'task','sales',6,16,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(81,1795310047000000,'task','sales',6,16,'01M80D2KRR000000000000000G','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(82,1795310047050000,'task','sales',6,16,'01M80D2KRR000000000000000G','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(83,1795310055000000,'task','sales',6,16,'01M80D2KRR000000000000000G','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(84,1795310055000000,'task','sales',6,17,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(85,1795310055000000,'task','sales',6,17,'01M80D2VJR000000000000000H','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(86,1795310055050000,'task','sales',6,17,'01M80D2VJR000000000000000H','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(87,1795310063000000,'task','sales',6,17,'01M80D2VJR000000000000000H','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(88,1795310063000000,'task','sales',6,18,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(89,1795310063000000,'task','sales',6,18,'01M80D33CR000000000000000J','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(90,1795310063050000,'task','sales',6,18,'01M80D33CR000000000000000J','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(91,1795310071000000,'task','sales',6,18,'01M80D33CR000000000000000J','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(92,1795310071000000,'run','sales',6,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(93,1795310071000000,'dag','stock',NULL,NULL,NULL,NULL,'active',NULL,NULL,NULL);
INSERT INTO "event" VALUES(94,1795292047000000,'run','stock',7,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(95,1795292047000000,'run','stock',7,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(96,1795292047000000,'task','stock',7,19,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(97,1795292047000000,'task','stock',7,19,'01M7ZVX9MR000000000000000K','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(98,1795292047050000,'task','stock',7,19,'01M7ZVX9MR000000000000000K','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(99,1795292055000000,'task','stock',7,19,'01M7ZVX9MR000000000000000K','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(100,1795292055000000,'task','stock',7,20,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(101,1795292055000000,'task','stock',7,20,'01M7ZVXHER000000000000000M','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(102,1795292055050000,'task','stock',7,20,'01M7ZVXHER000000000000000M','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(103,1795292063000000,'task','stock',7,20,'01M7ZVXHER000000000000000M','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(104,1795292063000000,'task','stock',7,21,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(105,1795292063000000,'task','stock',7,21,'01M7ZVXS8R000000000000000N','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(106,1795292063050000,'task','stock',7,21,'01M7ZVXS8R000000000000000N','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(107,1795292071000000,'task','stock',7,21,'01M7ZVXS8R000000000000000N','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(108,1795292071000000,'run','stock',7,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(109,1795295647000000,'run','stock',8,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(110,1795295647000000,'run','stock',8,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(111,1795295647000000,'task','stock',8,22,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(112,1795295647000000,'task','stock',8,22,'01M7ZZB58R000000000000000P','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(113,1795295647050000,'task','stock',8,22,'01M7ZZB58R000000000000000P','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(114,1795295655000000,'task','stock',8,22,'01M7ZZB58R000000000000000P','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(115,1795295655000000,'task','stock',8,23,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(116,1795295655000000,'task','stock',8,23,'01M7ZZBD2R000000000000000Q','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(117,1795295655050000,'task','stock',8,23,'01M7ZZBD2R000000000000000Q','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(118,1795295663000000,'task','stock',8,23,'01M7ZZBD2R000000000000000Q','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(119,1795295663000000,'task','stock',8,24,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(120,1795295663000000,'task','stock',8,24,'01M7ZZBMWR000000000000000R','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(121,1795295663050000,'task','stock',8,24,'01M7ZZBMWR000000000000000R','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(122,1795295671000000,'task','stock',8,24,'01M7ZZBMWR000000000000000R','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(123,1795295671000000,'run','stock',8,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(124,1795299247000000,'run','stock',9,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(125,1795299247000000,'run','stock',9,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(126,1795299247000000,'task','stock',9,25,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(127,1795299247000000,'task','stock',9,25,'01M802S0WR000000000000000S','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(128,1795299247050000,'task','stock',9,25,'01M802S0WR000000000000000S','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(129,1795299255000000,'task','stock',9,25,'01M802S0WR000000000000000S','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(130,1795299255000000,'task','stock',9,26,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(131,1795299255000000,'task','stock',9,26,'01M802S8PR000000000000000T','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(132,1795299255050000,'task','stock',9,26,'01M802S8PR000000000000000T','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(133,1795299263000000,'task','stock',9,26,'01M802S8PR000000000000000T','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(134,1795299263000000,'task','stock',9,27,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(135,1795299263000000,'task','stock',9,27,'01M802SGGR000000000000000V','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(136,1795299263050000,'task','stock',9,27,'01M802SGGR000000000000000V','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(137,1795299271000000,'task','stock',9,27,'01M802SGGR000000000000000V','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(138,1795299271000000,'run','stock',9,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(139,1795302847000000,'run','stock',10,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(140,1795302847000000,'run','stock',10,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(141,1795302847000000,'task','stock',10,28,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(142,1795302847000000,'task','stock',10,28,'01M8066WGR000000000000000W','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(143,1795302847050000,'task','stock',10,28,'01M8066WGR000000000000000W','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(144,1795302855000000,'task','stock',10,28,'01M8066WGR000000000000000W','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(145,1795302855000000,'task','stock',10,29,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(146,1795302855000000,'task','stock',10,29,'01M80674AR000000000000000X','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(147,1795302855050000,'task','stock',10,29,'01M80674AR000000000000000X','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(148,1795302863000000,'task','stock',10,29,'01M80674AR000000000000000X','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(149,1795302863000000,'task','stock',10,30,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(150,1795302863000000,'task','stock',10,30,'01M8067C4R000000000000000Y','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(151,1795302863050000,'task','stock',10,30,'01M8067C4R000000000000000Y','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(152,1795302871000000,'task','stock',10,30,'01M8067C4R000000000000000Y','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(153,1795302871000000,'run','stock',10,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(154,1795306447000000,'run','stock',11,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(155,1795306447000000,'run','stock',11,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(156,1795306447000000,'task','stock',11,31,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(157,1795306447000000,'task','stock',11,31,'01M809MR4R000000000000000Z','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(158,1795306447050000,'task','stock',11,31,'01M809MR4R000000000000000Z','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(159,1795306455000000,'task','stock',11,31,'01M809MR4R000000000000000Z','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(160,1795306455000000,'task','stock',11,32,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(161,1795306455000000,'task','stock',11,32,'01M809MZYR0000000000000010','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(162,1795306455050000,'task','stock',11,32,'01M809MZYR0000000000000010','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(163,1795306463000000,'task','stock',11,32,'01M809MZYR0000000000000010','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(164,1795306463000000,'task','stock',11,33,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(165,1795306463000000,'task','stock',11,33,'01M809N7RR0000000000000011','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(166,1795306463050000,'task','stock',11,33,'01M809N7RR0000000000000011','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(167,1795306471000000,'task','stock',11,33,'01M809N7RR0000000000000011','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(168,1795306471000000,'run','stock',11,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(169,1795310047000000,'run','stock',12,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(170,1795310047000000,'run','stock',12,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(171,1795310047000000,'task','stock',12,34,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(172,1795310047000000,'task','stock',12,34,'01M80D2KRR0000000000000012','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(173,1795310047050000,'task','stock',12,34,'01M80D2KRR0000000000000012','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(174,1795310055000000,'task','stock',12,34,'01M80D2KRR0000000000000012','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(175,1795310055000000,'task','stock',12,35,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(176,1795310055000000,'task','stock',12,35,'01M80D2VJR0000000000000013','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(177,1795310055050000,'task','stock',12,35,'01M80D2VJR0000000000000013','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(178,1795310063000000,'task','stock',12,35,'01M80D2VJR0000000000000013','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(179,1795310063000000,'task','stock',12,36,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(180,1795310063000000,'task','stock',12,36,'01M80D33CR0000000000000014','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(181,1795310063050000,'task','stock',12,36,'01M80D33CR0000000000000014','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(182,1795310071000000,'task','stock',12,36,'01M80D33CR0000000000000014','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(183,1795310071000000,'run','stock',12,NULL,NULL,'running','success','tasks_succeeded',NULL,NULL);
INSERT INTO "event" VALUES(184,1795313047000000,'run','sales',13,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(185,1795313047000000,'run','sales',13,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(186,1795313047000000,'task','sales',13,37,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(187,1795313047000000,'task','sales',13,37,'01M80FY5ER0000000000000015','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(188,1795313047050000,'task','sales',13,37,'01M80FY5ER0000000000000015','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(189,1795313055000000,'task','sales',13,37,'01M80FY5ER0000000000000015','running','success','exit',NULL,NULL);
INSERT INTO "event" VALUES(190,1795313055000000,'task','sales',13,38,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(191,1795313055000000,'task','sales',13,38,'01M80FYD8R0000000000000016','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(192,1795313055050000,'task','sales',13,38,'01M80FYD8R0000000000000016','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(193,1795313063000000,'task','sales',13,38,'01M80FYD8R0000000000000016','running','failed','exception',NULL,NULL);
INSERT INTO "event" VALUES(194,1795313063000000,'task','sales',13,39,NULL,'none','upstream_failed','upstream',NULL,NULL);
INSERT INTO "event" VALUES(195,1795313063000000,'run','sales',13,NULL,NULL,'running','failed','tasks_failed',NULL,NULL);
INSERT INTO "event" VALUES(196,1795313063000000,'run','stock',14,NULL,NULL,NULL,'queued','created',NULL,NULL);
INSERT INTO "event" VALUES(197,1795313063000000,'run','stock',14,NULL,NULL,'queued','running','started',NULL,NULL);
INSERT INTO "event" VALUES(198,1795313063000000,'task','stock',14,40,NULL,'none','scheduled','trigger_rule',NULL,NULL);
INSERT INTO "event" VALUES(199,1795313063000000,'task','stock',14,40,'01M80FYN2R0000000000000017','scheduled','queued','admitted',NULL,NULL);
INSERT INTO "event" VALUES(200,1795313063050000,'task','stock',14,40,'01M80FYN2R0000000000000017','queued','running','claimed',NULL,NULL);
INSERT INTO "event" VALUES(201,1795313063050000,'command',NULL,NULL,NULL,NULL,NULL,'done',NULL,'00000000000000000000000000000001','clear');
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
CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE pool (
    name TEXT PRIMARY KEY NOT NULL,
    slots INTEGER NOT NULL,          -- -1: no limit, 0: nothing starts
    description TEXT,
    configured INTEGER,              -- what dagdeck.toml said when it was read last; empty: made by an operator
    include_deferred INTEGER NOT NULL,    -- 1: tasks that have begun and wait without a process keep their slots
    configured_deferred INTEGER NOT NULL  -- what dagdeck.toml said of that
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
CREATE TABLE recovery_report (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES engine_session (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    report TEXT NOT NULL,            -- JSON: interrupted, retried, needs a person, missed ticks
    acknowledged_at INTEGER,
    acknowledged_by TEXT
) STRICT;
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
INSERT INTO "run" VALUES(1,'sales@20261121T191407Z','sales',1,'scheduled','success','tasks_succeeded',1795288447000000,1795288447000000,1795292047000000,1795292047000000,1795292047000000,1795292047000000,1795292071000000,1,'{}',NULL,NULL,0,17,NULL,0);
INSERT INTO "run" VALUES(2,'sales@20261121T201407Z','sales',1,'scheduled','success','tasks_succeeded',1795292047000000,1795292047000000,1795295647000000,1795295647000000,1795295647000000,1795295647000000,1795295671000000,1,'{}',NULL,NULL,0,32,NULL,0);
INSERT INTO "run" VALUES(3,'sales@20261121T211407Z','sales',1,'scheduled','success','tasks_succeeded',1795295647000000,1795295647000000,1795299247000000,1795299247000000,1795299247000000,1795299247000000,1795299271000000,1,'{}',NULL,NULL,0,47,NULL,0);
INSERT INTO "run" VALUES(4,'sales@20261121T221407Z','sales',1,'scheduled','success','tasks_succeeded',1795299247000000,1795299247000000,1795302847000000,1795302847000000,1795302847000000,1795302847000000,1795302871000000,1,'{}',NULL,NULL,0,62,NULL,0);
INSERT INTO "run" VALUES(5,'sales@20261121T231407Z','sales',1,'scheduled','success','tasks_succeeded',1795302847000000,1795302847000000,1795306447000000,1795306447000000,1795306447000000,1795306447000000,1795306471000000,1,'{}',NULL,NULL,0,77,NULL,0);
INSERT INTO "run" VALUES(6,'sales@20261122T001407Z','sales',1,'scheduled','success','tasks_succeeded',1795306447000000,1795306447000000,1795310047000000,1795310047000000,1795310047000000,1795310047000000,1795310071000000,1,'{}',NULL,NULL,0,92,NULL,0);
INSERT INTO "run" VALUES(7,'stock@20261121T191407Z','stock',2,'scheduled','success','tasks_succeeded',1795288447000000,1795288447000000,1795292047000000,1795292047000000,1795292047000000,1795292047000000,1795292071000000,1,'{}',NULL,NULL,0,108,NULL,0);
INSERT INTO "run" VALUES(8,'stock@20261121T201407Z','stock',2,'scheduled','success','tasks_succeeded',1795292047000000,1795292047000000,1795295647000000,1795295647000000,1795295647000000,1795295647000000,1795295671000000,1,'{}',NULL,NULL,0,123,NULL,0);
INSERT INTO "run" VALUES(9,'stock@20261121T211407Z','stock',2,'scheduled','success','tasks_succeeded',1795295647000000,1795295647000000,1795299247000000,1795299247000000,1795299247000000,1795299247000000,1795299271000000,1,'{}',NULL,NULL,0,138,NULL,0);
INSERT INTO "run" VALUES(10,'stock@20261121T221407Z','stock',2,'scheduled','success','tasks_succeeded',1795299247000000,1795299247000000,1795302847000000,1795302847000000,1795302847000000,1795302847000000,1795302871000000,1,'{}',NULL,NULL,0,153,NULL,0);
INSERT INTO "run" VALUES(11,'stock@20261121T231407Z','stock',2,'scheduled','success','tasks_succeeded',1795302847000000,1795302847000000,1795306447000000,1795306447000000,1795306447000000,1795306447000000,1795306471000000,1,'{}',NULL,NULL,0,168,NULL,0);
INSERT INTO "run" VALUES(12,'stock@20261122T001407Z','stock',2,'scheduled','success','tasks_succeeded',1795306447000000,1795306447000000,1795310047000000,1795310047000000,1795310047000000,1795310047000000,1795310071000000,1,'{}',NULL,NULL,0,183,NULL,0);
INSERT INTO "run" VALUES(13,'sales@20261122T010407Z','sales',1,'scheduled','failed','tasks_failed',1795309447000000,1795309447000000,1795313047000000,1795313047000000,1795313047000000,1795313047000000,1795313063000000,1,'{}',NULL,NULL,0,195,NULL,0);
INSERT INTO "run" VALUES(14,'stock@20261122T010407Z','stock',2,'scheduled','running','started',1795309447000000,1795309447000000,1795313047000000,1795313047000000,1795313063000000,1795313063000000,NULL,1,'{}',NULL,NULL,0,197,NULL,0);
CREATE TABLE run_config (             -- of runs for which something was configured
    run INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    config TEXT NOT NULL             -- JSON object: environment, where params came from, [config], connections by reference
) STRICT;
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
INSERT INTO "run_episode" VALUES(1,1,1,'created',NULL,1795292047000000,1795292071000000,'success');
INSERT INTO "run_episode" VALUES(2,1,1,'created',NULL,1795295647000000,1795295671000000,'success');
INSERT INTO "run_episode" VALUES(3,1,1,'created',NULL,1795299247000000,1795299271000000,'success');
INSERT INTO "run_episode" VALUES(4,1,1,'created',NULL,1795302847000000,1795302871000000,'success');
INSERT INTO "run_episode" VALUES(5,1,1,'created',NULL,1795306447000000,1795306471000000,'success');
INSERT INTO "run_episode" VALUES(6,1,1,'created',NULL,1795310047000000,1795310071000000,'success');
INSERT INTO "run_episode" VALUES(7,1,2,'created',NULL,1795292047000000,1795292071000000,'success');
INSERT INTO "run_episode" VALUES(8,1,2,'created',NULL,1795295647000000,1795295671000000,'success');
INSERT INTO "run_episode" VALUES(9,1,2,'created',NULL,1795299247000000,1795299271000000,'success');
INSERT INTO "run_episode" VALUES(10,1,2,'created',NULL,1795302847000000,1795302871000000,'success');
INSERT INTO "run_episode" VALUES(11,1,2,'created',NULL,1795306447000000,1795306471000000,'success');
INSERT INTO "run_episode" VALUES(12,1,2,'created',NULL,1795310047000000,1795310071000000,'success');
INSERT INTO "run_episode" VALUES(13,1,1,'created',NULL,1795313047000000,1795313063000000,'failed');
INSERT INTO "run_episode" VALUES(14,1,2,'created',NULL,1795313063000000,NULL,NULL);
CREATE TABLE schedule_gap (
    dag_id TEXT NOT NULL REFERENCES dag (dag_id) DEFERRABLE INITIALLY DEFERRED,
    first INTEGER NOT NULL,          -- logical date of the first slot that was left out
    until INTEGER NOT NULL,          -- end of the last one's interval
    count INTEGER NOT NULL,          -- slots; 0: the time belongs to none, since the schedule was changed
    why TEXT NOT NULL,               -- catchup, missed, overlap or schedule
    at INTEGER NOT NULL,
    PRIMARY KEY (dag_id, first)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "schedule_state" VALUES('sales',1795317247000000,1795317247000000,1795313647000000,NULL,NULL,NULL,'0000000000000000',NULL,NULL,NULL,NULL);
INSERT INTO "schedule_state" VALUES('stock',1795313671000000,1795313671000000,1795310071000000,NULL,NULL,NULL,'0000000000000000',NULL,NULL,NULL,NULL);
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
INSERT INTO "task_instance" VALUES(1,1,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292047000000,1795292047000000,1795292055000000,8000000,NULL,NULL,NULL,NULL,NULL,0,8);
INSERT INTO "task_instance" VALUES(2,1,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292055000000,1795292055000000,1795292063000000,8000000,NULL,NULL,NULL,NULL,NULL,0,12);
INSERT INTO "task_instance" VALUES(3,1,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292063000000,1795292063000000,1795292071000000,8000000,NULL,NULL,NULL,NULL,NULL,0,16);
INSERT INTO "task_instance" VALUES(4,2,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295647000000,1795295647000000,1795295655000000,8000000,NULL,NULL,NULL,NULL,NULL,0,23);
INSERT INTO "task_instance" VALUES(5,2,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295655000000,1795295655000000,1795295663000000,8000000,NULL,NULL,NULL,NULL,NULL,0,27);
INSERT INTO "task_instance" VALUES(6,2,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295663000000,1795295663000000,1795295671000000,8000000,NULL,NULL,NULL,NULL,NULL,0,31);
INSERT INTO "task_instance" VALUES(7,3,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299247000000,1795299247000000,1795299255000000,8000000,NULL,NULL,NULL,NULL,NULL,0,38);
INSERT INTO "task_instance" VALUES(8,3,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299255000000,1795299255000000,1795299263000000,8000000,NULL,NULL,NULL,NULL,NULL,0,42);
INSERT INTO "task_instance" VALUES(9,3,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299263000000,1795299263000000,1795299271000000,8000000,NULL,NULL,NULL,NULL,NULL,0,46);
INSERT INTO "task_instance" VALUES(10,4,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302847000000,1795302847000000,1795302855000000,8000000,NULL,NULL,NULL,NULL,NULL,0,53);
INSERT INTO "task_instance" VALUES(11,4,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302855000000,1795302855000000,1795302863000000,8000000,NULL,NULL,NULL,NULL,NULL,0,57);
INSERT INTO "task_instance" VALUES(12,4,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302863000000,1795302863000000,1795302871000000,8000000,NULL,NULL,NULL,NULL,NULL,0,61);
INSERT INTO "task_instance" VALUES(13,5,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306447000000,1795306447000000,1795306455000000,8000000,NULL,NULL,NULL,NULL,NULL,0,68);
INSERT INTO "task_instance" VALUES(14,5,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306455000000,1795306455000000,1795306463000000,8000000,NULL,NULL,NULL,NULL,NULL,0,72);
INSERT INTO "task_instance" VALUES(15,5,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306463000000,1795306463000000,1795306471000000,8000000,NULL,NULL,NULL,NULL,NULL,0,76);
INSERT INTO "task_instance" VALUES(16,6,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310047000000,1795310047000000,1795310055000000,8000000,NULL,NULL,NULL,NULL,NULL,0,83);
INSERT INTO "task_instance" VALUES(17,6,'sales','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310055000000,1795310055000000,1795310063000000,8000000,NULL,NULL,NULL,NULL,NULL,0,87);
INSERT INTO "task_instance" VALUES(18,6,'sales','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310063000000,1795310063000000,1795310071000000,8000000,NULL,NULL,NULL,NULL,NULL,0,91);
INSERT INTO "task_instance" VALUES(19,7,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292047000000,1795292047000000,1795292055000000,8000000,NULL,NULL,NULL,NULL,NULL,0,99);
INSERT INTO "task_instance" VALUES(20,7,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292055000000,1795292055000000,1795292063000000,8000000,NULL,NULL,NULL,NULL,NULL,0,103);
INSERT INTO "task_instance" VALUES(21,7,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795292063000000,1795292063000000,1795292071000000,8000000,NULL,NULL,NULL,NULL,NULL,0,107);
INSERT INTO "task_instance" VALUES(22,8,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295647000000,1795295647000000,1795295655000000,8000000,NULL,NULL,NULL,NULL,NULL,0,114);
INSERT INTO "task_instance" VALUES(23,8,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295655000000,1795295655000000,1795295663000000,8000000,NULL,NULL,NULL,NULL,NULL,0,118);
INSERT INTO "task_instance" VALUES(24,8,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795295663000000,1795295663000000,1795295671000000,8000000,NULL,NULL,NULL,NULL,NULL,0,122);
INSERT INTO "task_instance" VALUES(25,9,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299247000000,1795299247000000,1795299255000000,8000000,NULL,NULL,NULL,NULL,NULL,0,129);
INSERT INTO "task_instance" VALUES(26,9,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299255000000,1795299255000000,1795299263000000,8000000,NULL,NULL,NULL,NULL,NULL,0,133);
INSERT INTO "task_instance" VALUES(27,9,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795299263000000,1795299263000000,1795299271000000,8000000,NULL,NULL,NULL,NULL,NULL,0,137);
INSERT INTO "task_instance" VALUES(28,10,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302847000000,1795302847000000,1795302855000000,8000000,NULL,NULL,NULL,NULL,NULL,0,144);
INSERT INTO "task_instance" VALUES(29,10,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302855000000,1795302855000000,1795302863000000,8000000,NULL,NULL,NULL,NULL,NULL,0,148);
INSERT INTO "task_instance" VALUES(30,10,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795302863000000,1795302863000000,1795302871000000,8000000,NULL,NULL,NULL,NULL,NULL,0,152);
INSERT INTO "task_instance" VALUES(31,11,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306447000000,1795306447000000,1795306455000000,8000000,NULL,NULL,NULL,NULL,NULL,0,159);
INSERT INTO "task_instance" VALUES(32,11,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306455000000,1795306455000000,1795306463000000,8000000,NULL,NULL,NULL,NULL,NULL,0,163);
INSERT INTO "task_instance" VALUES(33,11,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795306463000000,1795306463000000,1795306471000000,8000000,NULL,NULL,NULL,NULL,NULL,0,167);
INSERT INTO "task_instance" VALUES(34,12,'stock','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310047000000,1795310047000000,1795310055000000,8000000,NULL,NULL,NULL,NULL,NULL,0,174);
INSERT INTO "task_instance" VALUES(35,12,'stock','clean',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310055000000,1795310055000000,1795310063000000,8000000,NULL,NULL,NULL,NULL,NULL,0,178);
INSERT INTO "task_instance" VALUES(36,12,'stock','load',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795310063000000,1795310063000000,1795310071000000,8000000,NULL,NULL,NULL,NULL,NULL,0,182);
INSERT INTO "task_instance" VALUES(37,13,'sales','fetch',-1,'success','exit',1,0,0,0,0,NULL,NULL,NULL,NULL,1795313047000000,1795313047000000,1795313055000000,8000000,NULL,NULL,NULL,NULL,NULL,0,189);
INSERT INTO "task_instance" VALUES(38,13,'sales','clean',-1,'failed','exception',1,0,0,0,0,NULL,NULL,NULL,NULL,1795313055000000,1795313055000000,1795313063000000,NULL,NULL,'no such table',NULL,NULL,NULL,0,193);
INSERT INTO "task_instance" VALUES(39,13,'sales','load',-1,'upstream_failed','upstream',0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1795313063000000,NULL,NULL,NULL,NULL,NULL,NULL,0,194);
INSERT INTO "task_instance" VALUES(40,14,'stock','fetch',-1,'running','claimed',1,0,0,0,0,'01M80FYN2R0000000000000017',NULL,NULL,NULL,1795313063000000,1795313063000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,200);
INSERT INTO "task_instance" VALUES(41,14,'stock','clean',-1,'none',NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,196);
INSERT INTO "task_instance" VALUES(42,14,'stock','load',-1,'none',NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,196);
CREATE TABLE task_result (
    task_instance INTEGER NOT NULL REFERENCES task_instance (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    attempt TEXT NOT NULL,
    value TEXT,                      -- JSON; empty when the attempt's directory holds it as a file
    in_file INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (task_instance, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "task_result" VALUES(1,'01M7ZVX9MR0000000000000001',NULL,1,7,1795313063050000);
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
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX recovery_report_open ON recovery_report (created_at) WHERE acknowledged_at IS NULL;
CREATE INDEX import_error_file ON import_error (file);
CREATE UNIQUE INDEX run_slot ON run (dag_id, logical_date) WHERE run_type IN ('scheduled', 'backfill');
CREATE INDEX run_of_dag ON run (dag_id, logical_date, id);
CREATE INDEX run_ended ON run (dag_id, state, ended_at, started_at, run_type, episode, backfill);
CREATE INDEX run_of_backfill ON run (backfill, state) WHERE backfill IS NOT NULL;
CREATE INDEX run_state ON run (state);
CREATE INDEX backfill_of_dag ON backfill (dag_id, id);
CREATE INDEX backfill_open ON backfill (state) WHERE state IN ('running', 'paused', 'stopping');
CREATE INDEX backfill_item_state ON backfill_item (backfill, state);
CREATE INDEX task_instance_state ON task_instance (run, state);
CREATE INDEX task_instance_summary ON task_instance (run, state) WHERE reason = 'expanded';
CREATE INDEX task_instance_duration ON task_instance (dag_id, task_id, ended_at, duration, run)
    WHERE duration IS NOT NULL;
CREATE INDEX attempt_unfinished ON attempt (task_instance) WHERE state <> 'ended';
CREATE INDEX callback_open ON callback (created_at) WHERE state <> 'ended';
CREATE INDEX callback_of_run ON callback (run);
CREATE INDEX event_by_command ON event (run, seq) WHERE command IS NOT NULL;
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
CREATE INDEX recovery_open ON recovery (id) WHERE state = 'running';
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
COMMIT;
PRAGMA application_id = 1684497507;
PRAGMA user_version = 1000;
