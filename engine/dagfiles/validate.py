"""Whether a DAG that could be imported can also be run. Pure: the pools are an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.authoring.exceptions import ParamError
from engine.authoring.params import check_default, resolve_params
from engine.graph import Graph, GraphError
from engine.model.dag import DEFAULT_POOL, DagSpec, ImportFailure, TaskSpec
from engine.model.ids import check_id
from engine.model.moments import Micros, from_iso
from engine.model.states import TriggerRule
from engine.timetable import ScheduleError, timetable_of


def validate(dag: DagSpec, pools: Mapping[str, int]) -> list[ImportFailure]:
    """What makes the DAG impossible to run; empty when nothing does. `pools` maps names to slots (−1: no limit)."""
    found = [(message, line) for message, line in _problems(dag, pools)]
    return [ImportFailure(dag.file, message, line or dag.line, None, dag.dag_id) for message, line in found]


def advice(dag: DagSpec) -> list[str]:
    """What will run, but perhaps not as its author expects."""
    found = []
    for task in dag.tasks:
        if task.trigger_rule is TriggerRule.ALWAYS and task.upstream:
            found.append(
                f'task {task.task_id!r}: trigger_rule="always" starts it without waiting for its upstream tasks'
            )
        if task.trigger_rule is TriggerRule.ALL_DONE_MIN_ONE_SUCCESS:
            found.append(f"task {task.task_id!r}: all_done_min_one_success skips it when one upstream task is skipped")
        if task.retry.retries and task.retry.max_delay < task.retry.delay:
            found.append(f"task {task.task_id!r}: max_retry_delay is shorter than retry_delay, so it is what counts")
    found += _advice_on_failures(dag)
    return [f"DAG {dag.dag_id!r}: {text}" for text in found]


def _advice_on_failures(dag: DagSpec) -> Iterator[str]:
    allowed = {task.task_id for task in dag.tasks if task.allow_failure}
    for task in dag.tasks if allowed else ():
        if task.trigger_rule is TriggerRule.ALL_SUCCESS and not task.allow_failure:
            for above in sorted(allowed.intersection(task.upstream)):
                yield (
                    f"task {task.task_id!r}: {above!r} before it may fail, but this one needs its success, and fails "
                    "the run in its place: give it another trigger_rule, or allow_failure too"
                )


def _problems(dag: DagSpec, pools: Mapping[str, int]) -> Iterator[tuple[str, int | None]]:
    try:
        check_id("DAG", dag.dag_id)
    except ValueError as problem:
        yield str(problem), dag.line
    yield from _graph(dag)
    for task in dag.tasks:
        yield from _pool(task, pools)
        yield from _mapping(task)
    yield from _dates(dag)
    yield from _params(dag)


def _graph(dag: DagSpec) -> Iterator[tuple[str, int | None]]:
    tasks: dict[str, TaskSpec] = {}
    for task in dag.tasks:
        if task.task_id in tasks:
            yield f"task id {task.task_id!r} is used twice: give each task an id of its own", task.line
        tasks.setdefault(task.task_id, task)
    try:
        Graph({task_id: task.upstream for task_id, task in tasks.items()})
    except GraphError as problem:
        yield str(problem), tasks[problem.cycle[0]].line if problem.cycle else dag.line


def _mapping(task: TaskSpec) -> Iterator[tuple[str, int | None]]:
    for source in task.mapped:
        above = source.ref.get("$result") if isinstance(source.ref, dict) else None
        if above is not None and above not in task.upstream:
            yield f"task {task.task_id!r} is mapped over the result of {above!r}, which is not upstream", task.line


def _pool(task: TaskSpec, pools: Mapping[str, int]) -> Iterator[tuple[str, int | None]]:
    slots = pools.get(task.pool)
    if slots is None and task.pool != DEFAULT_POOL:
        known = ", ".join(sorted({DEFAULT_POOL, *pools}))
        yield (
            f"task {task.task_id!r}: there is no pool {task.pool!r} (there are: {known}): "
            f"name one of these, or make it: `dagdeck pools resize {task.pool} SLOTS`, or by [pools] in dagdeck.toml",
            task.line,
        )
    elif slots is not None and 0 < slots < task.pool_slots:
        yield (
            f"task {task.task_id!r} takes {task.pool_slots} slots of pool {task.pool!r}, which has {slots}: "
            "it could never run",
            task.line,
        )


def _dates(dag: DagSpec) -> Iterator[tuple[str, int | None]]:
    schedule = dag.schedule
    try:
        start, end = _moment(schedule.start_date), _moment(schedule.end_date)
        if start is not None and end is not None and end < start:
            yield f"end_date {schedule.end_date} is before start_date {schedule.start_date}", dag.line
        elif schedule.expression is not None:
            timetable_of(schedule)
    except ScheduleError as problem:
        yield f"schedule: {problem}", dag.line
    except (ValueError, OverflowError) as problem:
        yield f"start_date or end_date cannot be used: {problem}", dag.line


def _moment(text: str | None) -> Micros | None:
    return None if text is None else from_iso(text)


def _params(dag: DagSpec) -> Iterator[tuple[str, int | None]]:
    """Defaults must be valid; those of a scheduled DAG must also be enough for a run."""
    for name, spec in dag.params.items():
        try:
            check_default(name, spec)
        except ParamError as problem:
            yield f"default of {problem}", dag.line
            return
    if dag.schedule.expression is not None:
        try:
            resolve_params(dag.params, {})
        except ParamError as problem:
            yield f"{problem}: a scheduled run gets no params but the defaults", dag.line
