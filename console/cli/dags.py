"""`dagdeck dags …`: list, show, graph, versions, source, diff, validate, pause, resume, delete, gaps."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit, NotFound
from console.cli.link import fitting, select
from console.cli.options import Asking, changing, reading
from console.cli.output import Column, clean, emit_json, facts, no_rows, say, table, warn
from console.cli.reading import (
    DagLine,
    RunLine,
    find_dag,
    iso,
    open_store,
    reads_home,
    reads_overview,
    reads_run,
    reads_schedule,
    spec_of,
)
from console.cli.session import Session, pass_session
from console.cli.shapes import dag_json, dag_state, run_json, version_json
from console.cli.source import diff, origin, source, versions
from console.cli.standing import mention_idleness
from console.figures import until
from console.text import sanitise_lines
from engine.home import Home
from engine.model.dag import DagSpec
from engine.model.moments import Micros

if TYPE_CHECKING:
    from console.cli.link import Selector

GAP_WORDS = {
    "catchup": "due before the DAG was enabled",
    "missed": "missed while no engine ran",
    "overlap": "another run was under way",
    "schedule": "the schedule was changed",
}


@click.group()
def dags() -> None:
    """DAGs: list, show, graph, versions, source, diff, validate, pause, resume, delete, gaps."""


@dags.command("list")
@reading
@pass_session
def list_dags(session: Session, as_json: bool) -> None:
    """List all DAGs, and files that cannot be loaded."""
    now = time.time_ns() // 1000
    with open_store(session.home) as store, store.snapshot():
        rows = reads_overview.dags(store)
        recent = reads_overview.recent_runs(store, [row.dag_id for row in rows], count=1)
        broken = reads_home.import_errors(store)
        last = {dag_id: runs[-1] for dag_id, runs in recent.items()}
        mention_idleness(session.home, store, [run.state for run in last.values()], now)
    if as_json:
        emit_json([{**dag_json(row), "last_run": _last(last.get(row.dag_id))} for row in rows])
    else:
        columns = [
            Column("dag"),
            Column("state", state=True),
            Column("schedule"),
            Column("next run", right=True),
            Column("last run", state=True),
            Column("tags"),
        ]
        table(columns, [_row(row, last.get(row.dag_id), now) for row in rows])
        if not rows:
            no_rows("no DAG")
    for failure in broken:
        where = f"{failure.file}:{failure.line}" if failure.line else failure.file
        warn(f"cannot be loaded: {where}: {failure.message}")


def _last(run: RunLine | None) -> dict[str, Any] | None:
    return None if run is None else run_json(run)


def _row(dag: DagLine, last: RunLine | None, now: Micros) -> tuple[object, ...]:
    due = dag.next_run_after if dag.paused_at is None else None
    return (
        dag.dag_id,
        dag_state(dag),
        dag.schedule or "by hand",
        f"in {until(due, now)}" if due is not None else "",
        last.state if last else "",
        ", ".join(dag.tags),
    )


def _version_of(dag: DagLine) -> int:
    if dag.version_id is None:
        raise NotFound(f"no version of DAG {dag.dag_id} was ever loaded")
    return dag.version_id


@dags.command()
@click.argument("dag", shell_complete=names.dags)
@reading
@pass_session
def show(session: Session, dag: str, as_json: bool) -> None:
    """Show a DAG: its schedule, its tasks and their rules, its last runs."""
    with open_store(session.home) as store, store.snapshot():
        row = find_dag(store, dag)
        runs = reads_run.runs(store, dag_id=dag, count=10)
        version = reads_run.version(store, _version_of(row))
        spec = spec_of(store, _version_of(row))
    if as_json:
        emit_json(
            {
                **dag_json(row),
                **version_json(version),
                "spec": asdict(spec),
                "runs": [run_json(run) for run in runs],
            }
        )
        return
    facts(
        [
            ("dag", row.dag_id),
            ("state", dag_state(row)),
            ("file", f"{row.file}:{spec.line or 1}"),
            ("version", f"{version.number}, loaded {iso(version.created_at)}"),
            ("commit", origin(version)),
            ("when broken", spec.on_broken if spec.on_broken != "keep" else None),
            ("schedule", f"{row.schedule or 'by hand'}, {row.timezone}, {spec.schedule.kind}"),
            ("next run", iso(row.next_run_after)),
            ("owner", row.owner),
            ("tags", ", ".join(row.tags) or None),
            ("runbook", spec.runbook),
        ]
    )
    for line in sanitise_lines(spec.doc or ""):
        say(f"  {line}" if line else "")
    say()
    _print_tasks(spec)
    if runs:
        say()
        columns = [Column("run"), Column("state", state=True), Column("logical date")]
        table(columns, [(run.run_id, run.state, iso(run.logical_date)) for run in runs])


def _print_tasks(spec: DagSpec) -> None:
    columns = [
        Column("task"),
        Column("kind"),
        Column("after"),
        Column("trigger rule"),
        Column("retries", right=True),
        Column("pool"),
    ]
    rows = [
        (task.task_id, task.kind, ", ".join(task.upstream), task.trigger_rule, task.retry.retries or "", task.pool)
        for task in spec.tasks
    ]
    table(columns, rows)


@dags.command()
@click.argument("dag", shell_complete=names.dags)
@reading
@pass_session
def graph(session: Session, dag: str, as_json: bool) -> None:
    """Draw a DAG's graph, one task per line."""
    with open_store(session.home) as store:
        spec = spec_of(store, _version_of(find_dag(store, dag)))
    if as_json:
        edges = [{"from": name, "to": task.task_id} for task in spec.tasks for name in task.upstream]
        emit_json({"dag_id": dag, "tasks": [task.task_id for task in spec.tasks], "edges": edges})
        return
    for line in draw_graph(spec):
        say(line)


def draw_graph(spec: DagSpec) -> list[str]:
    """Lines of a picture: the rails of the graph, then the task's id."""
    # Imported on first use: no other verb draws.
    from console.graph.rail import NODE, build

    numbers = {task.task_id: number for number, task in enumerate(spec.tasks)}
    rail = build([[numbers[name] for name in task.upstream] for task in spec.tasks])
    return [
        f"{rail.row(place).text.replace(NODE, '●').ljust(rail.width)}  {clean(spec.tasks[number].task_id)}"
        for place, number in enumerate(rail.order)
    ]


dags.add_command(versions)
dags.add_command(source)
dags.add_command(diff)


@dags.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@reading
@pass_session
def validate(session: Session, path: Path | None, as_json: bool) -> int:
    """Load DAG files as the engine would, and say what is wrong: PATH, or everything in the home's dags/.

    Nothing is run and no engine is needed. Exit code 1 if something is wrong.
    """
    from console.cli.validating import validate_path

    return validate_path(session, path, as_json=as_json)


_select = click.option(
    "--select", "expression", metavar="EXPR", help="All DAGs that fit, instead of names: 'tag:close owner:ann'."
)


def _which(home: Home, dags: tuple[str, ...], expression: str | None) -> Selector:
    if bool(dags) == (expression is not None):
        raise CliError("DAGs by name, or --select EXPRESSION", Exit.USAGE)
    if expression is not None:
        return fitting(expression, "dags")
    _known(home, dags)
    return select(dags=dags)


@dags.command()
@click.argument("dag", nargs=-1, shell_complete=names.dags)
@_select
@changing
@pass_session
def pause(session: Session, dag: tuple[str, ...], expression: str | None, asking: Asking) -> None:
    """Pause DAGs: no new runs are made. What runs, runs to its end."""
    report(change(session, "pause", _which(session.home, dag, expression), {}, asking), asking)


@dags.command()
@click.argument("dag", nargs=-1, shell_complete=names.dags)
@click.option("--catchup", type=click.Choice(["none", "latest", "all"]), help="Instead of the DAG's own catch-up.")
@_select
@changing
@pass_session
def resume(session: Session, dag: tuple[str, ...], catchup: str | None, expression: str | None, asking: Asking) -> None:
    """Resume DAGs that were paused. What fell due meanwhile is made as their catch-up says."""
    args = {"catchup": catchup} if catchup else {}
    report(change(session, "resume", _which(session.home, dag, expression), args, asking), asking)


@dags.command()
@click.argument("dag", nargs=-1, required=True, shell_complete=names.dags)
@changing
@pass_session
def delete(session: Session, dag: tuple[str, ...], asking: Asking) -> None:
    """Move all runs of DAGs that are over to the trash: for a week `dagdeck runs restore` brings them back."""
    report(change(session, "delete", _which(session.home, dag, None), {}, asking), asking)


@dags.command()
@click.argument("dag", required=False, shell_complete=names.dags)
@reading
@pass_session
def gaps(session: Session, dag: str | None, as_json: bool) -> None:
    """List intervals that were left out, of DAG or of all. `dagdeck backfill create DAG --gaps` fills them."""
    with open_store(session.home) as store:
        rows = reads_schedule.gaps(store, find_dag(store, dag).dag_id if dag else None)
    if as_json:
        emit_json(
            [{**row._asdict(), "first": iso(row.first), "until": iso(row.until), "at": iso(row.at)} for row in rows]
        )
        return
    columns = [Column("DAG"), Column("from"), Column("until"), Column("runs", right=True), Column("why")]
    table(columns, [(row.dag_id, iso(row.first), iso(row.until), row.runs, GAP_WORDS[row.why]) for row in rows])
    if not rows:
        no_rows("no gaps")


def _known(home: Home, dag_ids: tuple[str, ...]) -> None:
    with open_store(home) as store:
        for dag_id in dag_ids:
            find_dag(store, dag_id)
