"""What a shell may complete: names of DAGs, runs and tasks, as the store has them. Nothing where there is no home."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from console.cli.session import Session

if TYPE_CHECKING:
    from console.cli.reading import Reader

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
    from console.cli.reading import find_run, spec_of

    return [] if not run else [task.task_id for task in spec_of(store, find_run(store, run).version_id).tasks]
