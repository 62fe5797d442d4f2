"""`dagdeck trigger`: a run of a DAG, by hand."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit, NotFound
from console.cli.link import engine_pid, select
from console.cli.options import Asking, changing, param_option
from console.cli.output import emit_json
from console.cli.reading import Reader, find_dag, find_run, open_store
from console.cli.runs import exit_code_of, say_outcome, wait_for_run
from console.cli.session import Session, pass_session
from console.cli.shapes import run_detail_json
from engine.home import Home

LIVE_SECONDS = 5.0
"""By then a change in `dags/` is live: two seconds of quiet, and the time to load it."""


@click.command()
@click.argument("dag", required=False, shell_complete=names.dags)
@click.option(
    "--like",
    metavar="RUN",
    shell_complete=names.runs,
    help="Again as RUN: its DAG, logical date and params, but for those given here.",
)
@click.option("--logical-date", metavar="D", help="The run's logical date; naive text is in the DAG's zone.")
@param_option("A parameter, read as the DAG declares it.")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    shell_complete=names.environments,
    help="Run it in this environment of dagdeck.toml.",
)
@click.option("--parallel", is_flag=True, help="Also while a scheduled run of that date is under way.")
@click.option("--wait", is_flag=True, help="Wait for the run's end; exit code 1 if it does not succeed.")
@changing
@pass_session
def trigger(
    session: Session,
    dag: str | None,
    like: str | None,
    logical_date: str | None,
    params: tuple[str, ...],
    environment: str | None,
    parallel: bool,
    wait: bool,
    asking: Asking,
) -> int:
    """Start a run of DAG, or one more like RUN. Without a logical date it is that of the last completed interval."""
    args: dict[str, Any] = {"param_texts": dict(parse_param(text) for text in params), "parallel": parallel}
    if environment is not None:
        args["environment"] = environment
    if logical_date is not None:
        args["logical_date"] = logical_date
    with open_store(session.home) as store:
        if like is not None:
            args["like"] = find_run(store, like).run_id
        elif dag is None:
            raise CliError("a DAG, or --like RUN", Exit.USAGE)
        else:
            expect_dag(session.home, store, dag)
    done = change(session, "trigger", select(dags=() if dag is None else (dag,)), args, asking)
    if done is None or not wait:
        report(done, asking)
        return int(Exit.DONE)
    if not asking.as_json:
        report(done, asking)
    with open_store(session.home) as store:
        run = wait_for_run(store, find_run(store, done.result["run_id"]).id, None)
    if asking.as_json:
        emit_json(run_detail_json(run))
    else:
        say_outcome(run)
    return exit_code_of(run)


def expect_dag(home: Home, store: Reader, dag_id: str) -> None:
    """Returns once the DAG is known. While a DAG file is so new that the engine cannot have read it yet, waits for it.

    Raises NotFound.
    """
    changed = max((path.stat().st_mtime for path in home.dags.rglob("*.py")), default=0.0)
    while True:
        try:
            find_dag(store, dag_id)
        except NotFound:
            if engine_pid(home) is None or not 0 <= time.time() - changed < LIVE_SECONDS:
                raise
            time.sleep(0.1)
        else:
            return


def parse_param(text: str) -> tuple[str, str]:
    """The name and the value of `K=V`, as typed: the DAG's declaration says what the value means. Raises CliError."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CliError(f"--param {text!r} should be K=V, such as --param env=dev", Exit.USAGE)
    return name, value
