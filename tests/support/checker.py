"""An independent judge of what an engine did: its own SQL, its own table of moves, its own reading of the files.

It knows what each task does by itself, what the test killed, and what the client was told. It returns sentences.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.engine import Site

_ENDED = "success failed skipped upstream_failed cancelled removed"
_MARKS = "success failed skipped"
_MOVES = {
    None: "none",
    "none": f"scheduled skipped upstream_failed removed cancelled {_MARKS}",
    "scheduled": f"queued none removed cancelled {_MARKS}",
    "queued": "running scheduled failed killing",
    "running": "success skipped failed up_for_retry killing",
    "killing": f"none up_for_retry cancelled {_MARKS}",
    "up_for_retry": f"scheduled none removed cancelled {_MARKS}",
    **dict.fromkeys(_ENDED.split(), f"none removed {_MARKS}"),
}
_RUN_MOVES = {
    None: "queued",
    "queued": "running cancelled",
    "running": "success failed cancelling paused",
    "paused": "running success failed cancelling",
    "cancelling": "cancelled",
    "success": "running failed",
    "failed": "running success",
    "cancelled": "running",
}
_ALIVE = ("queued", "running", "killing")
LOST_BUDGET = 2


@dataclass(frozen=True)
class Behaviour:
    """What a task does when nobody disturbs it."""

    retries: int = 0
    failing: int = 0
    """So many first attempts fail, counted from the instance's first one."""
    skips: bool = False
    pool: str = "default"
    journals: bool = True

    def outcome(self, number: int) -> str:
        """How attempt `number` ends."""
        if number <= self.failing:
            return "failed"
        return "skipped" if self.skips else "success"


@dataclass(frozen=True)
class Ack:
    """What a client was told of one command."""

    command_id: str
    verb: str
    outcome: str
    seq: int = 0
    run_id: str = ""
    tasks: tuple[str, ...] = ()


@dataclass
class Evidence:
    """Everything that is known from outside."""

    behaviours: dict[tuple[str, str], Behaviour]
    acks: list[Ack] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    """Attempts of which a process was killed."""
    forgiven: int = 0
    """So many more attempts may have been cut off without anybody having noted which."""
    slots: int = 16
    pools: dict[str, int] = field(default_factory=dict)


@dataclass
class _Attempt:
    id: str
    task: tuple[str, str]
    run_id: str
    number: int
    state: str
    outcome: str | None
    reason: str | None
    instance: int


class Checker:
    """Looks at a home whose runs are over, engine stopped or not."""

    def __init__(self, site: Site, evidence: Evidence) -> None:
        self._site = site
        self._evidence = evidence
        self._attempts = {
            row[0]: _Attempt(row[0], (row[1], row[2]), *row[3:])
            for row in site.rows(
                "SELECT a.id, t.dag_id, t.task_id, r.run_id, a.number, a.state, a.outcome, a.reason, t.id "
                "FROM attempt a JOIN task_instance t ON t.id = a.task_instance JOIN run r ON r.id = t.run"
            )
        }
        self._folders = {folder.name: folder for folder in site.home.attempts.glob("*/*")}
        self._journal = (
            [line.split() for line in site.journal.read_text().splitlines()] if site.journal.exists() else []
        )
        self._cut_off: set[str] = set()

    def problems(self) -> list[str]:
        """Everything that must not be."""
        found = [
            *self._bodies(),
            *self._ends(),
            *self._instances(),
            *self._runs(),
            *self._feed(),
            *self._slots(),
            *self._acknowledgements(),
            *self._processes(),
        ]
        if len(self._cut_off) > self._evidence.forgiven:
            found.append(f"cut off although nobody killed them: {sorted(self._cut_off)}")
        return found

    # --- attempts -------------------------------------------------------------------------------------------------

    def _bodies(self) -> Iterator[str]:
        """No body ran twice, none ran at the same time as another try of its task, none without the store's knowing."""
        begun = Counter(attempt for attempt, word, _ in self._journal if word == "begin")
        for attempt, times in begun.items():
            if times > 1:
                yield f"the body of attempt {attempt} ran {times} times"
        callbacks = {row[0] for row in self._site.rows("SELECT id FROM callback")}
        for attempt, word, _ in self._journal:
            if word.startswith("overlap"):
                yield f"attempt {attempt} ran while another one held {word}"
            if attempt not in self._attempts and attempt not in callbacks:
                yield f"a body ran as attempt {attempt}, which the store does not know"
        for row in self._site.rows("SELECT id, state, outcome FROM callback"):
            if row[1] != "ended":
                yield f"callback {row[0]} is {row[1]}"

    def _ends(self) -> Iterator[str]:
        noted: dict[str, set[str]] = defaultdict(set)
        for attempt_id, word, _ in self._journal:
            noted[attempt_id].add(word)
        for attempt in self._attempts.values():
            if attempt.state != "ended":
                yield f"attempt {attempt.id} of {attempt.task} is {attempt.state}"
            behaviour = self._evidence.behaviours[attempt.task]
            words = noted[attempt.id] if behaviour.journals else None
            status = self._status(attempt.id)
            yield from (f"attempt {attempt.id} of {attempt.task}: {text}" for text in self._end(attempt, status, words))

    def _end(self, attempt: _Attempt, status: dict[str, Any] | None, words: set[str] | None) -> Iterator[str]:
        natural = self._evidence.behaviours[attempt.task].outcome(attempt.number)
        match attempt.outcome:
            case "success" | "skipped":
                if status is None or status["code"] != 0:
                    yield f"{attempt.outcome} with status {status}"
                if words is not None and attempt.outcome == "success" and words < {"begin", "end"}:
                    yield f"success although its body noted only {words}"
                if natural != attempt.outcome:
                    yield f"{attempt.outcome}, but it does {natural}"
            case "failed":
                if status is None or status["code"] == 0:
                    yield f"failed with status {status}"
                elif natural != "failed" and status["code"] == 137:
                    self._must_have_been_killed(attempt)
                elif natural != "failed":
                    yield f"failed with {status}, but it does {natural}"
            case "lost":
                self._must_have_been_killed(attempt)
            case "unspent":
                if words and "begin" in words:
                    yield "said to have never started, but its body ran"
            case "killed":
                if not self._was_asked_for(attempt):
                    yield f"killed for {attempt.reason}, which nobody asked for"
            case _:
                yield f"ended as {attempt.outcome}"

    def _must_have_been_killed(self, attempt: _Attempt) -> None:
        if attempt.id not in self._evidence.killed:
            self._cut_off.add(f"{attempt.id} of {attempt.task} ({attempt.outcome})")

    def _was_asked_for(self, attempt: _Attempt) -> bool:
        verbs = {
            "cleared": ("clear", "rerun"),
            "manual": ("mark",),
            "kill_requested": ("kill",),
            "cancel": ("cancel",),
            "engine_stop": ("stop",),
        }.get(attempt.reason or "", ())
        return any(
            ack.verb in verbs
            and ack.outcome == "done"
            and (ack.verb == "stop" or ack.run_id == attempt.run_id)
            and (not ack.tasks or attempt.task[1] in ack.tasks)
            for ack in self._evidence.acks
        )

    def _status(self, attempt_id: str) -> dict[str, Any] | None:
        """The status on disk, None where no whole one stands."""
        path = self._folders.get(attempt_id, Path("nowhere")) / "status"
        text = path.read_text() if path.exists() else ""
        if not text.endswith("\n"):
            return None
        return {"code": int(text.split()[1])} if text.startswith("v1 ") else dict(json.loads(text))

    # --- instances and runs ---------------------------------------------------------------------------------------

    def _instances(self) -> Iterator[str]:
        histories: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in self._site.rows(
            "SELECT task_instance, from_state, to_state, reason, attempt FROM event WHERE kind = 'task' ORDER BY seq"
        ):
            histories[row[0]].append(row[1:])
        upstream = self._upstream()
        states = {
            (run, task): state for run, task, state in self._site.rows("SELECT run, task_id, state FROM task_instance")
        }
        for key, run, dag_id, task_id, state, reason, count in self._site.rows(
            "SELECT id, run, dag_id, task_id, state, reason, attempt FROM task_instance"
        ):
            name = f"{task_id} of {dag_id} (run {run})"
            epoch = self._epoch(histories[key])
            above = [states[run, other] for other in upstream[dag_id][task_id]]
            why = self._wrong_state(self._evidence.behaviours[dag_id, task_id], state, reason, epoch, above)
            if why:
                yield f"{name} is {state} ({reason}): {why}; epoch {[(a.number, a.outcome) for a in epoch]}"
            numbers = sorted(a.number for a in self._attempts.values() if a.instance == key)
            if numbers != list(range(1, count + 1)):
                yield f"{name} counts {count} attempts, the store has {numbers}"

    def _epoch(self, history: Iterable[tuple[Any, ...]]) -> list[_Attempt]:
        """The attempts since the instance was last cleared, in order."""
        epoch: dict[str, _Attempt] = {}
        for _, to_state, reason, attempt_id in history:
            if to_state == "none" and reason == "cleared":
                epoch.clear()
            elif attempt_id is not None and to_state != "none":
                epoch[attempt_id] = self._attempts[attempt_id]
        return list(epoch.values())

    def _wrong_state(
        self, behaviour: Behaviour, state: str, reason: str | None, epoch: list[_Attempt], above: list[str]
    ) -> str:
        """Why an instance must not be in its final state, or nothing."""
        last = epoch[-1].outcome if epoch else None
        if reason == "manual":
            return "" if any(ack.verb == "mark" and ack.outcome == "done" for ack in self._evidence.acks) else "no mark"
        failed = sum(attempt.outcome == "failed" for attempt in epoch)
        lost = sum(attempt.outcome == "lost" for attempt in epoch)
        blocked = any(other in ("failed", "upstream_failed", "cancelled") for other in above)
        rules = {
            "success": last == "success",
            "skipped": last == "skipped" or (not epoch and "skipped" in above),
            "upstream_failed": blocked,
            "cancelled": any(ack.verb == "cancel" and ack.outcome == "done" for ack in self._evidence.acks),
            "failed": (last == "failed" and failed > behaviour.retries)
            or (last == "lost" and (behaviour.retries == 0 or lost > LOST_BUDGET))
            or (last in ("killed", "unspent") and epoch[-1].reason == "kill_requested"),
        }
        if state not in rules:
            return "no final state"
        return "" if rules[state] else f"not what its attempts and upstreams ({above}) say"

    def _upstream(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for dag_id, text in self._site.rows("SELECT dag_id, spec FROM dag_version ORDER BY id"):
            found[dag_id] = {task["task_id"]: task["upstream"] for task in json.loads(text)["tasks"]}
        return found

    def _runs(self) -> Iterator[str]:
        cancelled = {ack.run_id for ack in self._evidence.acks if ack.verb == "cancel" and ack.outcome == "done"}
        for key, run_id, state in self._site.rows("SELECT id, run_id, state FROM run"):
            states = {row[0] for row in self._site.rows("SELECT state FROM task_instance WHERE run = ?", key)}
            wanted = "failed" if states & {"failed", "upstream_failed"} else "success"
            if state == "cancelled":
                if run_id not in cancelled:
                    yield f"run {run_id} is cancelled, which nobody asked for"
            elif state != wanted and not (state == "failed" and "cancelled" in states):
                yield f"run {run_id} is {state}, its tasks are {sorted(states)}"

    # --- the feed -------------------------------------------------------------------------------------------------

    def _feed(self) -> Iterator[str]:
        seqs = [row[0] for row in self._site.rows("SELECT seq FROM event ORDER BY seq")]
        if seqs != list(range(1, len(seqs) + 1)):
            yield "the feed has gaps"
        for kind, table, moves in (("task", "task_instance", _MOVES), ("run", "run", _RUN_MOVES)):
            now: dict[int, str | None] = {}
            for seq, key, before, after in self._site.rows(
                f"SELECT seq, {table}, from_state, to_state FROM event WHERE kind = ? ORDER BY seq", kind
            ):
                was = now.get(key, "none" if kind == "task" else None)
                if before is not None and before != was:
                    yield f"event {seq}: {kind} {key} moves from {before}, but was {was}"
                if before != after and after not in moves[before].split():
                    yield f"event {seq}: {kind} {key} moves from {before} to {after}"
                now[key] = after
            for key, state in self._site.rows(f"SELECT id, state FROM {table}"):
                if now.get(key, "none") != state:
                    yield f"{kind} {key} is {state}, its last event says {now.get(key)}"

    def _slots(self) -> Iterator[str]:
        """Never more slots taken than there are, over the whole history."""
        tasks = {
            key: (dag, task) for key, dag, task in self._site.rows("SELECT id, dag_id, task_id FROM task_instance")
        }
        used: Counter[str] = Counter()
        most = {"": self._evidence.slots, **self._evidence.pools}
        for seq, key, before, after in self._site.rows(
            "SELECT seq, task_instance, from_state, to_state FROM event WHERE kind = 'task' ORDER BY seq"
        ):
            change = (after in _ALIVE) - (before in _ALIVE)
            for pool in ("", self._evidence.behaviours[tasks[key]].pool) if change else ():
                used[pool] += change
                if used[pool] > most.get(pool, used[pool]):
                    yield f"event {seq}: {used[pool]} of {most[pool]} slots of {pool or 'the engine'} are taken"
        if any(used.values()):
            yield f"slots are still taken: {dict(used)}"

    # --- the client's log -----------------------------------------------------------------------------------------

    def _acknowledgements(self) -> Iterator[str]:
        rows = {
            row[0]: row[1:] for row in self._site.rows("SELECT id, verb, outcome, applied_seq, result FROM command")
        }
        told = {ack.command_id: ack for ack in self._evidence.acks}
        for unknown in rows.keys() - told.keys():
            yield f"command {unknown} is in the audit, but nobody sent it or was told of it"
        for ack in told.values():
            verb, outcome, applied, result = rows.get(ack.command_id, ("", "", 0, "{}"))
            if (verb, outcome) != (ack.verb, ack.outcome):
                yield f"command {ack.command_id} was told {ack.verb} {ack.outcome}; the audit says {verb} {outcome}"
            elif ack.outcome == "done" and applied > ack.seq:
                yield f"command {ack.command_id} was acknowledged at {ack.seq}, before its effect at {applied}"
            elif ack.outcome == "done" and not self._has_effect(ack, json.loads(result)):
                yield f"command {ack.command_id} ({ack.verb} {ack.run_id} {ack.tasks}) left nothing behind"

    def _has_effect(self, ack: Ack, result: dict[str, Any]) -> bool:
        if ack.verb == "trigger":
            same = result.get("run_id") == ack.run_id
            return same and bool(self._site.rows("SELECT 1 FROM run WHERE run_id = ?", ack.run_id))
        query = "SELECT 1 FROM event WHERE command = ? AND kind <> 'command' LIMIT 1"
        if ack.verb == "stop" or self._site.rows(query, ack.command_id):
            return True
        return ack.verb == "clear" and all(self._was_clear(ack, task) for task in ack.tasks)

    def _was_clear(self, ack: Ack, task_id: str) -> bool:
        """Whether there was nothing to clear of a task: it had not begun, or was being killed to be cleared."""
        found = self._site.rows(
            "SELECT e.to_state, e.command FROM event e JOIN task_instance t ON t.id = e.task_instance "
            "JOIN run r ON r.id = t.run JOIN command c ON c.id = ? "
            "WHERE e.kind = 'task' AND r.run_id = ? AND t.task_id = ? AND e.seq <= c.applied_seq "
            "ORDER BY e.seq DESC LIMIT 1",
            ack.command_id,
            ack.run_id,
            task_id,
        )
        state, command = found[0] if found else ("none", None)
        return state in ("none", "scheduled") or (state == "killing" and command not in (None, ack.command_id))

    # --- processes ------------------------------------------------------------------------------------------------

    def _processes(self) -> Iterator[str]:
        for pid, text in self._site.processes().items():
            if any(attempt in text for attempt in self._attempts):
                yield f"process {pid} of an attempt that has ended is alive: {text[:200]}"
