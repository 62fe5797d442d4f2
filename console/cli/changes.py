"""Verbs that change a run or its tasks: rerun, clear, mark, retry, kill, cancel, pause, resume."""

from __future__ import annotations

from dataclasses import replace

import click

from console.cli.changing import change, report
from console.cli.link import select
from console.cli.options import Asking, changing
from console.cli.output import clean, say
from console.cli.reading import Reader, RunDetail, find_run, find_task, open_store, spec_of
from console.cli.session import Session, pass_session
from engine.config import Home


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


_retries = click.option(
    "--retries", type=click.IntRange(0), metavar="N", help="Retries from here on, in place of the tasks' own; 0: none."
)


@click.command()
@click.argument("run")
@click.option("--failed", is_flag=True, help="Only what failed, and what did not run because of it.")
@_retries
@changing
@pass_session
def rerun(session: Session, run: str, failed: bool, retries: int | None, asking: Asking) -> None:
    """Run RUN again: all of its tasks, or with --failed those that did not succeed. Its id stays."""
    run_id = run_id_of(session.home, run)
    report(change(session, "rerun", select(runs=(run_id,)), {"failed": failed, "retries": retries}, asking), asking)


@click.command()
@click.argument("run")
@click.argument("task", nargs=-1)
@click.option("--downstream", is_flag=True, help="Also everything below these tasks.")
@click.option("--upstream", is_flag=True, help="Also everything above these tasks.")
@click.option("--failed", is_flag=True, help="Of these, only what failed.")
@click.option(
    "--force", is_flag=True, help="Run them in any case: left out by a branch, below a failure, or held back."
)
@_retries
@changing
@pass_session
def clear(
    session: Session,
    run: str,
    task: tuple[str, ...],
    downstream: bool,
    upstream: bool,
    failed: bool,
    force: bool,
    retries: int | None,
    asking: Asking,
) -> None:
    """Clear TASKs of RUN, or all of them: their outcome is forgotten and they run again. Attempts and logs stay."""
    run_id, tasks = run_and_tasks(session.home, run, task)
    args = {"downstream": downstream, "upstream": upstream, "only_failed": failed, "force": force, "retries": retries}
    report(change(session, "clear", select(runs=(run_id,), tasks=tasks), args, asking), asking)


@click.command()
@click.argument("run")
@click.argument("task")
@click.argument("state", type=click.Choice(["success", "failed", "skipped"]))
@changing
@pass_session
def mark(session: Session, run: str, task: str, state: str, asking: Asking) -> None:
    """Mark TASK of RUN as success, failed or skipped. If it runs, it is stopped first."""
    run_id, tasks = run_and_tasks(session.home, run, (task,))
    report(change(session, "mark", select(runs=(run_id,), tasks=tasks), {"state": state}, asking), asking)


@click.command()
@click.argument("run")
@click.argument("task")
@changing
@pass_session
def retry(session: Session, run: str, task: str, asking: Asking) -> None:
    """Start the waiting retry of TASK of RUN now; its budget of retries stays as it is."""
    run_id, tasks = run_and_tasks(session.home, run, (task,))
    report(change(session, "retry", select(runs=(run_id,), tasks=tasks), {}, asking), asking)


@click.command()
@click.argument("run")
@click.argument("task")
@click.option("--force", is_flag=True, help="Kill at once, without the time to end by itself.")
@changing
@pass_session
def kill(session: Session, run: str, task: str, force: bool, asking: Asking) -> None:
    """Stop the running TASK of RUN: it is asked to end, then killed. It fails and is not retried."""
    run_id, tasks = run_and_tasks(session.home, run, (task,))
    report(change(session, "kill", select(runs=(run_id,), tasks=tasks), {"force": force}, asking), asking)


@click.command()
@click.argument("run")
@click.argument("task")
@changing
@pass_session
def stack(session: Session, run: str, task: str, asking: Asking) -> None:
    """Have the running TASK of RUN write its process tree, and the stacks of Python threads, into its log."""
    run_id, tasks = run_and_tasks(session.home, run, (task,))
    # Nothing of the run changes by it, so there is nothing to ask about.
    done = change(session, "stack", select(runs=(run_id,), tasks=tasks), {}, replace(asking, yes=True))
    report(done, asking)
    if done is not None and not asking.as_json:
        for log in done.result.get("logs", ()):
            say(clean(f"from byte {log['offset']} on in {log['path']}"))


@click.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Stop teardowns, too, which otherwise still clean up.")
@changing
@pass_session
def cancel(session: Session, run: str, force: bool, asking: Asking) -> None:
    """Cancel RUN: running tasks are stopped, and those that have not started never will. Teardowns still run."""
    run_id = run_id_of(session.home, run)
    report(change(session, "cancel", select(runs=(run_id,)), {"force": force}, asking), asking)


@click.command()
@click.argument("run")
@changing
@pass_session
def pause(session: Session, run: str, asking: Asking) -> None:
    """Pause RUN: nothing more of it starts until it is resumed. What runs goes on. (For DAGs: dags pause.)"""
    run_id = run_id_of(session.home, run)
    report(change(session, "pause", select(runs=(run_id,)), {}, asking), asking)


@click.command()
@click.argument("run")
@changing
@pass_session
def resume(session: Session, run: str, asking: Asking) -> None:
    """Resume RUN, which was paused. (For DAGs: dags resume.)"""
    run_id = run_id_of(session.home, run)
    report(change(session, "resume", select(runs=(run_id,)), {}, asking), asking)
