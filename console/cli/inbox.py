"""`dagdeck inbox` and `recover`: what has failed and nobody has put right, by cause, and putting it right as one."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit
from console.cli.link import select
from console.cli.options import Asking, Listing, changing, reading
from console.cli.output import Column, clean, emit_json, say, table, warn
from console.cli.reading import iso, open_store, reads_inbox
from console.cli.session import Session, home_option, pass_session
from console.cli.standing import mention_hold
from console.figures import ago
from engine.home import Home
from engine.model.ids import instance_name
from engine.model.terms import TermError, parse_terms

POLL_SECONDS = 0.2


@click.group(cls=Listing)
@home_option
def inbox() -> None:
    """Failures that nobody has put right, and what waits for its next try, by cause, and who is on them."""


@inbox.command("list")
@click.option("--since", metavar="T", help="Only what failed since then: 2h, 3d, or a date.")
@click.option("--all", "each", is_flag=True, help="Also each failure below its cause.")
@reading
@pass_session
def list_inbox(session: Session, since: str | None, each: bool, as_json: bool) -> None:
    """List causes; `dagdeck inbox` alone does the same."""
    now = time.time_ns() // 1000
    with open_store(session.home) as store:
        found = reads_inbox.causes(store, _moment(since, now), retrying=True)
    if as_json:
        emit_json([_cause_json(cause) for cause in found])
        return
    if not found:
        say("nothing has failed that nobody has put right")
        return
    columns = [
        Column("key"), Column("failed", right=True), Column("in retry", right=True), Column("DAGs", right=True),
        Column("last"), Column("on it"), Column("cause"),
    ]  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for cause in found:
        dags, last = {row.dag_id for row in cause.rows}, max(row.at for row in cause.rows)
        who = "" if cause.claim is None else cause.claim.who
        waiting = len(cause.rows) - cause.failed or ""
        rows.append((cause.key, cause.failed, waiting, len(dags), f"{ago(last, now)} ago", who, cause.signature))
        if each:
            rows += [
                (
                    "",
                    "",
                    "",
                    "",
                    f"{ago(row.at, now)} ago",
                    "",
                    f"  {row.run_id} {instance_name(row.task_id, row.map_index)}",
                )
                for row in cause.rows
            ]
    table(columns, rows)


def _cause_json(cause: reads_inbox.Cause) -> dict[str, Any]:
    claim = cause.claim
    return {
        "key": cause.key,
        "cause": cause.signature,
        "failed": cause.failed,
        "retrying": len(cause.rows) - cause.failed,
        "dag_ids": sorted({row.dag_id for row in cause.rows}),
        "first_at": iso(min(row.at for row in cause.rows)),
        "last_at": iso(max(row.at for row in cause.rows)),
        "claimed_by": None if claim is None else claim.who,
        "claimed_at": None if claim is None else iso(claim.at),
        "note": None if claim is None else claim.note,
        "failures": [
            {
                "dag_id": row.dag_id,
                "run_id": row.run_id,
                "task_id": row.task_id,
                "map_index": row.map_index,
                "state": row.state,
                "attempt": row.attempt,
                "logical_date": iso(row.logical_date),
                "ended_at": iso(row.at),
                "error": row.error,
            }
            for row in cause.rows
        ],
    }


def _moment(text: str | None, now: int) -> int:
    if text is None:
        return 0
    try:
        return parse_terms(f"since:{text}", now).terms[0].low or 0
    except TermError as error:
        raise CliError(str(error), Exit.USAGE) from error


@inbox.command()
@click.argument("cause", shell_complete=names.causes)
@changing
@pass_session
def claim(session: Session, cause: str, asking: Asking) -> None:
    """Say that you are on CAUSE, a key of `dagdeck inbox`: everybody sees it."""
    report(change(session, "claim", select(), {"cause": cause}, asking), asking)


@inbox.command()
@click.argument("cause", shell_complete=names.causes)
@changing
@pass_session
def release(session: Session, cause: str, asking: Asking) -> None:
    """Say that nobody is on CAUSE any more."""
    report(change(session, "claim", select(), {"cause": cause, "release": True}, asking), asking)


@inbox.command()
@click.argument("cause", shell_complete=names.causes)
@changing
@pass_session
def resolve(session: Session, cause: str, asking: Asking) -> None:
    """Put the failures of CAUSE away as seen to. What fails anew comes back."""
    report(change(session, "resolve", select(), {"cause": cause}, asking), asking)


@click.command()
@click.option("--since", metavar="T", help="What failed since then: 2h, 3d, or a date.")
@click.option("--error", metavar="TEXT", help="Only errors that hold this text.")
@click.option("--cause", metavar="KEY", shell_complete=names.causes, help="One cause of `dagdeck inbox`.")
@click.option("--at-once", type=click.IntRange(1, 200), metavar="N", help="Runs at a time after the first. [4]")
@click.option("--stop", type=click.IntRange(1), metavar="NUMBER", help="Start nothing more of this recovery.")
@click.option("--wait", is_flag=True, help="Count down to its end; exit code 1 if anything failed again.")
@changing
@pass_session
def recover(session: Session, /, wait: bool, asking: Asking, **given: Any) -> int:
    """After an incident: run again what failed of one cause, and retry at once what waits for its retry.

    One run goes first; once it has succeeded the others follow, oldest interval first, a few at a time, and DAGs that
    their breaker had paused are resumed. If the first one fails again, the others are left as they are.
    """
    if given["since"] is None and given["cause"] is None and given["stop"] is None:
        raise CliError("--since T, --cause KEY, or --stop NUMBER", Exit.USAGE)
    done = change(session, "recover", select(), {name: value for name, value in given.items() if value}, asking)
    report(done, asking)
    if done is None or not wait or given["stop"] is not None:
        return int(Exit.DONE)
    return _count_down(session.home, int(done.result["recovery"]), quiet=asking.as_json)


def _count_down(home: Home, number: int, *, quiet: bool) -> int:
    """Says how much is left whenever that changes, what hold it waits for, and at the end what failed again."""
    told, told_of_hold = "", False
    with open_store(home) as store:
        while True:
            (line,) = reads_inbox.recoveries(store, 0, number)
            words = f"{line.left} left of {line.total}, {line.succeeded} recovered, {line.failed} failed again"
            if words != told and not quiet:
                say(words)
            told = words
            if line.ended_at is not None:
                break
            if not told_of_hold:
                runs = [
                    each.run for row in reads_inbox.open_recoveries(store) if row.id == number for each in row.items
                ]
                told_of_hold = mention_hold(store, runs, time.time_ns() // 1000)
            time.sleep(POLL_SECONDS)
        for run_id, why in reads_inbox.failed_again(store, number):
            warn(f"{clean(run_id)}: {clean(why)}")
    return int(Exit.DONE if line.state == "done" else Exit.FAILED)
