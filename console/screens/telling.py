"""Handing over what is on the screen: a run as a report, and the screen as text, each into a file of the home."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from console.backends.port import take_end
from console.model.report import EXCERPT_BYTES, Retelling, excerpt
from console.model.snapshot import Interest, Page
from console.model.targets import Target
from console.view.report import quoted, report
from engine.model.moments import compact

if TYPE_CHECKING:
    from console.app import ConsoleApp

FOLDER = "reports"


def write_report(app: ConsoleApp, target: Target) -> None:
    """The run under the cursor, as Markdown."""
    app.spawn(_report(app, target.run_id or ""))


async def _report(app: ConsoleApp, run_id: str) -> None:
    snapshot = await app.read(Interest(run_id=run_id, page=Page("report", (run_id,))))
    run = snapshot.run
    if run is None:
        app.say(f"there is no run {run_id}", "warn")
        return
    lines = {each.id: await asyncio.to_thread(_tail, app, each.id) for _, each in quoted(run)}
    acts = snapshot.paged if isinstance(snapshot.paged, tuple) else ()
    scene = app.scene()
    text = report(scene.snapshot.home, run, Retelling(acts, lines), scene.now)
    await _write(app, f"{run_id}-{compact(scene.now)}.md", text)


def _tail(app: ConsoleApp, attempt_id: str) -> tuple[str, ...]:
    try:
        return excerpt(take_end(app.open_attempt_log(attempt_id), EXCERPT_BYTES))
    except LookupError as error:
        return (str(error),)
    except OSError as error:
        return (f"the log cannot be read: {error.strerror}",)


def write_picture(app: ConsoleApp, target: Target) -> None:
    """The screen as it stands, as text."""
    place = app.here().address.replace("/", "-").partition("?")[0]
    app.spawn(_write(app, f"{place}-{compact(app.scene().now)}.txt", app.picture()))


async def _write(app: ConsoleApp, name: str, text: str) -> None:
    path = app.reports / name
    try:
        await asyncio.to_thread(_put, path, text)
    except OSError as error:
        app.say(f"{path} cannot be written: {error.strerror}", "warn")
        return
    app.say(f"wrote {path}")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
