"""States, outcomes and reason codes of runs, task instances and attempts."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """State of one task instance. The names are Airflow's, plus `killing` and `cancelled`."""

    NONE = "none"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    DEFERRED = "deferred"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    AWAITING_INPUT = "awaiting_input"
    UP_FOR_RETRY = "up_for_retry"
    KILLING = "killing"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


class RunState(StrEnum):
    """State of one DAG run."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """What is known of one attempt: granted, claimed by its process, or over (then it has an outcome)."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class Outcome(StrEnum):
    """How an attempt ended. `lost` means that there is no evidence of an end; `unspent` that it never started."""

    SUCCESS = "success"
    SKIPPED = "skipped"
    FAILED = "failed"
    TIMEOUT = "timeout"
    KILLED = "killed"
    LOST = "lost"
    UNSPENT = "unspent"


class FailureClass(StrEnum):
    """Why an attempt failed, as far as retrying is concerned."""

    CANCELLED = "cancelled"
    PERMANENT = "permanent"
    TRANSIENT = "transient"
    INFRASTRUCTURE = "infrastructure"
    TIMEOUT = "timeout"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


class RunType(StrEnum):
    """What created a run."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    EXTERNAL = "external"


class TriggerRule(StrEnum):
    """When a task may run, given how its upstream tasks ended. The names are Airflow's, plus `all_ran`."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ALL_SKIPPED = "all_skipped"
    ALL_RAN = "all_ran"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"


TERMINAL_TASK = frozenset(
    {
        TaskState.SUCCESS,
        TaskState.FAILED,
        TaskState.SKIPPED,
        TaskState.UPSTREAM_FAILED,
        TaskState.CANCELLED,
        TaskState.REMOVED,
    }
)
ALIVE_TASK = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.KILLING})
"""States in which a process may exist and a slot is taken."""

DEFERRED_TASK = frozenset({TaskState.DEFERRED, TaskState.UP_FOR_RESCHEDULE, TaskState.UP_FOR_RETRY})
"""States of a task that has begun and waits without a process. It keeps its slots of pools that include such tasks."""

FAILED_TASK = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})
ACTIVE_RUN = frozenset({RunState.RUNNING, RunState.PAUSED, RunState.CANCELLING})
"""States in which a run takes one of its DAG's run slots."""

TERMINAL_RUN = frozenset({RunState.SUCCESS, RunState.FAILED, RunState.CANCELLED})


class Reason(StrEnum):
    """Reason codes: why a row is in its state. Stored beside the state, never shown without it."""

    # task instances
    UPSTREAM = "upstream"
    BRANCH = "branch"
    SHORT_CIRCUIT = "short_circuit"
    FORCED = "forced"
    TRIGGER_RULE = "trigger_rule"
    ADMITTED = "admitted"
    CLAIMED = "claimed"
    EXIT = "exit"
    EXCEPTION = "exception"
    PERMANENT = "permanent"
    SKIP_REQUESTED = "skip_requested"
    TIMEOUT = "timeout"
    LOST = "lost"
    REBOOT = "reboot"
    SPAWN_FAILED = "spawn_failed"
    STUCK_IN_QUEUE = "stuck_in_queue"
    RETRY_DUE = "retry_due"
    RETRY_NOW = "retry_now"
    CLEARED = "cleared"
    RESET = "reset"
    MANUAL = "manual"
    UNDONE = "undone"
    KILL_REQUESTED = "kill_requested"
    KILLED = "killed"
    CANCEL = "cancel"
    RUN_TIMEOUT = "run_timeout"
    DAG_REMOVED = "dag_removed"
    ENGINE_STOP = "engine_stop"
    REMOVED = "removed"
    RESULT_INVALID = "result_invalid"
    BREAKER_OPEN = "breaker_open"
    ASKED = "asked"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    RETRY_RULE = "retry_rule"
    PARTIAL = "partial"
    OUT_OF_MEMORY = "out_of_memory"
    UNKILLABLE = "unkillable"
    TASK_MISSING = "task_missing"
    EXPANDED = "expanded"
    NO_ITEMS = "no_items"
    NOT_MAPPABLE = "not_mappable"
    # runs
    CREATED = "created"
    STARTED = "started"
    TASKS_SUCCEEDED = "tasks_succeeded"
    TASKS_FAILED = "tasks_failed"
    FAILURES_ALLOWED = "failures_allowed"
    NO_TASKS_RAN = "no_tasks_ran"
    DEADLOCK = "deadlock"
    REOPENED = "reopened"


class Blocker(StrEnum):
    """Codes of what a waiting task instance waits for. `pool:` and `breaker:` are followed by a name, `pool_reserved:`
    by the pool, the instance that its free slots are kept for, and until when."""

    UPSTREAM = "upstream"
    RETRY_AT = "retry_at"
    DEPENDS_ON_PAST = "depends_on_past"
    DAG_PAUSED = "dag_paused"
    DAG_BROKEN = "dag_broken"
    RUN_PAUSED = "run_paused"
    RUN_QUEUED = "run_queued"
    RUN_AFTER = "run_after"
    HOLD = "hold"
    DEGRADED = "degraded"
    MAX_ACTIVE_RUNS = "max_active_runs"
    MAX_ACTIVE_TASKS_PER_DAG = "max_active_tasks_per_dag"
    MAX_ACTIVE_TASKS_PER_RUN = "max_active_tasks_per_run"
    MAX_ACTIVE_TIS_PER_TASK = "max_active_tis_per_task"
    POOL = "pool"
    POOL_RESERVED = "pool_reserved"
    ENGINE_SLOTS = "engine_slots"
    BACKFILL_SLOTS = "backfill_slots"
    NOT_DURING = "not_during"
    BREAKER = "breaker"
    MEMORY_GUARD = "memory_guard"
    DISK = "disk"
    DRAINING = "draining"
