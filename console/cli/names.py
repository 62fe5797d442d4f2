"""What a shell may complete: names of DAGs, runs and tasks, as the store has them. Nothing where there is no home."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from console.cli.session import Session

if TYPE_CHECKING:
    from console.cli.reading import Reader
    from engine.model.dag import DagSpec, ParamSpec, TaskSpec

MOST = 50
_STATES = ("success", "failed", "skipped")


def dags(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids of DAGs."""
    return _found(ctx, incomplete, _dag_ids)


def runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The newest runs; as long as several DAGs fit, the latest of each."""

    def names(store: Reader) -> list[str]:
        fitting = [dag_id for dag_id in _dag_ids(store) if f"{dag_id}@".startswith(incomplete.partition("@")[0])]
        latest = [f"{dag_id}@latest" for dag_id in fitting]
        if "@" not in incomplete and len(fitting) != 1:
            return latest
        from console.cli.reading import reads_run

        return [*latest, *(line.run_id for dag_id in fitting for line in reads_run.runs(store, dag_id=dag_id))]

    return _found(ctx, incomplete, names)


def subjects(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What `why` explains: DAGs, and runs."""
    found = [] if "@" in incomplete else dags(ctx, parameter, incomplete)
    return [*found, *runs(ctx, parameter, incomplete)][:MOST]


def trash(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Runs that are in the trash."""

    def names(store: Reader) -> list[str]:
        from console.cli.reading import trashed

        return [row.run_id for row in trashed(store)]

    return _found(ctx, incomplete, names)


def tasks(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Tasks of the run that stands before."""
    return _found(ctx, incomplete, lambda store: _tasks_of(store, ctx.params.get("run") or ctx.params.get("what")))


def mark_words(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Of `mark`: a run, then its tasks and states."""
    before = [word for word in ctx.params.get("words") or () if word]
    if not before:
        return runs(ctx, parameter, incomplete)
    return _found(ctx, incomplete, lambda store: [*_tasks_of(store, before[0]), *_STATES])


def params(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """`NAME=` of what the approval, the DAG or the run that stands before declares; then the values that are listed."""

    def names(store: Reader) -> list[str]:
        declared = _declared(store, ctx)
        name, sign, _ = incomplete.partition("=")
        if not sign or name not in declared:
            return [f"{each}=" for each in declared]
        return [f"{name}={_as_typed(value)}" for value in _values(declared[name])]

    return _found(ctx, incomplete, names)


def options(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What can be answered to the approval that stands before."""

    def names(store: Reader) -> list[str]:
        found = _task_of(store, ctx)
        return [] if found is None or found.approval is None else found.approval.options

    return _found(ctx, incomplete, names)


def approvals(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Tasks of the run that stands before which ask a person."""

    def names(store: Reader) -> list[str]:
        spec = _spec_of_run(store, _given(ctx, "run"))
        return [] if spec is None else [task.task_id for task in spec.tasks if task.approval is not None]

    return _found(ctx, incomplete, names)


def pools(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of pools."""

    def names(store: Reader) -> list[str]:
        from console.cli.reading import reads_home

        return [row.name for row in reads_home.pools(store)]

    return _found(ctx, incomplete, names)


def breakers(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of circuit breakers that have been needed."""

    def names(store: Reader) -> list[str]:
        from console.cli.reading import reads_home

        return [row.name for row in reads_home.breakers(store)]

    return _found(ctx, incomplete, names)


def causes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Keys of what has failed and nobody has put right."""

    def names(store: Reader) -> list[str]:
        from console.cli.reading import reads_inbox

        return [cause.key for cause in reads_inbox.causes(store, 0, retrying=True)]

    return _found(ctx, incomplete, names)


def environments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Environments of dagdeck.toml."""

    def names(store: Reader) -> list[str]:
        from engine.config import load_settings

        return sorted(load_settings(ctx.ensure_object(Session).home).environments.by_name)

    return _found(ctx, incomplete, names)


def _found(ctx: click.Context, incomplete: str, names: Callable[[Reader], Iterable[str]]) -> list[str]:
    from console.cli.faults import explain
    from console.cli.reading import open_store

    try:
        with open_store(ctx.ensure_object(Session).home) as store:
            return [name for name in dict.fromkeys(names(store)) if name.startswith(incomplete)][:MOST]
    except Exception as error:
        if explain(error) is None:
            raise
        return []  # a shell that completes has no use for a complaint


def _dag_ids(store: Reader) -> list[str]:
    from console.cli.reading import reads_overview

    return [line.dag_id for line in reads_overview.dags(store)]


def _tasks_of(store: Reader, run: str | None) -> list[str]:
    spec = _spec_of_run(store, run)
    return [] if spec is None else [task.task_id for task in spec.tasks]


def _spec_of_run(store: Reader, run: str | None) -> DagSpec | None:
    from console.cli.reading import find_run, spec_of

    return spec_of(store, find_run(store, run).version_id) if run else None


def _task_of(store: Reader, ctx: click.Context) -> TaskSpec | None:
    spec, name = _spec_of_run(store, _given(ctx, "run")), _given(ctx, "task")
    return next((task for task in spec.tasks if task.task_id == name), None) if spec else None


def _given(ctx: click.Context, name: str) -> str | None:
    """An argument that stands before. Where an option lacks its value yet, they are left over in their order."""
    found = ctx.params.get(name)
    places = [each.name for each in ctx.command.params if isinstance(each, click.Argument)]
    if found is None and name in places:
        found = next(iter(ctx.args[places.index(name) :]), None)
    return None if found is None else str(found)


def _declared(store: Reader, ctx: click.Context) -> Mapping[str, ParamSpec]:
    from console.cli.reading import find_dag, spec_of

    if any(each.name == "task" for each in ctx.command.params):
        asked = _task_of(store, ctx)
        return {} if asked is None or asked.approval is None else asked.approval.params
    dag_id = _given(ctx, "dag")
    version = find_dag(store, dag_id).version_id if dag_id else None
    spec = spec_of(store, version) if version is not None else _spec_of_run(store, ctx.params.get("like"))
    return {} if spec is None else spec.params


def _values(param: ParamSpec) -> list[object]:
    listed = param.schema.get("enum")
    if isinstance(listed, list):
        return list(listed)
    if param.schema.get("type") == "boolean":
        return [True, False]
    return [] if param.default is None else [param.default]


def _as_typed(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
