"""`dagdeck init`: a home of one's own, private, with settings to read and a first DAG that runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click

from console.cli.errors import CliError, Exit, Refused
from console.cli.output import say
from console.cli.template import CONFIG_TEXT, FIRST_DAG, FIRST_DAG_FILE
from engine.home import CONFIG, Home
from engine.model.typed import quoted


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Make a home in DIR (the present folder if none is given): settings, and a first DAG that runs.

    Nothing that stands there is overwritten. A home is private: folders 0700, files 0600.
    """
    root = directory.expanduser().resolve()
    make_home(root, {FIRST_DAG_FILE: FIRST_DAG})
    shown = f"--home {quoted(root)} " if root != Path.cwd() else ""
    say(f"A home stands in {root}:")
    say(f"  {CONFIG}        settings, each with its default")
    say(f"  dags/{FIRST_DAG_FILE}       a first DAG")
    say("Next:")
    say(f"  dagdeck {shown}engine start")
    say(f"  dagdeck {shown}trigger hello --wait --yes")
    say(f"  dagdeck {shown}".rstrip() + "    (the console)")


def make_home(root: Path, dags: dict[str, str], config: str = CONFIG_TEXT) -> Home:
    """Makes a home. Raises CliError where something of it stands already, or where others could read it."""
    home = Home(root)
    _vet(root)
    for standing in (home.config, home.database, *(home.dags / name for name in dags)):
        if os.path.lexists(standing):
            raise Refused(f"{standing} stands already: nothing was changed")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        home.dags.mkdir(mode=0o700, exist_ok=True)
        for name, text in dags.items():
            _write_new(home.dags / name, text)
        # The settings file makes the folder a home, so it comes last.
        _write_new(home.config, config)
    except OSError as error:
        raise CliError(f"{root} cannot be made a home: {error.strerror}") from error
    return home


def _vet(root: Path) -> None:
    try:
        found = root.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CliError(f"{root}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise CliError(f"{root} is not a folder", Exit.USAGE)
    if root in (Path("/"), Path.home()):
        raise Refused(
            f"{root} should not become a home itself: name a folder in it, as in `dagdeck init {quoted(root / 'etl')}`"
        )
    if found.st_uid != os.getuid():
        raise Refused(f"{root} belongs to uid {found.st_uid}: a home belongs to the user who runs its engine")
    if found.st_mode & 0o077 and any(root.iterdir()):
        raise Refused(
            f"{root} holds files and is open to other users (mode {found.st_mode & 0o777:o}), but a home keeps logs "
            f"and parameters: close it with `chmod 700 {quoted(root)}` first, or name a new folder"
        )


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
