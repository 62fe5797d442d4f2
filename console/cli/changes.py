"""Verbs that change a run or its tasks: rerun, clear, mark, retry, kill, cancel, pause, resume, undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit
from console.cli.link import fitting, select
from console.cli.options import Asking, changing
from console.cli.output import clean, say
from console.cli.reading import Reader, RunDetail, find_run, find_task, open_store, spec_of
from console.cli.session import Session, pass_session
from engine.home import Home

if TYPE_CHECKING:
    from console.cli.link import Selector

_MARKS = ("success", "failed", "skipped")


def run_id_of(home: Home, text: str) -> str:
    """The full id of the run that a command line names."""
    with open_store(home) as store:
        return find_run(store, text).run_id


def run_and_tasks(home: Home, run: str, tasks: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The full ids of a run and of tasks of it. Raises NotFound before the engine is asked anything."""
    with open_store(home) as store:
        found = find_run(store, run)
        return found.run_id, tuple(_checked(store, found, task) for task in tasks)


def _checked(store: Reader, run: RunDetail, name: str) -> str:
    """The name itself, if it is a task, an index of one, or a task group of the run's DAG version."""
    groups = {task.group for task in spec_of(store, run.version_id).tasks if task.group}
    if not any(f"{group}.".startswith(f"{name}.") for group in groups):
        find_task(store, run, name)
    return name


def chosen(home: Home, expression: str | None, run: str | None, tasks: tuple[str, ...] = ()) -> Selector:
    """What a verb is about: a run, tasks of it, or all that an expression fits. Raises CliError for both or neither."""
    if (expression is None) == (run is None):
        raise CliError("a RUN, or --select EXPRESSION", Exit.USAGE)
    if expression is not None:
        return fitting(expression)
    assert run is not None
    if not tasks:
        return select(runs=(run_id_of(home, run),))
    run_id, names = run_and_tasks(home, run, tasks)
    return select(runs=(run_id,), tasks=names)


select_option = click.option(
    "--select", "expression", metavar="EXPR", help="All that fits, instead of names: 'state:failed since:2h dag:etl_*'."
)
_retries = click.option(
    "--retries", type=click.IntRange(0), metavar="N", help="Retries from here on, in place of the tasks' own; 0: none."
)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.option("--failed", is_flag=True, help="Only what failed, and what did not run because of it.")
@_retries
@select_option
@changing
@pass_session
def rerun(
    session: Session, run: str | None, failed: bool, retries: int | None, expression: str | None, asking: Asking
) -> None:
    """Run RUN again: all of its tasks, or with --failed those that did not succeed. Its id stays."""
    selector = chosen(session.home, expression, run)
    report(change(session, "rerun", selector, {"failed": failed, "retries": retries}, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.argument("task", nargs=-1, shell_complete=names.tasks)
@click.option("--downstream", is_flag=True, help="Also everything below these tasks.")
@click.option("--upstream", is_flag=True, help="Also everything above these tasks.")
@click.option("--past", is_flag=True, help="Also the same tasks in the DAG's earlier runs.")
@click.option("--future", is_flag=True, help="Also the same tasks in the DAG's later runs.")
@click.option("--failed", is_flag=True, help="Of these, only what failed.")
@click.option(
    "--force", is_flag=True, help="Run them in any case: left out by a branch, below a failure, or held back."
)
@_retries
@select_option
@changing
@pass_session
def clear(
    session: Session, /, run: str | None, task: tuple[str, ...], expression: str | None, asking: Asking, **flags: Any
) -> None:
    """Clear TASKs of RUN, or all of them: their outcome is forgotten and they run again. Attempts and logs stay."""
    selector = chosen(session.home, expression, run, task)
    args = {"only_failed" if name == "failed" else name: value for name, value in flags.items()}
    report(change(session, "clear", selector, args, asking), asking)


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN TASK...] STATE", shell_complete=names.mark_words)
@click.option("--past", is_flag=True, help="Also the same tasks in the DAG's earlier runs.")
@click.option("--future", is_flag=True, help="Also the same tasks in the DAG's later runs.")
@select_option
@changing
@pass_session
def mark(
    session: Session, words: tuple[str, ...], past: bool, future: bool, expression: str | None, asking: Asking
) -> None:
    """Mark TASKs of RUN as success, failed or skipped. What runs is stopped first."""
    if not words or words[-1] not in _MARKS or (expression is None and len(words) < 3):
        raise CliError(f"a RUN, its TASKs (or --select), and one of {', '.join(_MARKS)}", Exit.USAGE)
    *named, state = words
    selector = chosen(session.home, expression, named[0] if named else None, tuple(named[1:]))
    report(change(session, "mark", selector, {"state": state, "past": past, "future": future}, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.argument("task", nargs=-1, shell_complete=names.tasks)
@select_option
@changing
@pass_session
def retry(session: Session, run: str | None, task: tuple[str, ...], expression: str | None, asking: Asking) -> None:
    """Start the waiting retries of TASKs of RUN now, or of all of them; their budget of retries stays as it is."""
    report(change(session, "retry", chosen(session.home, expression, run, task), {}, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.argument("task", nargs=-1, shell_complete=names.tasks)
@click.option("--force", is_flag=True, help="Kill at once, without the time to end by itself.")
@click.option("--retry", "again", is_flag=True, help="Once it has ended, run it again.")
@select_option
@changing
@pass_session
def kill(
    session: Session,
    run: str | None,
    task: tuple[str, ...],
    force: bool,
    again: bool,
    expression: str | None,
    asking: Asking,
) -> None:
    """Stop running TASKs of RUN: they are asked to end, then killed. They fail, and are not retried without --retry."""
    if run is not None and not task:
        raise CliError("name the TASKs to kill; `dagdeck cancel RUN` ends the whole run", Exit.USAGE)
    args = {"force": force, "again": again}
    report(change(session, "kill", chosen(session.home, expression, run, task), args, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.argument("task", nargs=-1, shell_complete=names.tasks)
@select_option
@changing
@pass_session
def stack(session: Session, run: str | None, task: tuple[str, ...], expression: str | None, asking: Asking) -> None:
    """Have running TASKs of RUN write their process trees, and the stacks of Python threads, into their logs."""
    # Nothing of the run changes by it, so there is nothing to ask about.
    done = change(session, "stack", chosen(session.home, expression, run, task), {}, replace(asking, yes=True))
    report(done, asking)
    if done is not None and not asking.as_json:
        for log in done.result.get("logs", ()):
            say(clean(f"from byte {log['offset']} on in {log['path']}"))


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.option("--by", type=int, metavar="N", help="Add N to it; 10 if nothing is said. Negative: let others go first.")
@click.option("--to", type=int, metavar="N", help="Make it N; 0 is what the DAG says.")
@select_option
@changing
@pass_session
def prioritize(
    session: Session, run: str | None, by: int | None, to: int | None, expression: str | None, asking: Asking
) -> None:
    """Let waiting tasks of RUN go before those of other runs: adds to their priority weight."""
    if by is not None and to is not None:
        raise CliError("--by or --to, not both", Exit.USAGE)
    args = {name: value for name, value in (("by", by), ("to", to)) if value is not None}
    report(change(session, "prioritize", chosen(session.home, expression, run), args, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@click.option("--force", is_flag=True, help="Stop teardowns, too, which otherwise still clean up.")
@select_option
@changing
@pass_session
def cancel(session: Session, run: str | None, force: bool, expression: str | None, asking: Asking) -> None:
    """Cancel RUN: running tasks are stopped, and those that have not started never will. Teardowns still run."""
    report(change(session, "cancel", chosen(session.home, expression, run), {"force": force}, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@select_option
@changing
@pass_session
def pause(session: Session, run: str | None, expression: str | None, asking: Asking) -> None:
    """Pause RUN: nothing more of it starts until it is resumed. What runs goes on. (For DAGs: dags pause.)"""
    report(change(session, "pause", chosen(session.home, expression, run), {}, asking), asking)


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@select_option
@changing
@pass_session
def resume(session: Session, run: str | None, expression: str | None, asking: Asking) -> None:
    """Resume RUN, which was paused. (For DAGs: dags resume.)"""
    report(change(session, "resume", chosen(session.home, expression, run), {}, asking), asking)


@click.command()
@click.argument("command", required=False)
@changing
@pass_session
def undo(session: Session, command: str | None, asking: Asking) -> None:
    """Take back your newest command, or COMMAND by its number or id in the audit: what has not started, for 1 min."""
    report(change(session, "undo", select(), {} if command is None else {"command": command}, asking), asking)
