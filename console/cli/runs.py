"""`dagdeck runs …`: list, show, wait; `report` stands in a module of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import click

from console.cli import names
from console.cli.errors import CliError, Exit
from console.cli.options import reading
from console.cli.output import Column, emit_json, facts, no_rows, say, state_word, table
from console.cli.reading import (
    Reader,
    RunDetail,
    RunLine,
    find_dag,
    find_run,
    iso,
    open_store,
    reads_run,
)
from console.cli.reporting import report_run
from console.cli.session import Session, pass_session
from console.cli.shapes import run_detail_json, run_json, took_words, version_json
from console.cli.source import origin
from console.cli.standing import mention_hold, mention_idleness
from console.cli.tasks import print_tasks, tasks_json
from console.figures import ago
from engine.model.dag import Json
from engine.model.moments import Micros, to_iso
from engine.model.states import TERMINAL_RUN, Reason, RunState

POLL_SECONDS = 0.1


_CHANGING = ("delete", "restore", "trash")


class _Runs(click.Group):
    """Listings do not load what changes something."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_CHANGING])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _CHANGING:
            return super().get_command(ctx, cmd_name)
        from console.cli import trash

        command = getattr(trash, cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Runs)
def runs() -> None:
    """Runs: list, show, report, wait; delete, restore, trash."""


runs.add_command(report_run)


@runs.command("list")
@click.argument("dag", required=False, shell_complete=names.dags)
@click.option("--state", type=click.Choice([str(state) for state in RunState]), help="Only runs in this state.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Runs to list at most.")
@reading
@pass_session
def list_runs(session: Session, dag: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first: those of DAG by logical date, else of all DAGs as they were made."""
    now = time.time_ns() // 1000
    with open_store(session.home) as store:
        if dag is not None:
            find_dag(store, dag)
        found = reads_run.runs(store, dag_id=dag, state=state, count=limit)
        mention_idleness(session.home, store, [run.state for run in found], now)
    if as_json:
        emit_json([run_json(run) for run in found])
        return
    columns = [
        Column("run"),
        Column("state", state=True),
        Column("type"),
        Column("logical date"),
        Column("started", right=True),
        Column("took", right=True),
    ]
    table(columns, [_row(run, now) for run in found])
    if not found:
        no_rows("no run")


def _row(run: RunLine, now: Micros) -> tuple[object, ...]:
    return (
        run.run_id,
        run.state,
        run.run_type,
        to_iso(run.logical_date),
        f"{ago(run.started_at, now)} ago" if run.started_at is not None else "",
        took_words(run, now) or "",
    )


@runs.command()
@click.argument("run", shell_complete=names.runs)
@reading
@pass_session
def show(session: Session, run: str, as_json: bool) -> None:
    """Show a run: its dates, its outcome, who asked for it, and its tasks."""
    with open_store(session.home) as store, store.snapshot():
        found = find_run(store, run)
        mention_idleness(session.home, store, [found.state], time.time_ns() // 1000)
        if as_json:
            version = version_json(reads_run.version(store, found.version_id))
            config = {"config": reads_run.run_config(store, found.id)}
            emit_json({**run_detail_json(found), **version, **config, "tasks": tasks_json(store, found)})
            return
        _show(store, found)
        say()
        print_tasks(store, found)


def _show(store: Reader, run: RunDetail) -> None:
    asked = [mention for mention in reads_run.mentions(store, run.id, 0) if mention.task_instance is None]
    config = reads_run.run_config(store, run.id)
    facts(
        [
            ("run", run.run_id),
            ("state", f"{run.state} ({run.reason})"),
            ("type", run.run_type + (f", by {run.created_by}" if run.created_by else "")),
            ("logical date", iso(run.logical_date)),
            ("interval", f"{iso(run.interval_start)} to {iso(run.interval_end)}"),
            ("created", iso(run.created_at)),
            ("started", iso(run.started_at)),
            ("ended", iso(run.ended_at)),
            ("took", took_words(run)),
            ("episode", run.episode if run.episode > 1 else None),
            *_version(store, run),
            ("environment", config.get("environment")),
            ("params", params_words(run.params, config.get("params_from", {})) or None),
            ("config", json.dumps(config["config"]) if "config" in config else None),
            ("note", run.note),
            *(("last command", f"{mention.verb} by {mention.user}, {iso(mention.at)}") for mention in asked),
        ]
    )


def params_words(params: Mapping[str, Json], came: Mapping[str, str]) -> str:
    """Values as JSON, and where those came from that are neither typed nor the DAG's own."""
    return ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" + (f" ({came[name]})" if name in came else "")
        for name, value in params.items()
    )


def _version(store: Reader, run: RunDetail) -> list[tuple[str, object]]:
    """Which code it runs, and whether that is still the current one."""
    version = reads_run.version(store, run.version_id)
    newest = reads_run.versions(store, run.dag_id, count=1)
    later = f" (the newest is {newest[0].number})" if newest and newest[0].number != version.number else ""
    return [("version", f"{version.number}{later}"), ("commit", origin(version))]


@runs.command()
@click.argument("run", shell_complete=names.runs)
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Give up after so long; exit code 1.")
@reading
@pass_session
def wait(session: Session, run: str, timeout: float | None, as_json: bool) -> int:
    """Wait until a run has ended. Exit code 0 if it succeeded, 1 if it did not."""
    with open_store(session.home) as store:
        found = find_run(store, run)
        mention_idleness(session.home, store, [found.state], time.time_ns() // 1000)
        found = wait_for_run(store, found.id, timeout)
    if as_json:
        emit_json(run_detail_json(found))
    else:
        say_outcome(found)
    return exit_code_of(found)


def say_outcome(run: RunDetail) -> None:
    """One line on how a run ended."""
    took = took_words(run)
    allowed = "  (tasks failed that may)" if run.reason == Reason.FAILURES_ALLOWED else ""
    say(f"{run.run_id}  {state_word(run.state)}{allowed}" + (f"  {took}" if took is not None else ""))


def exit_code_of(run: RunDetail) -> int:
    """What a waited-for run means to a script."""
    return int(Exit.DONE if run.state == RunState.SUCCESS else Exit.FAILED)


def wait_for_run(store: Reader, run: int, timeout: float | None) -> RunDetail:
    """The run once it has ended. Raises CliError when that takes longer than `timeout` seconds.

    Says on standard error, once, what hold or pause it waits for.
    """
    told = False
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        found = reads_run.run(store, run)
        if found.state in TERMINAL_RUN:
            return found
        told = told or mention_hold(store, [run], time.time_ns() // 1000)
        if deadline is not None and time.monotonic() >= deadline:
            raise CliError(f"{found.run_id} has not ended after {timeout:g} s: it is {found.state}")
        time.sleep(POLL_SECONDS)
