"""`dagdeck runs report`: a run as Markdown."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from pathlib import Path

import click

from console.backends.attempt_log import AttemptLog, log_path
from console.backends.picture import Picture
from console.backends.port import take_end
from console.cli import names
from console.cli.errors import CliError, Exit
from console.cli.output import say
from console.cli.reading import find_run, open_store
from console.cli.session import Session, home_option, pass_session
from console.model.home import HomeCard
from console.model.report import EXCERPT_BYTES, Retelling, excerpt
from console.model.snapshot import Interest, Page
from console.text import sanitise
from console.view.report import quoted
from console.view.report import report as markdown
from engine.home import Home


@click.command("report")
@click.argument("run", shell_complete=names.runs)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file, else print it.")
@home_option
@pass_session
def report_run(session: Session, run: str, out: Path | None) -> None:
    """Tell a run as Markdown: timeline, failures with what they wrote, durations against history, who did what."""
    text = report_of(session.home, run)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        _write(out, text)
    except OSError as error:
        raise CliError(f"{out} cannot be written: {error.strerror}", Exit.FAILED) from error
    say(f"wrote {out}")


def _write(out: Path, text: str) -> None:
    """Writes for this user alone. In a folder of several people somebody may have put something there before: through a
    symbolic link, or into a file of theirs, nothing is written.
    """
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            if found.st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, f"it belongs to uid {found.st_uid}", str(out))
            os.ftruncate(handle, 0)
        file.write(text)


def report_of(home: Home, name: str) -> str:
    """The report of the run that `name` means."""
    card = HomeCard(sanitise(home.name), sanitise(str(home.root)))
    with open_store(home) as store:
        run_id = find_run(store, name).run_id
        picture = Picture(store, card, _now, home.versions)
        snapshot = picture.refresh(Interest(run_id=run_id, page=Page("report", (run_id,))))
    detail = snapshot.run
    assert detail is not None  # it was found in the same store a moment ago
    lines = {attempt.id: _tail(home, attempt.id) for _, attempt in quoted(detail)}
    acts = snapshot.paged if isinstance(snapshot.paged, tuple) else ()
    return markdown(card, detail, Retelling(acts, lines), _now())


def _tail(home: Home, attempt_id: str) -> tuple[str, ...]:
    try:
        return excerpt(take_end(AttemptLog(log_path(home.attempts, attempt_id)), EXCERPT_BYTES))
    except OSError as error:
        return (f"the log cannot be read: {error.strerror}",)


def _now() -> int:
    return time.time_ns() // 1000
