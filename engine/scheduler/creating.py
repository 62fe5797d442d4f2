"""New runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from engine.authoring.exceptions import ParamError
from engine.authoring.params import resolve_params
from engine.lifecycle.memory import RunMemory, new_run
from engine.model.dag import Json
from engine.model.rows import Run
from engine.model.states import RunState, RunType
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.timetable import Slot

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def create_run(
    scheduler: Scheduler,
    turn: Turn,
    entry: DagEntry,
    run_type: RunType,
    slot: Slot,
    run_id: str,
    params: dict[str, Json],
    *,
    created_by: str | None = None,
    note: str | None = None,
    inferred: bool = False,
    environment: str | None = None,
    given: Collection[str] = (),
    backfill: int | None = None,
) -> RunMemory:
    """A queued run of the DAG's current version, with its task instances.

    `given` names the params that were asked for; the others came from the `environment`, the DAG or the home.
    """
    state = scheduler.state
    chosen = {name: params[name] for name in given}
    run = Run(
        id=next(state.run_ids),
        run_id=run_id,
        dag_id=entry.dag_id,
        version_id=entry.version.id,
        run_type=run_type,
        state=RunState.QUEUED,
        logical_date=slot.logical_date,
        interval_start=slot.interval_start,
        interval_end=slot.interval_end,
        run_after=slot.run_after,
        created_at=turn.now,
        params=params,
        note=note,
        created_by=created_by,
        inferred=inferred,
        backfill=backfill,
        config=scheduler.environments.effective(entry.version.spec, chosen, environment),
    )
    if run.config:
        turn.batch.add("run_config.add", run=run.id, config=json.dumps(run.config, sort_keys=True))
    memory = new_run(entry.version.plan, run, state.task_ids, turn.changes)
    state.put_run(memory)
    scheduler.past.created(memory)
    return memory


def current_params(scheduler: Scheduler, entry: DagEntry, given: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The params of a run that nobody is asked about: those given for it before, else as the environment and the DAG
    say. All were checked when they were given; where they do not fit the present DAG any more, its own defaults are
    used, and the engine's log says so.
    """
    spec = entry.version.spec
    known = {name: value for name, value in (given or {}).items() if name in spec.params or spec.extra_params}
    try:
        return resolve_params(spec.params, scheduler.environments.defaults(spec, known), extra=spec.extra_params)
    except ParamError as error:
        scheduler.log.warning("params_refused", dag_id=spec.dag_id, error=str(error))
        return {name: param.default for name, param in spec.params.items()}
