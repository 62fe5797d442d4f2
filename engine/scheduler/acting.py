"""What follows a commit: attempts are launched or killed, callbacks are started."""

from __future__ import annotations

from collections.abc import Callable

from engine.authoring.exceptions import PermanentError
from engine.execution.port import Ended, Evidence, Executor, LaunchOrder
from engine.failpoints import hit
from engine.lifecycle.instructions import Kill, Launch, Stack
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import AttemptStatus
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED
from engine.model.states import TaskState
from engine.scheduler.dispatch import CallbackCall, Dispatcher
from engine.scheduler.state import LiveCallback, State
from engine.scheduler.turn import Turn
from engine.store.batch import CallbackRow

CALLBACK_SECONDS = 1_800
"""How long a callback may take. Nobody else ends one that hangs, and an engine that drains waits for all of them."""


class Actor:
    """Carries out instructions through the executor. Doing one twice does no harm: the claim on disk decides."""

    def __init__(self, dispatcher: Dispatcher, executor: Executor) -> None:
        self._dispatcher = dispatcher
        self._executor = executor

    def act(self, state: State, turn: Turn, *, launching: bool) -> list[Evidence]:
        """Acts on a committed turn; returns evidence of what could not even be ordered."""
        orders: list[LaunchOrder] = []
        refused: list[Evidence] = []
        for memory, instruction in turn.instructions:
            if isinstance(instruction, Launch) and launching:
                self._prepare(state, memory, instruction, orders, refused)
            elif isinstance(instruction, Kill):
                self._executor.kill(instruction.attempt_id, instruction.grace)
            elif isinstance(instruction, Stack):
                self._executor.stack(instruction.attempt_id)
        for callback_id in turn.launched_callbacks if launching else ():
            live = state.callbacks.get(callback_id)
            if live is not None and (run := state.runs.get(live.row.run)) is not None:
                orders.append(self._dispatcher.callback(state.versions[run.run.version_id], run.run, live.call))
        if orders:
            hit("scheduler.before_launch")
            self._executor.launch(orders)
        return refused

    def _prepare(
        self,
        state: State,
        memory: RunMemory,
        launch: Launch,
        orders: list[LaunchOrder],
        refused: list[Evidence],
    ) -> None:
        instance = memory.by_id[launch.ti]
        attempt = instance.current
        if attempt is None or attempt.id != launch.attempt_id or instance.state is not TaskState.QUEUED:
            return  # a later turn has decided otherwise; its own instructions follow
        version = state.versions[memory.run.version_id]
        try:
            orders.append(
                self._dispatcher.order(
                    version, memory.run, instance, attempt, state.items[memory.run.id].inputs(instance)
                )
            )
        except (PermanentError, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            text = str(error) if isinstance(error, PermanentError) else f"cannot be started: {error!r}"
            status = AttemptStatus(1, "engine", outcome="failed", failure_class="permanent", error=text)
            refused.append(Ended(attempt.id, status))

    def order_callbacks(self, state: State, turn: Turn, new_id: Callable[[Micros], str]) -> None:
        """Gives the turn's callbacks ids and rows; they are started after the commit."""
        for order in turn.changes.callbacks:
            row = CallbackRow(
                id=new_id(turn.now),
                run=order.run,
                name=order.name,
                state="queued",
                created_at=turn.now,
                task_instance=order.task_instance,
                attempt=order.attempt_id,
                error=order.error,
            )
            about = state.runs[order.run].by_id.get(order.task_instance or 0)
            map_index = about.map_index if about else UNMAPPED
            call = CallbackCall(row.id, row.name, order.task_id, row.error, map_index)
            state.callbacks[row.id] = LiveCallback(call, row)
            state.pin(row.run)
            turn.launched_callbacks.append(row.id)
            turn.batch.callbacks.append(row)
