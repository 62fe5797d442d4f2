"""`dagdeck runs delete`, `restore` and `trash`: runs out of sight, and back."""

from __future__ import annotations

import click

from console.cli import names
from console.cli.changes import chosen, select_option
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit, NotFound
from console.cli.link import select
from console.cli.options import Asking, changing, reading
from console.cli.output import Column, emit_json, say, table
from console.cli.reading import iso, open_store, trashed
from console.cli.session import Session, pass_session


@click.command()
@click.argument("run", required=False, shell_complete=names.runs)
@select_option
@changing
@pass_session
def delete(session: Session, run: str | None, expression: str | None, asking: Asking) -> None:
    """Move RUN, which is over, to the trash with its tasks, attempts and results: for a week it can be restored."""
    report(change(session, "delete", chosen(session.home, expression, run), {}, asking), asking)


@click.command()
@click.argument("run", nargs=-1, shell_complete=names.trash)
@click.option("--dag", metavar="DAG", help="All runs of DAG that are in the trash.")
@changing
@pass_session
def restore(session: Session, run: tuple[str, ...], dag: str | None, asking: Asking) -> None:
    """Put RUNs, by their whole ids, back from the trash; with --dag the history of a DAG."""
    if bool(run) == (dag is not None):
        raise CliError("RUNs, or --dag DAG", Exit.USAGE)
    wanted = list(run)
    if dag is not None:
        with open_store(session.home) as store:
            wanted = [row.run_id for row in trashed(store) if row.dag_id == dag]
        if not wanted:
            raise NotFound(f"there is no run of {dag} in the trash")
    report(change(session, "restore", select(), {"run_ids": wanted}, asking), asking)


@click.command()
@reading
@pass_session
def trash(session: Session, as_json: bool) -> None:
    """List deleted runs."""
    with open_store(session.home) as store:
        found = trashed(store)
    if as_json:
        emit_json(
            [
                {
                    "run_id": row.run_id,
                    "dag_id": row.dag_id,
                    "state": row.state,
                    "logical_date": iso(row.logical_date),
                    "deleted_at": iso(row.at),
                    "deleted_by": row.who,
                    "note": row.note,
                }
                for row in found
            ]
        )
    elif not found:
        say("the trash is empty")
    else:
        rows = [(row.run_id, row.state, iso(row.at), row.who, row.note or "") for row in found]
        table([Column("run"), Column("state", state=True), Column("deleted"), Column("by"), Column("note")], rows)
