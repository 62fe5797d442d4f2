"""The entry point of `dagdeck`: the table of verbs, and the way every failure leaves the process."""

from __future__ import annotations

import os
import signal
import sys
from types import TracebackType
from typing import NoReturn

import click

from console.cli.errors import CliError, Exit
from console.cli.lazy import LazyGroup, Verb
from console.cli.session import Session, home_option
from engine.version import VERSION

_LOOK, _CHANGE, _ENGINE, _HOME = "Look", "Change", "Engine", "Homes and checks"

VERBS: dict[str, Verb] = {
    "dags": Verb(
        "console.cli.dags", "dags", _LOOK, "DAGs: list, show, graph, source, validate, pause, resume, delete."
    ),
    "runs": Verb("console.cli.runs", "runs", _LOOK, "Runs: list, show, report, wait, delete, restore."),
    "tasks": Verb("console.cli.tasks", "tasks", _LOOK, "The task instances of a run."),
    "logs": Verb("console.cli.logs", "logs", _LOOK, "The log of a task's attempt."),
    "why": Verb("console.cli.tasks", "why", _LOOK, "Why a task, a run, a DAG or a backfill is as it is."),
    "inbox": Verb("console.cli.inbox", "inbox", _LOOK, "Failures by cause: list, claim, release, resolve."),
    "stats": Verb("console.cli.figures", "stats", _LOOK, "Durations and success rates."),
    "audit": Verb("console.cli.auditing", "audit", _LOOK, "Who asked for what, and what came of it."),
    "connections": Verb("console.cli.connections", "connections", _LOOK, "Connections to other systems: list, check."),
    "breakers": Verb("console.cli.breakers", "breakers", _LOOK, "Circuit breakers: how they stand; trip, hold, reset."),
    "approvals": Verb("console.cli.approvals", "approvals", _LOOK, "What waits for a person's answer."),
    "pools": Verb("console.cli.pools", "pools", _LOOK, "Pools: who holds their slots; make, resize, remove."),
    "open": Verb("console.cli.visiting", "open_", _LOOK, "The console at an address, a DAG, a run or a task."),
    "trigger": Verb("console.cli.trigger", "trigger", _CHANGE, "Start a run of a DAG."),
    "rerun": Verb("console.cli.changes", "rerun", _CHANGE, "Run all tasks of a run again, or those that failed."),
    "clear": Verb("console.cli.changes", "clear", _CHANGE, "Forget the outcome of tasks, so that they run again."),
    "mark": Verb("console.cli.changes", "mark", _CHANGE, "Decide a task's state yourself."),
    "retry": Verb("console.cli.changes", "retry", _CHANGE, "Start a waiting retry now."),
    "answer": Verb("console.cli.approvals", "answer", _CHANGE, "Answer an approval."),
    "kill": Verb("console.cli.changes", "kill", _CHANGE, "Stop a running task; it fails and is not retried."),
    "stack": Verb("console.cli.changes", "stack", _CHANGE, "Have a running task write what it is doing into its log."),
    "cancel": Verb("console.cli.changes", "cancel", _CHANGE, "Stop a run and whatever of it is running."),
    "prioritize": Verb("console.cli.changes", "prioritize", _CHANGE, "Let waiting tasks of a run go before others."),
    "recover": Verb("console.cli.inbox", "recover", _CHANGE, "After an incident: run again what failed of one cause."),
    "pause": Verb("console.cli.changes", "pause", _CHANGE, "Let a run start nothing more."),
    "resume": Verb("console.cli.changes", "resume", _CHANGE, "Let a paused run go on."),
    "undo": Verb("console.cli.changes", "undo", _CHANGE, "Take back what has not started, for a minute."),
    "hold": Verb("console.cli.holding", "hold", _CHANGE, "Start nothing new: everywhere, in a pool, in some DAGs."),
    "release": Verb("console.cli.holding", "release", _CHANGE, "End holds."),
    "holds": Verb("console.cli.holding", "holds", _LOOK, "What is on hold, by whom, since when."),
    "backfill": Verb(
        "console.cli.backfill", "backfill", _CHANGE, "Backfills: create, list, show, pause, resume, cancel, retry."
    ),
    "engine": Verb("console.cli.engine", "engine", _ENGINE, "The engine: start, run, stop, drain, status."),
    "service": Verb("console.cli.service", "service", _ENGINE, "The engine as a service: install, status, uninstall."),
    "init": Verb("console.cli.init", "init", _HOME, "Make a home with a first DAG."),
    "demo": Verb("console.cli.demo", "demo", _HOME, "Look around in a throw-away home with live runs."),
    "test": Verb("console.cli.testing", "test", _HOME, "Run a DAG here and now, in one process, without an engine."),
    "schedule": Verb("console.cli.schedule", "schedule", _HOME, "What a schedule means: words, points, intervals."),
    "backup": Verb("console.cli.backups", "backup", _HOME, "Save a home, while its engine runs."),
    "restore": Verb("console.cli.backups", "restore", _HOME, "Make a home of a backup; it starts on hold."),
    "salvage": Verb("console.cli.backups", "salvage", _HOME, "Save what can be read of a damaged store."),
    "prune": Verb("console.cli.pruning", "prune", _HOME, "Remove what is older than the home keeps it."),
    "doctor": Verb("console.cli.doctor", "doctor", _HOME, "Check this installation and this home."),
    "verify": Verb("console.cli.verifying", "verify_home", _HOME, "Check everything that must hold of a home."),
    "reset-terminal": Verb("console.cli.terminal", "reset_terminal", _HOME, "Give a broken terminal back."),
}


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="An operations console for data pipelines. Without a verb: open the console, starting an engine if none runs.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 no engine, 4 not found, 5 refused.",
)
@click.option("--read-only", is_flag=True, help="Open the console such that nothing can be changed from it.")
@home_option
@click.version_option(VERSION, "-V", "--version", message="dagdeck %(version)s", help="Print the version.")
@click.pass_context
def root(ctx: click.Context, read_only: bool) -> None:
    """Opens the console when no verb is given."""
    if ctx.invoked_subcommand is None:
        from console.cli.opening import open_console

        open_console(ctx.ensure_object(Session), read_only=read_only)
    elif read_only:
        raise click.UsageError("--read-only is for the console; a verb that looks changes nothing anyway")


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code. Every expected failure becomes a sentence, never a traceback."""
    from console.cli.output import complain

    try:
        code = root.main(arguments, prog_name="dagdeck", standalone_mode=False, obj=Session())
        return code if isinstance(code, int) else int(Exit.DONE)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.UsageError as error:
        where = f" (see `{error.ctx.command_path} --help`)" if error.ctx is not None else ""
        complain(error.format_message() + where)
        return int(Exit.USAGE)
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return 130
    except SystemExit:
        # Click's answer to a closed pipe: the reader went away, as `| head` does. Shells know that by this code.
        return 128 + signal.SIGPIPE
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        complain(str(known))
        return int(known.code)


def _known(error: Exception) -> CliError | None:
    """What the errors of the engine's rooms mean to a person; None for a fault of this program."""
    from console.cli.faults import explain

    return explain(error)


def main() -> NoReturn:
    """The console script. Whatever it makes is for its user alone."""
    os.umask(0o077)
    _open_streams()
    sys.excepthook = _tell_fault
    sys.exit(run(sys.argv[1:]))


def _open_streams() -> None:
    """A standard stream that the caller has closed leads nowhere: else the next file that is opened gets its number."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _tell_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A fault of this program, as the interpreter tells it; what foreign text its message holds is made visible."""
    import traceback

    from console.text import sanitise_lines

    told = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write("\n".join(sanitise_lines(told.rstrip("\n"))) + "\n")
