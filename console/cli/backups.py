"""`dagdeck backup`, `restore` and `salvage`: a home saved, put back, or rescued from what is left of it."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path

import click

from console.cli.errors import CliError, Exit, NotFound, Refused
from console.cli.options import reading
from console.cli.output import clean, emit_json, say, warn
from console.cli.reading import no_store
from console.cli.session import Session, pass_session
from engine.model.moments import Micros
from engine.model.typed import dagdeck

_HELD = "Nothing starts in it before `{}`: look at it first."


def now() -> Micros:
    """The moment."""
    return time.time_ns() // 1000


def who() -> str:
    """Whose hold it is that a restored home begins with."""
    return pwd.getpwuid(os.getuid()).pw_name


@click.command()
@click.argument("target", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--logs", is_flag=True, help="Save the logs of all attempts, too.")
@click.option("--keep", metavar="N", type=click.IntRange(min=1), help="Afterwards remove all but the N newest there.")
@reading
@pass_session
def backup(session: Session, target: Path | None, logs: bool, keep: int | None, as_json: bool) -> None:
    """Save the home into a new FOLDER (default: one in its `backups/`): store, DAGs, settings, results.

    The engine may run meanwhile. The copy is one committed state, and it is opened and read before this says that it
    is done. It holds parameters and results, so it is as private as the home.
    """
    from engine.upkeep.backup import BackupError, keep_newest, make_backup

    home = session.home
    if home.store_is_lost or not home.database.exists():
        raise NotFound(no_store(home))
    try:
        made = make_backup(home, target.expanduser().absolute() if target else None, now(), logs=logs)
    except BackupError as error:
        raise Refused(str(error)) from error
    gone = keep_newest(home, made.path.parent, keep) if keep is not None else []
    manifest = made.manifest
    if as_json:
        emit_json(
            {
                "path": str(made.path),
                "made_at": manifest.made_at,
                "seq": manifest.seq,
                "runs": manifest.runs,
                "schema": manifest.schema,
                "logs": manifest.logs,
                "files": manifest.files,
                "bytes": manifest.bytes,
                "left": manifest.left,
                "removed": [str(path) for path in gone],
                "leftovers": [str(path) for path in made.swept],
            }
        )
        return
    say(f"{clean(made.path)}")
    say(f"  {manifest.runs} runs, {manifest.seq} events, {manifest.files} files, opened and found sound")
    for text in manifest.left:
        warn(f"left out: {text}")
    for path in made.swept:
        say(f"  removed {clean(path)}, left by a backup that was broken off")
    for path in gone:
        say(f"  removed {clean(path)}")


@click.command()
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path))
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put only the store into this home, in place of its own, which is kept.")
@reading
@pass_session
def restore(session: Session, source: Path, directory: Path | None, replace: bool, as_json: bool) -> None:
    """Make a home of a BACKUP in DIR, which is new or empty; or, with --replace, the store of this home.

    What is restored starts on hold: its engine loads and shows everything, and starts nothing until it is released.
    Attempts that were under way when the backup was made are lost, and are not started again by themselves unless
    they have retries.
    """
    from engine.lock import AlreadyRunning
    from engine.upkeep.backup import BackupError
    from engine.upkeep.restore import replace_store, restore_home

    if replace == (directory is not None):
        both = " and not both" if replace else ""
        raise CliError(f"name a folder for the home, or say --replace to put the store into this one{both}", Exit.USAGE)
    source = source.expanduser().absolute()
    if not source.exists():
        raise CliError(f"{source}: there is no such backup", Exit.NOT_FOUND)
    try:
        if directory is None:
            done = replace_store(source, session.home, who(), now())
        else:
            done = restore_home(source, directory.expanduser().resolve(), who(), now())
    except (BackupError, AlreadyRunning) as error:
        raise Refused(str(error)) from error
    except OSError as error:
        if error.filename is None:  # a write does not know where: to a disk that is full, for instance
            error.filename = str(directory or session.home.root)
        raise
    if as_json:
        aside = str(done.aside) if done.aside else None
        emit_json({"home": str(done.home.root), "seq": done.seq, "runs": done.runs, "hold": done.note, "aside": aside})
        return
    say(f"{clean(done.home.root)}: {done.runs} runs; {clean(done.note)}")
    if done.aside:
        say(f"The store that stood there is {clean(done.aside)}")
    say(_HELD.format("dagdeck release" if directory is None else dagdeck(done.home.root, "release")))


@click.command()
@reading
@pass_session
def salvage(session: Session, as_json: bool) -> None:
    """Make a new store of what can still be read of a damaged one, which is kept. It starts on hold.

    Runs of which a part is missing are left out, and runs that were under way are cancelled. A backup is better: this
    is for those who have none, or only an old one.
    """
    from engine.lock import AlreadyRunning
    from engine.upkeep.backup import BackupError
    from engine.upkeep.salvaging import salvage_home

    try:
        done = salvage_home(session.home, who(), now())
    except (BackupError, AlreadyRunning) as error:
        raise Refused(str(error)) from error
    told = done.told
    if as_json:
        emit_json(
            {
                "rows": told.rows,
                "torn": told.torn,
                "runs_left_out": told.runs_left_out,
                "runs_cancelled": told.runs_ended,
                "aside": str(done.aside) if done.aside else None,
            }
        )
        return
    say(f"saved {sum(told.rows.values())} rows in {len(told.rows)} tables")
    if told.torn:
        say(f"some of these could not be read: {', '.join(told.torn)}")
    say(f"{told.runs_left_out} runs were left out because a part of them is missing; {told.runs_ended} cancelled")
    if done.aside:
        say(f"The damaged store is {clean(done.aside)}")
    say(_HELD.format("dagdeck release"))
