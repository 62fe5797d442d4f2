"""The scheduler's loop: take what happened, let the lifecycle decide, commit, and only then act and tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from structlog.typing import FilteringBoundLogger

from engine.clock import Clock
from engine.environments import Environments
from engine.execution.port import Claimed, Evidence, Executor
from engine.lifecycle.core import apply
from engine.lifecycle.events import Event
from engine.lifecycle.instructions import AnswerBy, Timeout, WakeAt, derive
from engine.lifecycle.memory import RunMemory
from engine.model.ids import ulid
from engine.model.moments import SECOND, Micros
from engine.model.states import TERMINAL_RUN
from engine.scheduler.acting import CALLBACK_SECONDS, Actor
from engine.scheduler.admission import Admission
from engine.scheduler.backfills import nothing_stored
from engine.scheduler.beside import Beside
from engine.scheduler.booking import book_run, book_task, kill_all
from engine.scheduler.breakers import Breakers
from engine.scheduler.clockwatch import ClockWatch, heed_step
from engine.scheduler.dispatch import Dispatcher, Places
from engine.scheduler.evidence import take_evidence
from engine.scheduler.intake import Dropped, Intake, Work
from engine.scheduler.ledger import Ledger
from engine.scheduler.past import Past
from engine.scheduler.pools import Pools
from engine.scheduler.starting import Starting
from engine.scheduler.state import State
from engine.scheduler.timers import Timer, Timers
from engine.scheduler.turn import Turn, refuse
from engine.scheduler.waiting import Waiting
from engine.store.errors import CommitFailed
from engine.store.stored import StoredBackfill
from engine.store.writer import Writer

CLAIMS_WAIT = 0.004
"""Seconds that the news of a start may wait for the next turn: the end of a short task then shares its commit."""
MOST_PER_TURN = 256
"""Items handled in one turn, so that the loop stays free for the socket."""


def _nothing_to_prune() -> None:
    """An engine in a test keeps nothing for years."""


class Scheduler:
    """Moves runs. Everything that happens comes in through `post`; nothing is true before its commit.

    Memory is a cache of the store's active part. When a commit fails, or the lifecycle refuses a move, memory is
    dropped, nothing is started, and `on_broken` is called: whoever composes the engine probes the store and loads.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        writer: Writer,
        executor: Executor,
        places: Places,
        dispatcher: Dispatcher,
        log: FilteringBoundLogger,
        on_broken: Callable[[str], None],
        on_stop: Callable[[bool], None],
    ) -> None:
        self.clock = clock
        self.log = log
        self.executor = executor
        self.places = places
        self.state = State()
        self.ledger = Ledger(0, {})
        self.admission = Admission(self.ledger, self.state.runs)
        self.timers = Timers()
        self._clock_watch = ClockWatch(clock)
        self.starting = Starting(self)
        self.waiting = Waiting(self)
        self.breakers = Breakers(self)
        self.past = Past(self)
        self.fetch_run: Callable[[str], Coroutine[None, None, None]] = nothing_stored
        self.fetch_backfill: Callable[[int], Coroutine[None, None, StoredBackfill | None]] = nothing_stored
        self.degraded: str | None = None
        self.disk_low: str | None = None
        self.memory_low: str | None = None
        self.draining = self.stopping = self.report_open = self._turn_due = False
        self.request_stop = on_stop
        self.request_prune: Callable[[], None] = _nothing_to_prune
        self.environments = Environments()
        self.production = False
        self.configured_pools = Pools()
        """What `dagdeck.toml` says; pools that operators made or resized stand in the ledger."""
        self._writer = writer
        self._actor = Actor(dispatcher, executor)
        self._on_broken = on_broken
        self._intake = Intake()
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._pending = 0
        self.beside = Beside()
        self._on_timer: dict[str, Callable[[Turn, Timer], None]] = {}

    # --- intake ---------------------------------------------------------------------------------------------------

    def post(self, work: Work, dropped: Dropped | None = None) -> None:
        """Has something handled in a turn soon. `dropped` is called instead when memory is dropped before that."""
        self._intake.put(work, dropped)
        if self.degraded is not None:
            self.degrade(self.degraded)
        self.wake()

    async def commit(self, work: Work) -> int:
        """Has something handled in a turn, and waits until it is true. Returns the number of the last event. Raises
        CommitFailed when the store takes no changes.
        """
        done: asyncio.Future[int] = self._loop.create_future()

        def told(turn: Turn) -> None:
            turn.tell(done)
            work(turn)

        self.post(told, partial(refuse, done))
        return await done

    def post_later(self, seconds: float, work: Work) -> None:
        """Has something handled after a while. It is forgotten when the engine stops or loads its state anew before."""
        generation = self.state
        self._loop.call_later(seconds, lambda: self.post(work) if self.state is generation else None)

    def wake(self) -> None:
        """Has a turn taken soon, also when nothing was posted: a limit may have changed."""
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._take_turn)

    def deliver(self, evidence: Sequence[Evidence]) -> None:
        """What the executor saw of attempts."""
        for item in evidence:
            self._intake.put(partial(take_evidence, self, item))
        if all(isinstance(item, Claimed) for item in evidence):
            self._loop.call_later(CLAIMS_WAIT, self.wake)
        else:
            self.wake()

    def on_timer(self, kind: str, handler: Callable[[Turn, Timer], None]) -> None:
        """Names who handles timers of one kind."""
        self._on_timer[kind] = handler

    def replace(self, state: State, ledger: Ledger) -> None:
        """Puts freshly loaded memory in place; everything that was under way is forgotten, and told so."""
        self._intake.forget(CommitFailed(self.degraded or "the engine loaded its state anew"))
        self.state = state
        self.ledger = ledger
        self.admission = Admission(ledger, state.runs)
        self.starting.ready.clear()
        self.timers.clear()
        self.past.begin()
        self._apply_limits()
        self.wake()

    def degrade(self, reason: str) -> None:
        """Takes no turn until memory has been loaded anew. Whoever waits for one hears of it now: a full disk may stay
        full for hours.
        """
        self.degraded = reason
        self._intake.forget(CommitFailed(reason))

    def new_id(self, now: Micros) -> str:
        """A fresh attempt id."""
        return ulid(now, self.clock.entropy(10))

    @property
    def committed_seq(self) -> int:
        """Number of the last committed event."""
        return self._writer.committed_seq

    def limit(
        self, *, disk_low: str | None = None, memory_low: str | None = None, draining: bool | None = None
    ) -> None:
        """Changes what limits starting in general. The low ones are reasons, or empty text once there is room again."""
        if disk_low is not None:
            self.disk_low = disk_low or None
        if memory_low is not None:
            self.memory_low = memory_low or None
        if draining is not None:
            self.draining = draining
        self._apply_limits()
        self.admission.reconsider()
        self.post(self.starting.start_all_runs)

    def limits_changed(self, turn: Turn) -> None:
        """Has all that a limit kept from starting get its chance in this turn."""
        self.admission.reconsider()
        self.starting.start_all_runs(turn)

    def _apply_limits(self) -> None:
        limits = self.ledger.limits
        limits.disk_low, limits.memory_low, limits.draining = bool(self.disk_low), bool(self.memory_low), self.draining

    @property
    def may_start(self) -> bool:
        """Whether new attempts may start at all."""
        return not (self.degraded or self.disk_low or self.memory_low or self.draining or self.stopping)

    @property
    def is_idle(self) -> bool:
        """Nothing is waiting to be handled or committed."""
        return not self._intake and self._pending == 0

    @property
    def runs_nothing(self) -> bool:
        """No task instance holds a slot, and nothing is under way that could give it one."""
        return self.ledger.used == 0 and self.is_idle

    # --- one turn -------------------------------------------------------------------------------------------------

    def _take_turn(self) -> None:
        self._turn_due = False
        if self.degraded is not None:
            return
        turn = Turn(self.clock.now())
        try:
            heed_step(self, turn, self._clock_watch.step())
            self._fire_timers(turn)
            for _ in range(min(len(self._intake), MOST_PER_TURN)):
                self._intake.take()(turn)
                if turn.batch.command is not None:
                    break  # a command is committed by itself: its row and its effects in one transaction
            self.starting.grant(turn)
            self.waiting.review(turn)
            self._finish(turn)
        except Exception as error:
            self.log.exception("turn_failed", error=str(error))
            self._break(turn, error)
            return
        if self._intake:
            self.wake()
        self._set_alarm()

    def _fire_timers(self, turn: Turn) -> None:
        for timer in self.timers.due(turn.now):
            self._on_timer[timer.kind](turn, timer)

    def apply(self, turn: Turn, memory: RunMemory, event: Event) -> None:
        """Hands one event to the lifecycle and books what moved."""
        mark = len(turn.changes.transitions)
        apply(memory, event, turn.now, turn.changes)
        for moved in turn.changes.transitions[mark:]:
            if moved.kind == "task":
                book_task(self, turn, memory, moved)
            elif moved.kind == "run":
                book_run(self, turn, memory, moved)

    def _finish(self, turn: Turn) -> None:
        """Derives what has to be done, and hands the turn to the writer."""
        for key, memory in turn.touched.items():
            for instruction in derive(memory.by_id[key], memory):
                if isinstance(instruction, WakeAt):
                    self.timers.add(Timer(instruction.at, "retry", instruction.ti, str(memory.run.id)))
                elif isinstance(instruction, AnswerBy):
                    self.timers.add(Timer(instruction.at, "answer", instruction.ti, str(memory.run.id)))
                elif isinstance(instruction, Timeout):
                    self.timers.add(Timer(instruction.at, "task_timeout", memory.run.id, instruction.attempt_id))
                else:
                    turn.instructions.append((memory, instruction))
        self._actor.order_callbacks(self.state, turn, self.new_id)
        for callback in turn.launched_callbacks:
            self.timers.add(Timer(turn.now + CALLBACK_SECONDS * SECOND, "callback", 0, callback))
        for line in turn.changes.ignored:
            self.log.info("ignored", what=line)
        if turn.is_empty():
            turn.tell_all(self._writer.committed_seq, self.log)
            return
        turn.batch.changes = turn.changes
        self._writer.submit(turn.batch).add_done_callback(partial(self._settled, turn))
        self._pending += 1

    # --- after the commit -----------------------------------------------------------------------------------------

    def _settled(self, turn: Turn, future: asyncio.Future[int]) -> None:
        self._pending -= 1
        error = future.exception()
        if error is not None:
            self._break(turn, error if isinstance(error, Exception) else CommitFailed(str(error)))
            return
        if self.degraded is None:
            try:
                self._act(turn)
            except Exception as failure:
                self.log.exception("acting_failed", error=str(failure))
                self._break(Turn(turn.now), failure)  # what is committed stays true; memory is derived from it anew
        turn.tell_all(future.result(), self.log)

    def _act(self, turn: Turn) -> None:
        refused = self._actor.act(self.state, turn, launching=not self.stopping)
        if refused:
            self.deliver(refused)
        for run in turn.ended_runs:
            self.release(run)

    def release(self, run: int) -> None:
        """Forgets a run that is over, unless a command is looking at it."""
        memory = self.state.runs.get(run)
        if memory and memory.run.state in TERMINAL_RUN and not memory.by_attempt and not self.state.pins.get(run):
            self.state.drop_run(run)

    def _break(self, turn: Turn, error: Exception) -> None:
        """Memory may be ahead of the store: it is dropped, and nothing starts until it has been loaded again."""
        for fail in turn.failed:
            fail(error)
        if self.degraded is None:
            self.degrade(str(error))
            self.log.error("degraded", reason=str(error))
            self._on_broken(str(error))

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        wait = self.timers.wait(self.clock.now())
        self._alarm = self._loop.call_later(wait / SECOND, self.wake)

    # --- stopping -------------------------------------------------------------------------------------------------

    def kill_all(self) -> None:
        """Has every live attempt killed; it uses no retry budget and runs again under the next engine."""
        self.post(partial(kill_all, self))

    def close(self) -> None:
        """Takes no further turns."""
        self.stopping = True
        self.beside.close()
        if self._alarm is not None:
            self._alarm.cancel()
