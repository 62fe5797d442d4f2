"""`dagdeck hold`, `release`, `holds`: keeping what has not started from starting."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit
from console.cli.link import select
from console.cli.options import Asking, changing, reading
from console.cli.output import Column, emit_json, say, table
from console.cli.reading import iso, open_store, reads_home
from console.cli.session import Session, pass_session
from console.figures import ago

_WHAT = (
    click.option("--all", "everything", is_flag=True, help="Everything; also what is meant when nothing is named."),
    click.option("--pool", metavar="POOL", shell_complete=names.pools, help="Tasks of one pool."),
    click.option(
        "--dag",
        metavar="GLOB",
        shell_complete=names.dags,
        help="DAGs whose id matches, as `team_*`; also those that come later.",
    ),
)


def _what(function: Any) -> Any:
    for option in reversed(_WHAT):
        function = option(function)
    return function


@click.command()
@_what
@click.option("--for", "lasts", metavar="TIME", help="Release it by itself after so long: 30m, 2h, 1d.")
@changing
@pass_session
def hold(session: Session, everything: bool, pool: str | None, dag: str | None, lasts: str | None, asking: Asking,
         ) -> None:  # fmt: skip
    """Start nothing new, until `release` or for a time. What runs goes on; schedules go on and their runs wait."""
    args = _scope(everything, pool, dag) or {"scope": "all"}
    if lasts is not None:
        args["for"] = lasts
    report(change(session, "hold", select(), args, asking), asking)


@click.command()
@_what
@changing
@pass_session
def release(session: Session, everything: bool, pool: str | None, dag: str | None, asking: Asking) -> None:
    """End a hold, or, when none is named, all of them."""
    report(change(session, "release", select(), _scope(everything, pool, dag), asking), asking)


@click.command()
@reading
@pass_session
def holds(session: Session, as_json: bool) -> None:
    """List what is on hold."""
    with open_store(session.home) as store:
        found = reads_home.holds(store)
    now = time.time_ns() // 1000
    if as_json:
        emit_json(
            [
                {
                    "scope": row.scope,
                    "pattern": row.pattern or None,
                    "who": row.who,
                    "note": row.note,
                    "since": iso(row.since),
                    "until": iso(row.until),
                }
                for row in found
            ]
        )
    elif not found:
        say("nothing is on hold")
    else:
        columns = [Column("what"), Column("by"), Column("since"), Column("until"), Column("note")]
        rows = [
            (
                "everything" if row.scope == "all" else f"{row.scope} {row.pattern}",
                row.who,
                f"{ago(row.since, now)} ago",
                iso(row.until) or "released",
                row.note or "",
            )
            for row in found
        ]
        table(columns, rows)


def _scope(everything: bool, pool: str | None, dag: str | None) -> dict[str, Any]:
    if sum((everything, pool is not None, dag is not None)) > 1:
        raise CliError("one of --all, --pool and --dag at a time", Exit.USAGE)
    if pool is not None:
        return {"scope": "pool", "pattern": pool}
    if dag is not None:
        return {"scope": "dag", "pattern": dag}
    return {"scope": "all"} if everything else {}
