"""`dagdeck dags versions`, `source` and `diff`: the code that ran, the code that runs now, and what lies between."""

from __future__ import annotations

import sys
from typing import Any

import click

from console.cli import names
from console.cli.errors import NotFound
from console.cli.options import reading
from console.cli.output import Column, clean, emit_json, paint, say, table
from console.cli.reading import (
    Reader,
    VersionDetail,
    VersionLine,
    find_dag,
    find_run,
    iso,
    open_store,
    reads_run,
    spec_of,
)
from console.cli.session import Session, pass_session
from console.cli.shapes import version_json
from console.text import sanitise_lines

_NUMBER = click.IntRange(1)
_SHORT = 12
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def origin(version: VersionLine | VersionDetail) -> str | None:
    """The commit that a version was loaded from, in words; None where `dags/` is no checkout."""
    if version.commit_id is None:
        return None
    by = f" by {version.commit_author}" if version.commit_author else ""
    changed = ", with changes that were not committed" if version.dirty else ""
    return f"{version.commit_id[:_SHORT]}{by}, {iso(version.committed_at)}{changed}"


def _numbered(store: Reader, dag_id: str, number: int) -> int:
    known = {line.number: line.id for line in reads_run.versions(store, dag_id, count=2**31)}
    if number not in known:
        raise NotFound(f"DAG {dag_id} has no version {number}: the latest is {max(known, default=0)}")
    return known[number]


def _current(store: Reader, dag_id: str) -> int:
    row = find_dag(store, dag_id)
    if row.version_id is None:
        raise NotFound(f"no version of DAG {dag_id} was ever loaded")
    return row.version_id


def _of_run(store: Reader, dag_id: str, run: str) -> int:
    found = find_run(store, run)
    if found.dag_id != dag_id:
        raise NotFound(f"{found.run_id} is a run of {found.dag_id}, not of {dag_id}")
    return found.version_id


@click.command()
@click.argument("dag", shell_complete=names.dags)
@reading
@pass_session
def versions(session: Session, dag: str, as_json: bool) -> None:
    """List the versions of a DAG, newest first: when each was loaded, and from which commit."""
    with open_store(session.home) as store, store.snapshot():
        current = find_dag(store, dag).version_id
        found = reads_run.versions(store, dag, count=2**31)
    if as_json:
        emit_json([{"dag_id": dag, **version_json(line), "current": line.id == current} for line in found])
        return
    columns = [Column("version", right=True), Column("loaded"), Column("commit"), Column("author"), Column("")]
    table(columns, [_row(line, current) for line in found])


def _row(line: VersionLine, current: int | None) -> tuple[object, ...]:
    remarks = (("current", line.id == current), ("not committed", bool(line.dirty)))
    return (
        line.number,
        iso(line.created_at),
        (line.commit_id or "")[:_SHORT],
        line.commit_author or "",
        ", ".join(word for word, holds in remarks if holds),
    )


@click.command()
@click.argument("dag", shell_complete=names.dags)
@click.option("--version", "number", type=_NUMBER, metavar="N", help="An earlier version. [the current one]")
@click.option("--run", metavar="RUN", help="The version that a run used last.")
@reading
@pass_session
def source(session: Session, dag: str, number: int | None, run: str | None, as_json: bool) -> None:
    """Print the file that defines a DAG, as the version that runs was loaded from it.

    With --json also every module that it imports from dags/.
    """
    if number is not None and run is not None:
        raise click.UsageError("--version and --run exclude each other")
    with open_store(session.home) as store, store.snapshot():
        current = _current(store, dag)
        key = _numbered(store, dag, number) if number is not None else _of_run(store, dag, run) if run else current
        version, file = reads_run.version(store, key), spec_of(store, key).file
    files = _files(session, version)
    if as_json:
        emit_json({"dag_id": dag, **version_json(version), "file": file, "files": files})
    elif sys.stdout.isatty():
        say("\n".join(sanitise_lines(files.get(file, "").removesuffix("\n"))))
    else:
        sys.stdout.write(files.get(file, ""))


def _files(session: Session, version: VersionDetail) -> dict[str, str]:
    # Imported on first use: listings compare nothing.
    from console.backends.sources import files_of

    try:
        return dict(files_of(session.home.versions, version.bundle))
    except LookupError as error:
        raise NotFound(f"version {version.number} of {version.dag_id}: {error.args[0]}") from error


@click.command()
@click.argument("dag", shell_complete=names.dags)
@click.option("--from", "before", type=_NUMBER, metavar="N", help="The version to begin with. [the one before]")
@click.option("--to", "after", type=_NUMBER, metavar="N", help="The version to end with. [the current one]")
@click.option("--run", metavar="RUN", help="Begin with the version that a run used last.")
@reading
@pass_session
def diff(session: Session, dag: str, before: int | None, after: int | None, run: str | None, as_json: bool) -> None:
    """Show what changed between two versions of a DAG: its file, and the modules it imports from dags/."""
    from console.backends.sources import compare, stored
    from console.view.source import diff_words

    if before is not None and run is not None:
        raise click.UsageError("--from and --run exclude each other")
    with open_store(session.home) as store, store.snapshot():
        current = _current(store, dag)
        new = stored(store, current if after is None else _numbered(store, dag, after))
        if run is not None:
            old = stored(store, _of_run(store, dag, run))
        elif before is None and new.card.number == 1:
            raise NotFound(f"version 1 of {dag} is its first: there is nothing to compare it with")
        else:
            old = stored(store, _numbered(store, dag, before or new.card.number - 1))
        found = compare(session.home.versions, old, new)
        ends = [reads_run.version(store, end.card.id) for end in (old, new)]
    if found.note:
        raise NotFound(f"the versions cannot be compared: {found.note}")
    if as_json:
        emit_json(
            {
                "dag_id": dag,
                "from": version_json(ends[0]),
                "to": version_json(ends[1]),
                **diff_json(found),
            }
        )
        return
    say(paint(f"version {old.card.number} > {new.card.number}: {clean(diff_words(found))}", None, bold=True))
    for line in found.lines:
        say(diff_line(line))


def diff_json(found: Any) -> dict[str, Any]:
    """A difference under the stable keys."""
    return {
        "files": found.files,
        "added": found.added,
        "removed": found.removed,
        "new_tasks": list(found.new_tasks),
        "gone_tasks": list(found.gone_tasks),
        "changed_tasks": list(found.changed_tasks),
        "diff": list(found.lines),
    }


def diff_line(line: str) -> str:
    """One line of a difference, safe to look at, in its colour where there is colour."""
    if line.startswith(("--- ", "+++ ")):
        return paint(clean(line), None, bold=True)
    return paint(clean(line), _COLOURS.get(line[:1]))
