"""The life of runs under everything that can happen to them, in any order, with restarts at any point."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.lifecycle import events as e
from engine.lifecycle.changes import Changes
from engine.lifecycle.clearing import rebase, select
from engine.lifecycle.core import apply, rehearse
from engine.lifecycle.gates import Limits, blockers, may_start, may_start_run
from engine.lifecycle.instructions import derive, run_timeout_at
from engine.lifecycle.memory import RunMemory, new_run
from engine.lifecycle.outcome import JUDGED
from engine.lifecycle.past import PastWait
from engine.lifecycle.plan import DagPlan, compile_plan
from engine.lifecycle.validate import problems
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import CallbackFlags, DagSpec, MapSource, RetryPolicy, RetryRule, TaskSpec
from engine.model.moments import SECOND, Micros
from engine.model.rows import TaskInstance
from engine.model.states import (
    ALIVE_TASK,
    FAILED_TASK,
    TERMINAL_RUN,
    TERMINAL_TASK,
    AttemptState,
    Reason,
    RunState,
    TaskState,
    TriggerRule,
)
from tests.support.lifecycle import ERROR, EXIT_3, OK, PERMANENT, SIGTERM, SKIP, T0, GivenItems, Rows, World, queued_run
from tests.support.lifecycle_oracle import Shape

Role: TypeAlias = Literal["task", "setup", "teardown"]
Decides: TypeAlias = Literal["branch", "short_circuit"] | None

ENDS: dict[str, AttemptStatus | None] = {
    "ok": OK,
    "error": ERROR,
    "exit 3": EXIT_3,
    "permanent": PERMANENT,
    "skip": SKIP,
    "signal": SIGTERM,
    "retry after": replace(ERROR, failure_class="transient", retry_after=5.0),
    "partial": replace(ERROR, failure_class="partial", reason="partial", failed_keys=["a", 1]),
    "lost": None,
}
RULES = [RetryRule(exit_codes=[3], delay=5.0), RetryRule(match="x", then="skip"), RetryRule(match="y", then="fail")]
ROLES: list[Role] = ["task", "task", "task", "task", "setup", "teardown", "teardown"]
DECIDES: list[Decides] = [None, None, "branch", "short_circuit"]
SLOTS = 3
POOLS = {"default": 2, "db": 1}
OPERATOR = (e.Clear, e.RetryNow, e.Mark, e.Kill, e.CancelRun, e.PauseRun, e.ResumeRun)

rules_of_tasks = st.one_of(st.just(TriggerRule.ALL_SUCCESS), st.sampled_from(TriggerRule))
seldom = st.sampled_from([False, False, True])
flags = st.booleans().map(lambda on: CallbackFlags(on, on, on))


@st.composite
def dags(draw: st.DrawFn) -> DagSpec:
    """Up to six tasks with any edges, rules, budgets and limits. Names overlap, so one may follow another."""
    tasks: list[TaskSpec] = []
    for number in range(draw(st.integers(1, 6))):
        upstream = draw(st.lists(st.sampled_from(tasks), unique_by=lambda t: t.task_id, max_size=4)) if tasks else []
        role = draw(st.sampled_from(ROLES))
        setups = [above.task_id for above in upstream if above.role == "setup"] if role == "teardown" else []
        decides = draw(st.sampled_from(DECIDES)) if role == "task" else None
        plain = role == "task" and decides is None
        tasks.append(
            TaskSpec(
                f"t{number}",
                "python",
                upstream=[above.task_id for above in upstream],
                trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS if role == "teardown" else draw(rules_of_tasks),
                role=role,
                setups=setups,
                on_failure_fail_run=draw(st.booleans()),
                decides=decides,
                skips_all_below=draw(st.booleans()),
                allow_failure=draw(seldom),
                depends_on_past=draw(seldom),
                retry=RetryPolicy(
                    draw(st.integers(0, 2)),
                    30.0,
                    draw(st.sampled_from([[], [5.0, 20.0]])),
                    exponential=draw(st.booleans()),
                    jitter=0.5,
                    rules=draw(st.sampled_from([[], RULES])),
                ),
                execution_timeout=draw(st.sampled_from([None, 90.0])),
                pool=draw(st.sampled_from(sorted(POOLS))),
                callbacks=draw(flags),
                mapped=[MapSource("item")] * draw(st.sampled_from([0, 0, 1])) if plain else [],
            )
        )
    return DagSpec(
        "etl",
        "etl.py",
        tasks,
        run_timeout=draw(st.sampled_from([None, 600.0])),
        outcome=draw(st.sampled_from(["any_failed", "leaves"])),
        max_active_tasks_per_run=draw(st.sampled_from([None, 2])),
        callbacks=draw(flags),
    )


class TwinWorld(World):
    """A world with a twin memory that never restarts: both must do the same, event for event."""

    def __init__(self, plan: DagPlan, rows: Rows, run_key: int, ids: itertools.count[int]) -> None:
        self.create(plan, rows, run_key, ids)
        own = iter([ti.id for ti in self.memory.by_id.values()])
        self.twin: RunMemory = new_run(plan, queued_run(run_key), own, Changes())
        self.twin.items = GivenItems(iter(self.items.made), self.items.sizes)
        self.over: dict[str, None] = {}
        """Attempts that ended since the last restart."""

    def do(self, event: e.Event, after: Micros = SECOND, changes: Changes | None = None) -> Changes:
        """Applies the event to both, and checks what holds of single steps."""
        if isinstance(event, e.Ended):
            self.over[event.attempt_id] = None
        done = super().do(event, after, changes)
        other = Changes()
        apply(self.twin, event, self.now, other)
        self.compare(done, other, with_rebase=changes is not None)
        for t in done.transitions:
            if t.kind == "task" and t.from_state in TERMINAL_TASK and t.to_state != t.from_state:
                of_mapped = self.memory.by_id[t.task_instance or 0].task_id in self.memory.groups
                assert of_mapped or isinstance(event, OPERATOR), f"{event} moved a terminal instance"
        return done

    def compare(self, done: Changes, other: Changes, with_rebase: bool) -> None:
        """What the restarted memory did equals what the other did, and so does what is left to do."""
        if not with_rebase:
            assert done.transitions == other.transitions
            assert done.callbacks == other.callbacks
        assert self.memory.by_id == self.twin.by_id
        assert self.memory.run == self.twin.run
        assert set(self.memory.scheduled) == set(self.twin.scheduled)
        for ti in self.memory.by_id.values():
            if ti.id in self.memory.nodes:
                assert derive(ti, self.memory) == derive(self.twin.by_id[ti.id], self.twin)
        assert run_timeout_at(self.memory) == run_timeout_at(self.twin)

    def reopen_on(self, plan: DagPlan, tis: tuple[int, ...]) -> None:
        """A clear on another DAG version."""
        ids = list(itertools.islice(self.ids, len(plan.order)))
        rebase(self.twin, plan, Changes(), iter(ids), self.now)
        changes = Changes()
        rebase(self.memory, plan, changes, iter(ids), self.now)
        self.plan = plan
        self.do(e.Clear(tis, command="c"), changes=changes)

    def restart(self) -> None:
        """Only this memory restarts; late messages about older attempts cannot come any more."""
        super().restart()
        self.memory.past = dict(self.twin.past)  # whoever loads a run looks the run before up again
        self.over.clear()


def expected(memory: RunMemory, ti: TaskInstance) -> str:
    """What is to become of an instance, by the plain rules."""
    states = {name: memory.instances[name, -1].state.value for name in memory.plan.order}
    decisions = {name: memory.instances[name, -1].decision for name in memory.plan.order}
    indexes: dict[str, list[str]] = {}
    for other in memory.by_id.values():
        if other.map_index >= 0 and other.state is not TaskState.REMOVED:
            indexes.setdefault(other.task_id, []).append(other.state.value)
    return Shape(memory.plan.spec).expected(ti.task_id, states, decisions, ti.forced, indexes)


def expected_end(memory: RunMemory) -> tuple[RunState, Reason]:
    """How a run that is over by itself ended, by the plain rules."""
    shape = Shape(memory.plan.spec)
    states = {name: memory.instances[name, -1].state for name in memory.plan.order}
    failed = [name for name, state in states.items() if state in FAILED_TASK]
    if any(shape.decides_the_run(name) for name in failed):
        return RunState.FAILED, Reason.TASKS_FAILED
    if failed:
        return RunState.SUCCESS, Reason.FAILURES_ALLOWED
    ran = TaskState.SUCCESS in [ti.state for ti in memory.by_id.values()]
    return RunState.SUCCESS, Reason.TASKS_SUCCEEDED if ran else Reason.NO_TASKS_RAN


class Lives(RuleBasedStateMachine):
    """Runs, their attempts, operators, timers, gates, clocks and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()
        self.ids = itertools.count(1)
        self.keys = itertools.count(1)
        self.names = itertools.count(1)
        self.worlds: list[TwinWorld] = []
        self.closed: set[str] = set()

    # what the world offers

    def limits(self) -> Limits:
        alive = [w.memory.plan.tasks[ti.task_id] for w in self.worlds for ti in self.alive(w)]
        free = {name: size - sum(task.pool == name for task in alive) for name, size in POOLS.items()}
        frozen = {"etl"} if "frozen" in self.closed else set()
        paused = {"etl"} if "paused" in self.closed else set()
        return Limits(
            SLOTS - len(alive), free, dag_frozen=frozen, dag_paused=paused, hold_all="hold" in self.closed,
            degraded="degraded" in self.closed,
        )  # fmt: skip

    @staticmethod
    def alive(world: TwinWorld) -> list[TaskInstance]:
        return [ti for ti in world.memory.by_id.values() if ti.state in ALIVE_TASK]

    def pick(
        self, data: st.DataObject, wanted: Callable[[TwinWorld, TaskInstance], bool]
    ) -> tuple[TwinWorld, int] | None:
        """One instance; those that wait or live come first, so that shrinking and chance prefer them."""
        found = [(w, ti.id) for w in self.worlds for ti in w.memory.by_id.values() if wanted(w, ti)]
        busy = [pair for pair in found if pair[0].memory.by_id[pair[1]].state not in TERMINAL_TASK]
        return data.draw(st.sampled_from([*busy, *busy, *found])) if found else None

    def pick_attempt(
        self, data: st.DataObject, wanted: Callable[[TaskInstance, AttemptState], bool]
    ) -> tuple[TwinWorld, str] | None:
        found = [
            (w, ti.current.id)
            for w in self.worlds
            for ti in self.alive(w)
            if ti.current is not None and wanted(ti, ti.current.state)
        ]
        return data.draw(st.sampled_from(found)) if found else None

    def command(self, world: TwinWorld, event: e.OperatorEvent, twice: bool) -> None:
        """An operator's command, rehearsed before; given twice it does what it does once."""
        world.now += SECOND
        known = set(world.memory.by_id)
        preview = rehearse(world.memory, event, world.now)
        done = world.do(event, after=0)
        same = [
            [t if t.task_instance in known else t._replace(task_instance=0) for t in one.transitions]
            for one in (preview, done)
        ]
        assert same[0] == same[1]
        if twice:
            before = copy.deepcopy((self.rows.runs, self.rows.tasks, self.rows.attempts, self.rows.episodes))
            world.do(event, after=0)
            assert before == (self.rows.runs, self.rows.tasks, self.rows.attempts, self.rows.episodes)

    # runs

    @initialize(spec=dags())
    def first_run(self, spec: DagSpec) -> None:
        self.create(spec)

    @precondition(lambda self: len(self.worlds) < 2)
    @rule(spec=dags())
    def another_run(self, spec: DagSpec) -> None:
        self.create(spec)

    def create(self, spec: DagSpec) -> None:
        world = TwinWorld(compile_plan(spec, 1), self.rows, next(self.keys), self.ids)
        world.names = self.names
        self.worlds.append(world)
        self.start()

    def start(self) -> None:
        for w in self.worlds:
            if may_start_run(w.run, w.plan.spec, self.limits(), w.now):
                w.do(e.Start())

    # attempts

    @rule(data=st.data(), claimed=st.booleans())
    def grant(self, data: st.DataObject, claimed: bool) -> None:
        self.start()
        limits = self.limits()
        found = self.pick(data, lambda w, ti: may_start(ti, w.memory, limits, w.now))
        if found:
            self.grant_one(*found)
            attempt = found[0].memory.by_id[found[1]].current
            if claimed and attempt is not None:
                found[0].do(e.Claimed(attempt.id, 4711, 99, "boot", found[0].now))

    @rule()
    def grant_all(self) -> None:
        self.start()
        for w in self.worlds:
            for ti in list(w.memory.scheduled.values()):
                if may_start(ti, w.memory, self.limits(), w.now):
                    self.grant_one(w, ti.id)

    def grant_one(self, world: TwinWorld, key: int) -> None:
        ti = world.memory.by_id[key]
        assert expected(world.memory, ti) == "run"
        world.do(e.Granted(key, f"A{next(self.names)}"))

    @rule()
    def claim_all(self) -> None:
        for w in self.worlds:
            for ti in self.alive(w):
                if ti.current is not None and ti.current.state is AttemptState.QUEUED:
                    w.do(e.Claimed(ti.current.id, 4711, 99, "boot", w.now))

    @rule(data=st.data(), end=st.sampled_from(sorted(ENDS)), ago=st.sampled_from([0, 0, 3 * SECOND]))
    def end(self, data: st.DataObject, end: str, ago: Micros) -> None:
        found = self.pick_attempt(data, lambda ti, state: True)
        if found:
            status = ENDS[end]
            ended = found[0].now - ago
            if status is OK and data.draw(st.booleans()):
                status = replace(status, follow=data.draw(self.choices(*found)))
            matches = data.draw(st.sampled_from([(), (), (1,), (2,)]))
            found[0].do(e.Ended(found[1], replace(status, ended=ended) if status else None, None, matches))

    @staticmethod
    def choices(world: TwinWorld, attempt: str) -> st.SearchStrategy[list[str]]:
        """What a decider may choose: some of what is below it, and a task that is not."""
        below = world.memory.plan.graph.downstream(world.memory.by_attempt[attempt].task_id)
        return st.lists(st.sampled_from([*below, "gone"]), max_size=2)

    @rule(data=st.data())
    def spawn_fails(self, data: st.DataObject) -> None:
        found = self.pick_attempt(data, lambda ti, state: state is AttemptState.QUEUED)
        if found:
            found[0].do(e.SpawnFailed(found[1], "no memory"))

    @rule(data=st.data(), end=st.sampled_from(sorted(ENDS)))
    def late_message(self, data: st.DataObject, end: str) -> None:
        found = [(w, name) for w in self.worlds for name in [*w.over, "unknown"]]
        world, name = data.draw(st.sampled_from(found))
        before = copy.deepcopy(self.rows.tasks)
        world.do(e.Ended(name, ENDS[end]))
        world.do(e.Claimed(name, 1, 1, "boot", world.now))
        world.do(e.SpawnFailed(name, "late"))
        assert self.rows.tasks == before

    @rule(data=st.data())
    def claim_again(self, data: st.DataObject) -> None:
        found = self.pick_attempt(data, lambda ti, state: state is AttemptState.RUNNING)
        if found:
            assert not found[0].do(e.Claimed(found[1], 1, 1, "boot", found[0].now))

    # timers and clocks

    @rule()
    def retries_are_due(self) -> None:
        for w in self.worlds:
            for ti in list(w.memory.by_id.values()):
                if ti.state is TaskState.UP_FOR_RETRY:
                    self.wake(w, ti.id)

    @staticmethod
    def wake(world: TwinWorld, key: int) -> None:
        retry_at = world.memory.by_id[key].retry_at
        assert retry_at is not None
        world.do(e.RetryDue(key), after=max(0, retry_at - world.now))

    @rule(data=st.data())
    def task_times_out(self, data: st.DataObject) -> None:
        found = self.pick(data, lambda w, ti: ti.state in ALIVE_TASK)
        if found:
            found[0].do(e.TaskTimeout(found[1]))

    @rule(data=st.data(), why=st.sampled_from(["in D", "of root"]))
    def outlives_sigkill(self, data: st.DataObject, why: str) -> None:
        found = self.pick_attempt(data, lambda ti, state: True)
        if found:
            found[0].do(e.Unkillable(found[1], why))

    @rule(by=st.sampled_from([-3600, -1, 1, 60, 86_400]))
    def clock_moves(self, by: int) -> None:
        for w in self.worlds:
            w.now = max(T0, w.now + by * SECOND)

    # operators

    @rule(data=st.data(), down=st.booleans(), up=st.booleans(), failed=st.booleans(), force=seldom, twice=st.booleans())
    def clear(self, data: st.DataObject, down: bool, up: bool, failed: bool, force: bool, twice: bool) -> None:
        world, key = self.pick(data, lambda w, ti: True) or (None, 0)
        if world:
            chosen = select(world.memory, [key], down, up, failed)
            retries = data.draw(st.sampled_from([None, None, 0, 3]))
            clear = e.Clear(tuple(ti.id for ti in chosen), "c", "ann", force=force, retries=retries)
            self.command(world, clear, twice)

    @rule(data=st.data(), failed=st.booleans(), twice=st.booleans())
    def rerun(self, data: st.DataObject, failed: bool, twice: bool) -> None:
        world = data.draw(st.sampled_from(self.worlds))
        chosen = select(world.memory, None, only_failed=failed)
        self.command(world, e.Clear(tuple(ti.id for ti in chosen), "c", "ann"), twice)

    @precondition(lambda self: any(w.run.state in TERMINAL_RUN for w in self.worlds))
    @rule(data=st.data(), spec=dags())
    def clear_on_another_version(self, data: st.DataObject, spec: DagSpec) -> None:
        world = data.draw(st.sampled_from([w for w in self.worlds if w.run.state in TERMINAL_RUN]))
        key = data.draw(st.sampled_from(sorted(world.memory.by_id)))
        world.reopen_on(compile_plan(spec, world.plan.version_id + 1), (key,))

    @rule(data=st.data(), state=st.sampled_from(["success", "failed", "skipped"]), twice=st.booleans())
    def mark(self, data: st.DataObject, state: str, twice: bool) -> None:
        world, key = self.pick(data, lambda w, ti: True) or (None, 0)
        if world:
            more = data.draw(st.lists(st.sampled_from(sorted(world.memory.by_id)), max_size=1))
            self.command(world, e.Mark((key, *more), TaskState(state), "c", "ann"), twice)

    @rule(data=st.data(), kind=st.sampled_from([e.Kill, e.RetryNow]), twice=st.booleans())
    def one(self, data: st.DataObject, kind: type[e.Kill | e.RetryNow], twice: bool) -> None:
        found = self.pick(data, lambda w, ti: True)
        if found:
            self.command(found[0], kind(found[1], "c", "ann"), twice)

    @rule(data=st.data(), kind=st.sampled_from([e.PauseRun, e.ResumeRun, e.ResumeRun]), twice=st.booleans())
    def pause_or_resume(self, data: st.DataObject, kind: type[e.PauseRun | e.ResumeRun], twice: bool) -> None:
        self.command(data.draw(st.sampled_from(self.worlds)), kind("c", "ann"), twice)

    @precondition(lambda self: any(self.alive(w) for w in self.worlds))
    @rule(data=st.data(), cancel=st.booleans(), force=seldom, twice=st.booleans())
    def cancel_or_run_timeout(self, data: st.DataObject, cancel: bool, force: bool, twice: bool) -> None:
        world = data.draw(st.sampled_from(self.worlds))
        if cancel:
            self.command(world, e.CancelRun("c", "ann", force), twice)
        else:
            world.do(e.RunTimeout(data.draw(st.sampled_from([None, world.run.episode, 1]))))

    @rule(data=st.data())
    def the_run_before_moves(self, data: st.DataObject) -> None:
        found = [(w, name) for w in self.worlds for name in sorted(w.memory.plan.past_tasks)]
        if found:
            world, name = data.draw(st.sampled_from(found))
            for memory in (world.memory, world.twin):
                if memory.past.pop(name, None) is None:
                    memory.past[name] = PastWait("etl@0", "failed")

    @rule(gate=st.sampled_from(["frozen", "paused", "hold", "degraded"]))
    def move_a_gate(self, gate: str) -> None:
        self.closed ^= {gate}

    # what tasks are mapped over

    @rule(data=st.data(), size=st.sampled_from([0, 1, 1, 2, 3, 5, "is nothing, not a list"]))
    def items_change(self, data: st.DataObject, size: int | str) -> None:
        world = data.draw(st.sampled_from(self.worlds))
        if world.memory.groups:
            world.items.sizes[data.draw(st.sampled_from(sorted(world.memory.groups)))] = size

    @invariant()
    def indexes_are_whole_and_single(self) -> None:
        for w in self.worlds:
            for task_id in w.memory.groups:
                found = sorted(ti.map_index for ti in w.memory.by_id.values() if ti.task_id == task_id)
                assert found == list(range(-1, len(found) - 1)), "an index is missing or doubled"

    # the engine itself

    @rule()
    def engine_stops(self) -> None:
        for w in self.worlds:
            for ti in self.alive(w):
                w.do(e.EngineKill(ti.id))

    @rule()
    def engine_restarts(self) -> None:
        for w in self.worlds:
            w.restart()

    @rule(data=st.data())
    def review(self, data: st.DataObject) -> None:
        assert not data.draw(st.sampled_from(self.worlds)).do(e.Review()), "something had been missed"

    # what always holds

    @invariant()
    def limits_hold(self) -> None:
        alive = [w.memory.plan.tasks[ti.task_id] for w in self.worlds for ti in self.alive(w)]
        assert len(alive) <= SLOTS
        for name, size in POOLS.items():
            assert sum(task.pool == name for task in alive) <= size

    @invariant()
    def run_states_follow_from_instances(self) -> None:
        for w in self.worlds:
            run, over = w.run, all(ti.state in TERMINAL_TASK for ti in w.memory.by_id.values())
            assert run.state is RunState.QUEUED or over == (run.state in TERMINAL_RUN)
            if run.state in TERMINAL_RUN and run.reason in JUDGED:
                assert (run.state, run.reason) == expected_end(w.memory)

    @invariant()
    def verdicts_are_those_of_the_plain_rules(self) -> None:
        wanted = {TaskState.NONE: "wait", TaskState.SCHEDULED: "run", TaskState.UPSTREAM_FAILED: "fail"}
        by_rule = (Reason.UPSTREAM, Reason.BRANCH, Reason.SHORT_CIRCUIT)
        for w in self.worlds:
            for node in w.memory.nodes.values():
                ti = node.ti
                if ti.reason is Reason.EXPANDED:
                    continue
                if ti.state is TaskState.SKIPPED and ti.reason in by_rule:
                    assert expected(w.memory, ti) == "skip"
                elif ti.state in wanted and w.run.state is not RunState.QUEUED:
                    assert expected(w.memory, ti) == wanted[ti.state]
                assert ti.decision is None or ti.state is TaskState.SUCCESS

    @invariant()
    def everything_that_waits_says_for_what(self) -> None:
        limits = self.limits()
        for w in self.worlds:
            for ti in w.memory.by_id.values():
                codes = blockers(ti, w.memory, limits, w.now)
                waits = ti.state in (TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY)
                assert waits or not codes
                assert not waits or bool(codes) != may_start(ti, w.memory, limits, w.now)

    def teardown(self) -> None:
        """With open gates and attempts that end, every run ends."""
        self.closed = set()
        for w in self.worlds:
            w.memory.past.clear()
            w.twin.past.clear()
        for _ in range(400):
            if all(w.run.state in TERMINAL_RUN for w in self.worlds):
                break
            self.one_round()
        for w in self.worlds:
            assert w.run.state in TERMINAL_RUN, "the run never ends"
            assert problems(w.memory) == []

    def one_round(self) -> None:
        self.start()
        for w in self.worlds:
            if w.run.state is RunState.PAUSED:
                w.do(e.ResumeRun("c"))
            for ti in list(w.memory.by_id.values()):
                if ti.state is TaskState.UP_FOR_RETRY:
                    self.wake(w, ti.id)
                if may_start(ti, w.memory, self.limits(), w.now):
                    self.grant_one(w, ti.id)
                if ti.current is not None and ti.state in ALIVE_TASK:
                    w.do(e.Ended(ti.current.id, ERROR if ti.attempt % 2 else OK))


Lives.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


TestLives = Lives.TestCase
TestLives.__doc__ = "Whatever happens, the rows stay sound, restarts change nothing, and every run ends."
