"""The serialized DAG: what the parse child hands to the engine, and what is kept of every DAG version.

Plain dataclasses of JSON values. `authoring` makes them, `dagfiles` validates and stores them as JSON, the scheduler
works from them; user code never reaches the engine in any other form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.model.breaker import BreakerSpec
from engine.model.states import TriggerRule
from engine.model.values import Json as Json

DEFAULT_POOL = "default"
MOST_SLOTS = 1_000_000
"""The largest pool that has a limit."""
DAY_SECONDS = 86_400.0


@dataclass(slots=True)
class ParamSpec:
    """A declared parameter: its default and the JSON-Schema-like rules a value must keep."""

    default: Json = None
    required: bool = False
    schema: dict[str, Json] = field(default_factory=dict)
    """`type`, `enum`, `minimum`, `maximum`, `pattern`, … as given to `Param`."""
    description: str | None = None


@dataclass(slots=True)
class RetryRule:
    """What follows a failure of one kind. It speaks where all conditions hold that it names; the first rule wins."""

    exceptions: list[str] = field(default_factory=list)
    """Names of exception classes, bare or with their module; subclasses count."""
    exit_codes: list[int] = field(default_factory=list)
    http_status: list[int] = field(default_factory=list)
    match: str | None = None
    """A regular expression, searched in the error's line; for a shell task also in the last lines of its log."""
    then: Literal["retry", "fail", "skip"] = "retry"
    delay: float | None = None
    """For `retry`: seconds, in place of what the policy says."""


@dataclass(slots=True)
class RetryPolicy:
    """How often and how late a failed task is tried again. Durations in seconds."""

    retries: int = 0
    delay: float = 300.0
    delays: list[float] = field(default_factory=list)
    """Delays of the first retries one by one, in place of `delay`; the last one repeats."""
    exponential: bool = False
    multiplier: float = 2.0
    jitter: float = 0.0
    max_delay: float = DAY_SECONDS
    rules: list[RetryRule] = field(default_factory=list)
    on_lost: Literal["retry", "fail"] = "retry"
    """What follows an attempt that left no evidence: it may have done its work, or a part of it."""


@dataclass(slots=True)
class CallbackFlags:
    """Which callbacks a task or DAG defines; they run as short attempts."""

    on_success: bool = False
    on_failure: bool = False
    on_retry: bool = False


@dataclass(slots=True)
class MapSource:
    """One argument (of a shell: one environment variable) that differs from index to index of a mapped task."""

    name: str
    ref: Json = None
    """Where the items come from: a reference to an upstream result or a param. None: a list in the DAG file."""
    length: int = 0
    """How many items the list in the file has."""
    values: list[Json] | None = None
    """The list itself, for shell tasks; a Python task's process finds it in its own code."""


@dataclass(slots=True)
class ApprovalSpec:
    """A question to a person. `timeout` in seconds."""

    message: str = ""
    options: list[str] = field(default_factory=lambda: ["approve", "reject"])
    rejects: list[str] = field(default_factory=list)
    """Options that do not make the task a success."""
    skips: bool = False
    """One of those skips the task instead of failing it."""
    params: dict[str, ParamSpec] = field(default_factory=dict)
    timeout: float | None = None
    default: str | None = None
    """What is taken after the timeout; None: the task then fails."""


@dataclass(slots=True)
class TaskSpec:
    """One task of a DAG version. Durations in seconds."""

    task_id: str
    kind: Literal["python", "shell", "approval"]
    upstream: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    """Upstream tasks whose results are handed to this one (a subset of `upstream`)."""
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    execution_timeout: float | None = None
    grace: float = 10.0
    """Between SIGTERM and SIGKILL."""
    memory_limit: int | None = None
    """Bytes that an attempt may use: all its processes together where the system has a group for it, else each one."""
    pool: str = DEFAULT_POOL
    pool_slots: int = 1
    priority_weight: int = 1
    max_active_tis: int | None = None
    approval: ApprovalSpec | None = None
    """What a person is asked, for kind `approval`."""
    breaker: BreakerSpec | None = None
    connections: list[str] = field(default_factory=list)
    """What its attempts are given the secrets of."""
    role: Literal["task", "setup", "teardown"] = "task"
    """A setup makes ready what the tasks after it need; a teardown cleans up after them, however they ended."""
    setups: list[str] = field(default_factory=list)
    """Of a teardown: the setups that it cleans up after (a subset of `upstream`)."""
    on_failure_fail_run: bool = False
    """Of a teardown: whether the run fails with it."""
    decides: Literal["branch", "short_circuit"] | None = None
    """Whether it chooses, when it ends, which tasks below it run: some of those directly below, or all or none."""
    skips_all_below: bool = False
    """Of a short circuit: whether it skips everything below, not only what is directly below."""
    depends_on_past: bool = False
    """Whether it waits for its own success in the automated run before."""
    allow_failure: bool = False
    """Whether the run may succeed though it fails."""
    isolate: bool = False
    """Start cold, in an interpreter of its own, instead of forking from the warm host."""
    command: list[str] | str | None = None
    """Shell tasks: a script for `sh -c`, or an argument vector."""
    env: dict[str, Json] = field(default_factory=dict)
    """Text, or the references of `authoring` ({"$param": name}, {"$result": task}, {"$format": text})."""
    owner: str | None = None
    doc: str | None = None
    runbook: str | None = None
    sla: float | None = None
    callbacks: CallbackFlags = field(default_factory=CallbackFlags)
    mapped: list[MapSource] = field(default_factory=list)
    """What the task is mapped over; with several sources, every combination, the last one changing fastest."""
    group: str | None = None
    """The task group that it is in; groups inside groups are joined by dots."""
    line: int | None = None
    """Line of the DAG file on which the task was made."""


@dataclass(slots=True)
class ScheduleSpec:
    """When runs are created. Moments are ISO 8601 with an offset, durations seconds."""

    expression: str | None = None
    """Cron, `every …`, `at …`, or several of them with `;`."""
    timezone: str = "UTC"
    kind: Literal["interval", "trigger"] = "interval"
    start_date: str | None = None
    end_date: str | None = None
    catchup: Literal["none", "latest", "all"] = "none"
    on_missed: Literal["all", "latest", "skip"] | None = None
    exclude: list[str] = field(default_factory=list)
    """Dates without points: `2026-12-25`, `2026-12-24..2027-01-01`, `12-25`."""
    day_and: bool = False
    """A date has to fit both day fields of a cron expression."""
    catchup_window: float | None = None
    """With catchup `all`: only slots that were due at most so long before the DAG was enabled."""
    missed_grace: float | None = None
    """With on_missed `skip`: how late a run may be created; None: one interval, at least five minutes."""
    overlap: Literal["queue", "skip", "cancel_previous", "latest_only"] = "queue"
    """What happens to a scheduled run that is due while an earlier one is not over."""


@dataclass(slots=True)
class DagSpec:
    """One DAG version, complete: all that the engine ever knows of user code."""

    dag_id: str
    file: str
    """Path of the DAG file relative to `dags/`."""
    tasks: list[TaskSpec] = field(default_factory=list)
    """In declaration order; `upstream` may name later ones."""
    schedule: ScheduleSpec = field(default_factory=ScheduleSpec)
    params: dict[str, ParamSpec] = field(default_factory=dict)
    extra_params: bool = False
    """A run may be given params that are not declared."""
    tags: list[str] = field(default_factory=list)
    owner: str | None = None
    doc: str | None = None
    runbook: str | None = None
    max_active_runs: int = 16
    max_active_tasks: int | None = None
    """Running task instances of this DAG, over all its runs."""
    max_active_tasks_per_run: int | None = None
    run_timeout: float | None = None
    max_failed_runs: int | None = None
    """Automated runs that may fail in a row before the DAG is paused by its breaker."""
    breaker_cooldown: float | None = None
    """Seconds after which one run tries whether a DAG that its breaker paused works again; None: a person decides."""
    outcome: Literal["any_failed", "leaves"] = "any_failed"
    paused_upon_creation: bool = False
    on_broken: Literal["keep", "hold"] = "keep"
    python: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    callbacks: CallbackFlags = field(default_factory=CallbackFlags)
    line: int | None = None
    v: int = 1


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit of a version-control checkout that a DAG version was loaded from."""

    id: str
    """In full, as hexadecimal digits."""
    author: str
    at: int
    """When it was committed, in microseconds UTC."""
    dirty: bool
    """What was loaded is not what the commit holds: there were changes that nobody had committed."""


@dataclass(slots=True)
class ImportFailure:
    """Why a DAG file (or one DAG in it) could not be loaded."""

    file: str
    message: str
    line: int | None = None
    traceback: str | None = None
    dag_id: str | None = None


@dataclass(slots=True)
class ParsedFile:
    """What the parse child answers for one DAG file."""

    file: str
    dags: list[DagSpec] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    """The DAG file and every module it imported from under `dags/`, relative to it, sorted."""
    errors: list[ImportFailure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    v: int = 1
