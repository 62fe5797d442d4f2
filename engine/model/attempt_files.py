"""The attempt directory's files, as data: `spec` (what to run) and `status` (how it ended). Both carry `v: 1`.

The directory is the contract between the engine, the runner, the hosts and the task: recovery reads nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from engine.model.values import Json

SPEC, CLAIM, LOG, RESULT, STATUS = "spec", "claim", "log", "result.json", "status"
GAP = "log.gap"
"""Beside a log whose middle was given back to the disk: which bytes are gone. They read as NUL; offsets stay."""
_DECODER = json.JSONDecoder()
INLINE_RESULT_BYTES = 64 * 1024
MAX_FAILED_KEYS_BYTES = 256 * 1024
MAX_RESULT_BYTES = 64 * 1024 * 1024
_LARGEST = 2**62  # what the store can hold, with room for sums


@dataclass(slots=True)
class Context:
    """What a task is told of its place in time. Moments are ISO 8601 UTC with `Z`."""

    logical_date: str
    data_interval_start: str
    data_interval_end: str
    run_after: str
    timezone: str
    run_type: str
    params: dict[str, Json] = field(default_factory=dict)
    config: dict[str, Json] = field(default_factory=dict)
    """What `[config]` of the home and of the run's environment say."""
    environment: str | None = None
    max_tries: int = 1
    failed_keys: list[Json] | None = None
    """What the last partial attempt of the epoch left undone; None where the attempt has everything to do."""


@dataclass(slots=True)
class InputRef:
    """The result of an upstream task: inline, or as the path of its result file, or one by one for a mapped task."""

    value: Json = None
    path: str | None = None
    items: list[InputRef] | None = None
    """Of a mapped task: the result of each index, in order; nothing for one that has none."""

    def _plain(self) -> dict[str, Json]:
        if self.items is not None:
            return {"items": [item._plain() for item in self.items]}
        return {"value": self.value} if self.path is None else {"path": self.path}

    @classmethod
    def _of(cls, raw: dict[str, Json]) -> InputRef:
        items = raw.get("items")
        parts = None if items is None else [cls._of(item) for item in items]
        return cls(raw.get("value"), raw.get("path"), parts)


@dataclass(slots=True)
class AttemptSpec:
    """What to run; no secrets. Written by the engine before the start."""

    attempt_id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    number: int
    kind: Literal["python", "shell", "callback"]
    context: Context
    bundle: str | None = None
    """Directory of the DAG version's bundle (`versions/<hash>`), for Python tasks."""
    file: str | None = None
    """The DAG file, relative to the bundle."""
    callback: str | None = None
    """For kind `callback`: `on_success`, `on_failure` or `on_retry`; `task_id` may be empty for the DAG's own."""
    error: str | None = None
    """For callbacks: the one-line error of the attempt they report."""
    argv: list[str] = field(default_factory=list)
    cwd: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    """The whole environment of the task: nothing is inherited."""
    inputs: dict[str, InputRef] = field(default_factory=dict)
    memory_limit: int | None = None
    """Bytes; None: no limit."""
    cgroup: str | None = None
    """Folder of the control group that keeps the limit for all processes of the attempt; None: each keeps its own."""
    v: int = 1

    def dumps(self) -> bytes:
        """The file's bytes."""
        raw = _shallow(self)
        raw["context"] = _shallow(self.context)
        raw["inputs"] = {name: ref._plain() for name, ref in self.inputs.items()}
        return json.dumps(raw, separators=(",", ":")).encode()

    @classmethod
    def loads(cls, data: bytes) -> AttemptSpec:
        """Reads the file's bytes. Raises ValueError when they are not a spec of version 1."""
        raw, _ = _DECODER.raw_decode(data.decode())
        if not isinstance(raw, dict) or raw.get("v") != 1:
            raise ValueError("not an attempt spec of version 1")
        raw["context"] = Context(**raw["context"])
        raw["inputs"] = {name: InputRef._of(ref) for name, ref in raw["inputs"].items()}
        return cls(**raw)


@dataclass(slots=True)
class AttemptStatus:
    """How the process ended. `code` 0 is the only proof of success; death by a signal is `128 + signal`, `signal` set.

    Times are integer microseconds: `started`/`ended` of the wall clock, `duration` of the monotonic one.
    """

    code: int
    by: Literal["child", "host", "runner", "shim", "engine"]
    started: int | None = None
    ended: int | None = None
    duration: int | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    signal: int | None = None
    outcome: Literal["success", "skipped", "failed"] | None = None
    failure_class: str | None = None
    error: str | None = None
    retry_after: float | None = None
    """Seconds, when the task raised `RetryAfter`."""
    reason: str | None = None
    exceptions: list[str] | None = None
    """Names of the classes of the exception that ended the task, most special first: what retry rules are about.

    None where rules have no say, because the task itself said what is to follow.
    """
    http_status: int | None = None
    failed_keys: list[Json] | None = None
    """What a partial attempt left undone."""
    follow: list[str] | None = None
    """Of a decider that leaves some tasks out: the tasks directly below that are to run."""
    v: int = 1

    def dumps(self) -> bytes:
        """The file's bytes: one JSON line, ending in a newline, which proves that it is whole."""
        known = {name: value for name, value in _shallow(self).items() if value is not None}
        return json.dumps(known, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def loads(cls, data: bytes) -> AttemptStatus:
        """Reads the file's bytes, also the shim's `v1 <code>` form. Raises ValueError when they are not whole."""
        if not data.endswith(b"\n"):
            raise ValueError("status is not whole")
        if data.startswith(b"v1 "):
            return cls._from_shim(data)
        raw = json.loads(data)
        if not isinstance(raw, dict) or raw.get("v") != 1:
            raise ValueError("not an attempt status of version 1")
        if not isinstance(raw.get("code"), int) or any(isinstance(n, int) and abs(n) > _LARGEST for n in raw.values()):
            raise ValueError("status holds numbers that no process reports")
        follow = raw.get("follow", [])
        if not isinstance(follow, list) or not all(isinstance(name, str) for name in follow):
            raise ValueError("status names tasks to follow in a form that no decider writes")
        return cls(**raw)

    @classmethod
    def _from_shim(cls, data: bytes) -> AttemptStatus:
        """`v1 <code>` and, on the last line, the shell's `times` of its children: `0m1.20s 0m0.30s`."""
        lines = data.decode("ascii", "replace").split("\n")
        code = int(lines[0].split()[1])
        cpu = None
        if len(lines) >= 3 and lines[2]:
            minutes = (part.rstrip("s").split("m") for part in lines[2].split())
            cpu = sum(int(m) * 60 + float(s) for m, s in minutes)
        return cls(code=code, by="shim", cpu_seconds=cpu, signal=code - 128 if code > 128 else None)


@dataclass(slots=True, frozen=True)
class LogGap:
    """Bytes of a log that are gone: from offset `start` up to `end`."""

    start: int
    end: int

    @property
    def words(self) -> bytes:
        """The line that readers show in its place."""
        lost = self.end - self.start
        return b"\n[%d bytes are left out here: the log is over its limit, head and tail are kept]\n" % lost

    def dumps(self) -> bytes:
        """The file's bytes."""
        return json.dumps({"v": 1, "start": self.start, "end": self.end}).encode() + b"\n"

    @classmethod
    def loads(cls, data: bytes) -> LogGap:
        """Reads the file's bytes. Raises ValueError when they are not a gap."""
        raw = json.loads(data)
        try:
            return cls(int(raw["start"]), int(raw["end"]))
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a gap of a log: {problem}") from None


_NAMES = {kind: [part.name for part in fields(kind)] for kind in (Context, AttemptSpec, AttemptStatus)}


def _shallow(row: Context | AttemptSpec | AttemptStatus) -> dict[str, Any]:
    """A dataclass as a dict; unlike `asdict` it copies no values, which is most of the cost of a spec."""
    return {name: getattr(row, name) for name in _NAMES[type(row)]}
