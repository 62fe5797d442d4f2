"""`dagdeck prune`: what a home no longer keeps, looked at or removed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.changing import change, report
from console.cli.errors import NotFound, Refused
from console.cli.link import engine_pid, select
from console.cli.options import Asking, changing
from console.cli.output import Column, emit_json, no_rows, paint, say, table
from console.cli.reading import no_store
from console.cli.session import Session, pass_session
from console.figures import bytes_
from engine.home import Home

if TYPE_CHECKING:
    from engine.upkeep.pruning import Findings


@click.command()
@changing
@pass_session
def prune(session: Session, asking: Asking) -> None:
    """Remove logs and history that are older than `[retention]` keeps them, instead of next night.

    --dry-run shows bytes by DAG and age, and what of them would go. A running engine does it in the background, in
    small steps; without one, attempt directories are pruned here and now, and rows by the next engine.
    """
    # Imported on first use, as everywhere in these verbs: a listing of verbs needs no files and no messages.
    from engine.upkeep.pruning import look

    home = session.home
    if home.store_is_lost or not home.database.exists():
        raise NotFound(no_store(home))
    _ = session.settings
    if asking.dry_run:
        _show(look(home, time.time_ns() // 1000), asking.as_json)
    elif engine_pid(home) is not None:
        report(change(session, "prune", select(), {}, Asking(False, True, asking.note, asking.as_json)), asking)
    else:
        _prune_here(home, asking)


def _prune_here(home: Home, asking: Asking) -> None:
    from engine.lock import AlreadyRunning
    from engine.upkeep.pruning import carry_out, look, summary
    from engine.upkeep.restore import held

    try:
        with held(home):
            found = look(home, time.time_ns() // 1000)
            told = summary(found)
            told.update(carry_out(found))
    except AlreadyRunning as error:
        raise Refused(str(error)) from error
    message = (
        f"removed {told['removed']} attempt directories and {told['removed_bundles']} bundles, "
        f"{bytes_(told['freed'])}; {bytes_(told['bytes'])} of attempts before"
    )
    if asking.as_json:
        emit_json({"message": message, "changed": told["removed"], "skipped": [], "seq": None, **told})
    else:
        say(message)


def _show(found: Findings, as_json: bool) -> None:
    from engine.upkeep.pruning import summary
    from engine.upkeep.retention import AGES

    names = [name for _, name in AGES] + ["older"]
    rows = found.survey.by_dag()
    if as_json:
        dags = [
            {"dag_id": dag_id or None, "bytes": dict(zip(names, row[:-1], strict=True)), "prunable_bytes": row[-1]}
            for dag_id, row in rows.items()
        ]
        emit_json({"dry_run": True, **summary(found), "dags": dags})
        return
    columns = [Column("dag"), *(Column(name, right=True) for name in names), Column("would go", right=True)]
    table(columns, [(dag_id or "(no known run)", *map(bytes_, row)) for dag_id, row in rows.items()])
    if not rows:
        no_rows("no attempt has left anything")
    told = summary(found)
    bundles = f"{told['prunable_bundles']} bundles of code that no kept run was made with"
    say(
        f"{told['directories']} attempt directories, {bytes_(told['bytes'])}; {told['prunable']} would go, "
        f"{bytes_(told['prunable_bytes'])} with {bundles}"
    )
    say(f"of the history {told['prunable_runs']} runs and {told['prunable_events']} events would go")
    say(paint("nothing was changed (--dry-run)", None, dim=True))
