"""Circuit breakers in the engine: fed by how attempts and runs end, asked by the gates, kept in the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.authoring.breakers import FOLDER, REPORTS
from engine.lifecycle.events import BreakerRefused
from engine.lifecycle.memory import RunMemory
from engine.model.breaker import COUNTED, OF_DAG, Breaker, BreakerSpec
from engine.model.moments import SECOND, Micros
from engine.model.rows import TaskInstance, Transition
from engine.model.states import ALIVE_TASK, Outcome, RunState, RunType, TaskState
from engine.scheduler import planner
from engine.scheduler.creating import create_run, current_params
from engine.scheduler.intake import Dropped, Work
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler
    from engine.scheduler.state import DagEntry

_AUTOMATED = (RunType.SCHEDULED, RunType.ASSET_TRIGGERED)
_STATES = {"running", "killing"}
_MOST = 1_000_000_000
"""More failures, or seconds, than anybody means."""


class Breakers:
    """All breakers of a home. Those that were never needed do not exist."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.by_name: dict[str, Breaker] = {}
        self._doomed: list[tuple[RunMemory, TaskInstance]] = []

    def load(self, rows: list[Breaker]) -> None:
        """Takes what the store has."""
        self.by_name = {row.name: row for row in rows}
        self._doomed.clear()
        self._share()

    def resume(self, turn: Turn) -> None:
        """After loading: cooldowns go on, and a probe that nobody knows any more is none."""
        for found in self.by_name.values():
            if found.probe is not None and not self._is_under_way(found):
                found.probe = None
            self._follow(turn, found)

    def _is_under_way(self, found: Breaker) -> bool:
        state = self._scheduler.state
        return found.probe in state.attempts or found.probe in state.names

    # --- what happened --------------------------------------------------------------------------------------------

    def moved(self, turn: Turn, memory: RunMemory, instance: TaskInstance, moved: Transition) -> None:
        """A task instance that uses a breaker moved."""
        spec = memory.plan.tasks[instance.task_id].breaker
        if spec is None:
            return
        if moved.to_state == TaskState.SCHEDULED and spec.on_open != "wait":
            self._doomed.append((memory, instance))
        if moved.from_state not in _STATES or moved.to_state in ALIVE_TASK or moved.attempt is None:
            return
        attempt = turn.changes.attempts.get(moved.attempt)
        found = self._of(spec.name)
        if attempt is None:
            return
        before = (found.state, found.failures)
        if attempt.outcome is Outcome.SUCCESS:
            found.succeeded(attempt.id)
        elif attempt.outcome in (Outcome.FAILED, Outcome.TIMEOUT, Outcome.LOST) and attempt.failure_class in COUNTED:
            found.failed(spec, turn.now, attempt.error, memory.run.dag_id)
        else:
            found.said_nothing(attempt.id)
        if (found.state, found.failures) != before or found.state == "half_open":
            self.put(turn, found, f"{instance.task_id} of {memory.run.run_id}")

    def granted(self, turn: Turn, memory: RunMemory, instance: TaskInstance, attempt_id: str) -> None:
        """An instance was let through: while its breaker is half open it is the probe."""
        spec = memory.plan.tasks[instance.task_id].breaker
        found = self.by_name.get(spec.name) if spec is not None else None
        if found is not None and found.state == "half_open" and found.probe is None:
            found.probe = attempt_id
            self.put(turn, found, f"probe {instance.task_id} of {memory.run.run_id}")

    def run_ended(self, turn: Turn, memory: RunMemory, entry: DagEntry) -> None:
        """A run is over: a DAG may have had enough of its failures."""
        run, spec = memory.run, entry.version.spec
        found = self.by_name.get(OF_DAG + run.dag_id)
        probing = found is not None and found.probe == run.run_id
        if spec.max_failed_runs is None or not (probing or run.run_type in _AUTOMATED):
            return
        found = self._of(OF_DAG + run.dag_id)
        before = (found.state, found.failures)
        longest = max(spec.breaker_cooldown or 0.0, 86_400.0)
        policy = BreakerSpec(found.name, spec.max_failed_runs, spec.breaker_cooldown or 0.0, longest)
        if run.state is RunState.SUCCESS:
            found.succeeded(run.run_id)
        elif run.state is RunState.FAILED:
            found.failed(policy, turn.now, run.run_id, None)
        else:
            found.said_nothing(run.run_id)
        if found.state == "open" and spec.breaker_cooldown is None:
            found.until = None
        if (found.state, found.failures) == before and not probing:
            return
        self.put(turn, found, run.run_id)
        if found.state == "open":
            self._pause(turn, entry, found)
        elif found.state == "closed" and before[0] != "closed":
            self._unpause(turn, entry)

    def _pause(self, turn: Turn, entry: DagEntry, found: Breaker) -> None:
        entry.paused_at, entry.paused_by = turn.now, "its breaker"
        entry.pause_reason = f"{found.failures} failed runs in a row, the last {found.last_error}"
        self._scheduler.ledger.dag_paused.add(entry.dag_id)
        planner.put_schedule(turn, entry)
        turn.note(
            "dag", dag_id=entry.dag_id, before="active", after="paused", reason="breaker", detail=entry.pause_reason
        )

    def _unpause(self, turn: Turn, entry: DagEntry) -> None:
        entry.paused_at = entry.paused_by = entry.pause_reason = None
        entry.enabled_at = turn.now
        self._scheduler.ledger.dag_paused.discard(entry.dag_id)
        planner.put_schedule(turn, entry)
        turn.note("dag", dag_id=entry.dag_id, before="paused", after="active", reason="breaker")
        planner.plan_runs(self._scheduler, turn, entry)
        self._scheduler.starting.start_runs(turn, entry)

    # --- time and people ------------------------------------------------------------------------------------------

    def due(self, turn: Turn, timer: Timer) -> None:
        """A cooldown may be over."""
        found = self.by_name.get(timer.tag)
        if found is None or not found.cooled(turn.now):
            return
        if found.name.startswith(OF_DAG):
            self._probe_dag(turn, found)
        self.put(turn, found, "cooldown is over")

    def _probe_dag(self, turn: Turn, found: Breaker) -> None:
        """One run of the last interval, although the DAG is paused."""
        scheduler, entry = self._scheduler, self._scheduler.state.dags.get(found.name.removeprefix(OF_DAG))
        if entry is None or entry.paused_at is None or entry.state == "inactive":
            return
        slot, inferred = planner.manual_slot(entry, None, turn.now)
        run_id = planner.manual_id(scheduler, entry, slot)
        params = current_params(scheduler, entry)
        found.probe = run_id
        scheduler.ledger.probe_runs.add(run_id)
        create_run(
            scheduler, turn, entry, RunType.MANUAL, slot, run_id, params, created_by="its breaker", note="probe",
            inferred=inferred,
        )  # fmt: skip
        scheduler.starting.start_runs(turn, entry)

    def trip(self, turn: Turn, name: str, by: str, note: str | None, cooldown: Micros | None) -> None:
        """Opens a breaker by hand; without a cooldown it stays open until it is reset."""
        found = self._of(name)
        found.trip(turn.now, by, note, cooldown)
        self.put(turn, found, f"tripped by {by}")

    def probe_now(self, turn: Turn, name: str, by: str) -> None:
        """Lets a probe through before the cooldown is over."""
        found = self._of(name)
        found.probe_now()
        self.put(turn, found, f"a probe was asked for by {by}")

    def reset(self, turn: Turn, name: str, by: str) -> None:
        """Closes a breaker by hand."""
        found = self._of(name)
        found.reset()
        self.put(turn, found, f"reset by {by}")

    def put_back(self, turn: Turn, before: Breaker, by: str) -> None:
        """Lets a breaker stand as it stood before somebody changed it by hand."""
        found = self._of(before.name)
        for name in Breaker.__slots__:
            setattr(found, name, getattr(before, name))
        if found.probe is not None and not self._is_under_way(found):
            found.probe = None
        self.put(turn, found, f"taken back by {by}")

    def resumed(self, turn: Turn, dag_id: str) -> None:
        """Somebody resumed a DAG that its breaker had paused: it starts counting anew."""
        if (found := self.by_name.get(OF_DAG + dag_id)) is not None and found.state != "closed":
            found.reset()
            self.put(turn, found, "its DAG was resumed")

    def reported(self, turn: Turn, word: dict[str, Any]) -> None:
        """What a task's own code says of a part that a breaker stands around."""
        found = self._of(str(word["name"]))
        spec = BreakerSpec(found.name, int(word["failures"]), float(word["cooldown"]), float(word["max_cooldown"]))
        if word["error"] is None:
            found.succeeded()
        elif word["error"]:
            found.failed(spec, turn.now, str(word["error"]), word.get("dag_id"))
        elif found.state == "half_open":
            found.opened_at = turn.now  # another opening, for another probe
        self.put(turn, found, "a task's own code")

    # --- keeping --------------------------------------------------------------------------------------------------

    def refuse(self, turn: Turn) -> None:
        """Fails or skips what does not wait for an open breaker."""
        doomed, self._doomed = self._doomed, []
        for memory, instance in doomed:
            spec = memory.plan.tasks[instance.task_id].breaker
            found = self.by_name.get(spec.name) if spec is not None else None
            if spec is None or instance.state is not TaskState.SCHEDULED:
                continue
            if found is not None and found.state == "open":
                self._scheduler.apply(turn, memory, BreakerRefused(instance.id, spec.name, spec.on_open == "skip"))

    def put(self, turn: Turn, found: Breaker, why: str) -> None:
        """Keeps a breaker that changed, and sees to what follows."""
        turn.batch.add(
            "breaker.put",
            name=found.name,
            state=found.state,
            failures=found.failures,
            cooldown=found.cooldown,
            until=found.until,
            opened_at=found.opened_at,
            last_failure_at=found.last_failure_at,
            last_error=found.last_error,
            probe=found.probe,
            by=found.by,
            note=found.note,
            victims=json.dumps(found.victims),
        )
        turn.note("breaker", after=found.state, reason=found.name, detail=why)
        self._follow(turn, found)

    def _follow(self, turn: Turn, found: Breaker) -> None:
        if found.until is not None:
            self._scheduler.timers.add(Timer(found.until, "breaker", 0, found.name))
        if found.state == "open":
            waiting = self._scheduler.admission.waiting()
            self._doomed += [each for each in waiting if _uses(each, found.name)]
        else:
            self._scheduler.admission.release(("breaker", found.name, ""))
        self._share()
        turn.committed.append(lambda _seq: self._write(found))

    def _share(self) -> None:
        """The gates see the same objects."""
        self._scheduler.ledger.breakers.clear()
        self._scheduler.ledger.breakers.update(self.by_name)

    def _of(self, name: str) -> Breaker:
        found = self.by_name.get(name)
        if found is None:
            found = self.by_name[name] = Breaker(name)
        return found

    def _write(self, found: Breaker) -> None:
        """For the code of tasks: how a breaker stands, after the commit that says so."""
        if found.name.startswith(OF_DAG):
            return
        folder = self.folder
        folder.mkdir(mode=0o700, exist_ok=True)
        word = {
            "state": found.state,
            "until": None if found.until is None else found.until / SECOND,
            "opened_at": found.opened_at,
            "failures": found.failures,
        }
        spare = folder / f".{found.name}"
        spare.write_text(json.dumps(word), encoding="utf-8")
        spare.rename(folder / f"{found.name}.json")

    @property
    def folder(self) -> Path:
        """Where tasks look."""
        return self._scheduler.places.home.root / FOLDER


class Inbox:
    """Words that the code of tasks leaves about breakers: read in order, and taken away once they are committed."""

    def __init__(self, folder: Path, post: Callable[[Work, Dropped], None], breakers: Breakers) -> None:
        self._reports = folder / REPORTS
        self._post = post
        self._breakers = breakers
        self._seen = 0
        self._under_way: set[str] = set()

    def look(self) -> None:
        """Takes in what is new. Cheap when nothing is."""
        try:
            changed = self._reports.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._seen and not self._under_way:
            return
        self._seen = changed
        names = sorted(path.name for path in self._reports.iterdir() if not path.name.startswith("."))
        for name in names:
            if name not in self._under_way:
                self._under_way.add(name)
                self._take(self._reports / name)

    def _take(self, path: Path) -> None:
        try:
            word = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            word = None

        def work(turn: Turn) -> None:
            if _is_word(word):
                self._breakers.reported(turn, word)
            turn.committed.append(lambda _seq: self._done(path))
            turn.failed.append(again)

        again = partial(self._again, path.name)
        self._post(work, again)

    def _done(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._under_way.discard(path.name)

    def _again(self, name: str, _error: Exception) -> None:
        """It has not become true: it is read again once there are turns."""
        self._under_way.discard(name)
        self._seen = 0


def _is_word(word: Any) -> bool:
    """Whether it is what `dagdeck.Breaker` leaves: a task may leave anything there."""
    if not isinstance(word, dict) or word.get("v") != 1 or not isinstance(word.get("name"), str) or "error" not in word:
        return False
    figures = [word.get(name) for name in ("failures", "cooldown", "max_cooldown")]
    return all(isinstance(figure, int | float) and 0 <= figure < _MOST for figure in figures)


def _uses(each: tuple[RunMemory, TaskInstance], name: str) -> bool:
    spec = each[0].plan.tasks[each[1].task_id].breaker
    return spec is not None and spec.name == name and spec.on_open != "wait"
