"""Builders for the console's model, a console on a backend in memory, and waiting for it to settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from console import wire
from console.app import ConsoleApp
from console.backends.local import VERBS as LOCAL_VERBS
from console.model.dags import DagCard, RunMark
from console.model.home import HomeCard
from console.model.link import Gauges, Link, LinkState
from console.model.place import Place
from console.model.runs import AttemptCard, RunDetail, TaskCard, TaskPlan, Usual
from console.model.snapshot import Scene, Snapshot
from engine.model.moments import HOUR, MINUTE, SECOND, Micros, from_iso
from tests.support.fake_backend import FakeBackend

NOW: Micros = from_iso("2026-11-22T02:14:07Z")
LOGICAL: Micros = from_iso("2026-11-22T01:10:00Z")
HOSTILE = "\x1b[31mred\x1b[0m [bold]no[/] [/] \u202eevil \x9b2J \x07 é漢"
PATIENCE = 40.0


def plan(task_id: str, *upstream: str, retries: int = 0) -> TaskPlan:
    """A shell task of a DAG version."""
    return TaskPlan(
        task_id, upstream, "shell", "all_success", retries, 30.0, True, 2.0, 900.0, "default", None, None, None, None
    )


def attempt(number: int, outcome: str | None = "success", took: Micros = 8 * SECOND, **more: Any) -> AttemptCard:
    """An attempt that began ten minutes before NOW, plus a minute for each one before it."""
    start = NOW - 10 * MINUTE + number * MINUTE
    ended = None if outcome is None else start + took
    card = AttemptCard(
        f"01J{number:023d}", number, "running" if outcome is None else "ended", start - SECOND, start, ended, outcome,
        None, None, None if outcome is None else 0, None, None, 4711, None if outcome is None else took, 3.1,
        88_000_000, None,
    )  # fmt: skip
    return card._replace(**more)


def task(number: int, task_id: str, state: str = "success", **more: Any) -> TaskCard:
    """A task instance with one attempt if its state says that one was made."""
    begun = state in ("success", "failed", "running", "up_for_retry", "killing")
    outcome = {"running": None, "killing": None, "success": "success"}.get(state, "failed")
    attempts: tuple[AttemptCard, ...] = (attempt(1, outcome),) if begun else ()
    card = TaskCard(
        id=number, task_id=task_id, map_index=-1, state=state, reason=None, attempt=len(attempts), epoch_start=0,
        max_tries=1, then_state=None, retry_at=None, scheduled_at=NOW - 10 * MINUTE,
        started_at=attempts[-1].started_at if attempts else None,
        ended_at=attempts[-1].ended_at if attempts else None, blockers=(), last_error=None, changed_seq=1,
        attempts=attempts, usual=Usual(11 * SECOND, 14 * SECOND, 40),
    )  # fmt: skip
    return card._replace(**more)


def mark(number: int, dag_id: str, state: str = "success", logical: Micros = LOGICAL, **more: Any) -> RunMark:
    """A scheduled run that took 58 seconds."""
    ended = None if state in ("running", "queued") else NOW - 4 * MINUTE + 58 * SECOND
    found = RunMark(
        number, f"{dag_id}@{number}", dag_id, 1, "scheduled", state, "started", logical, logical + HOUR,
        NOW - 4 * MINUTE, ended, None,
    )  # fmt: skip
    return found._replace(**more)


def run(found: RunMark, plans: tuple[TaskPlan, ...], tasks: tuple[TaskCard, ...], **more: Any) -> RunDetail:
    """A run in detail."""
    detail = RunDetail(
        found, found.logical_date, found.logical_date + HOUR, found.started_at or NOW, 1, False, None, "{}", 17, "UTC",
        None, plans, tasks, 58 * SECOND, 82 * SECOND,
    )  # fmt: skip
    return replace(detail, **more)


def dag(dag_id: str, **more: Any) -> DagCard:
    """An active DAG that is due in 56 minutes."""
    card = DagCard(
        dag_id=dag_id, file="trades.py", state="active", timezone="UTC", schedule="10 * * * *", owner="data",
        tags=("trades",), broken_since=None, next_logical=LOGICAL + HOUR, next_run_after=NOW + 56 * MINUTE,
        paused_at=None, paused_by=None, pause_reason=None,
    )  # fmt: skip
    return card._replace(**more)


PLANS = (
    plan("extract"),
    plan("clean_orders", "extract"),
    plan("clean_users", "extract"),
    plan("join", "clean_orders", "clean_users"),
    plan("load", "join", retries=5),
    plan("report", "load"),
)


def trades(state: str = "up_for_retry", number: int = 7) -> RunDetail:
    """A run whose `load` is in that state, with everything above it done."""
    load: dict[str, Any] = {"attempts": (attempt(1, "failed", error="ConnectionError: db-1:5432 refused"),)}
    if state == "up_for_retry":
        load |= {"retry_at": NOW + 74 * SECOND, "max_tries": 6, "blockers": ("retry_at",)}
    if state in ("running", "killing"):
        load = {"attempts": (attempt(1, None)._replace(started_at=NOW - 25 * SECOND),)}
    if state in ("none", "success"):
        load = {}
    if state in ("failed", "up_for_retry"):
        load["last_error"] = "ConnectionError: db-1:5432 refused"
    tasks = (
        task(71, "extract"),
        task(72, "clean_orders"),
        task(73, "clean_users"),
        task(74, "join"),
        task(75, "load", state, **load),
        task(76, "report", "upstream_failed" if state == "failed" else "none", blockers=("upstream",)),
    )
    over = "failed" if state == "failed" else "success" if state == "success" else "running"
    return run(mark(number, "trades_us", over), PLANS, tasks)


def link(**more: Any) -> Link:
    """An engine that has been up for three days."""
    gauges = Gauges(NOW, 12, 16, 3, 12, 1, 14, attached=("ops1", "ops2"))
    up = Link(LinkState.UP, NOW - HOUR, NOW, gauges, NOW - 76 * HOUR - MINUTE, "0.1.0", "ops1")
    return replace(up, **more)


def scene(*dags: DagCard, detail: RunDetail | None = None, **more: Any) -> Scene:
    """A scene at NOW with these DAGs."""
    home = HomeCard("etl-01", "/srv/etl", "Europe/Berlin")
    fields = {name: more.pop(name) for name in list(more) if name in Snapshot.__dataclass_fields__}
    snapshot = Snapshot(100, fields.pop("home", home), dags, run=detail, **fields)
    verbs = LOCAL_VERBS
    return Scene(snapshot, more.pop("link", link()), NOW, verbs=verbs, **more)


def world(*runs: RunDetail, home: HomeCard | None = None) -> FakeBackend:
    """A backend in memory with these runs and their DAGs."""
    backend = FakeBackend(lambda: NOW, home)
    for detail in runs:
        if detail.mark.dag_id not in backend.dags:
            backend.put_dag(dag(detail.mark.dag_id))
        backend.put_run(detail)
    return backend


class Screen:
    """A running console, its backend, and what is on the screen."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[None], backend: FakeBackend) -> None:
        self.app, self.pilot, self.backend = app, pilot, backend

    def lines(self) -> list[str]:
        """The screen as text."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """The whole screen as one text."""
        return "\n".join(self.lines())

    async def press(self, *keys: str) -> None:
        """Presses keys, and waits until what they asked for has come."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Waits until the screen shows the backend's newest commit and nothing is under way."""

        def settled() -> bool:
            feed = self.app.feed
            busy = any(
                worker.group in ("work", "search", "layout") and not worker.is_finished for worker in self.app.workers
            )
            if self.backend.slow is not None:
                busy = False
            shown = self.app.scene().snapshot.seq == self.backend.seq and not self.app.scene().loading
            seen = self.app.scene().link == self.backend._link
            return feed is not None and shown and seen and not busy and self.app.stage.front.interest() == feed.interest

        await self.until(settled, "the screen settles")
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition; fails with the screen when it does not come true."""
        for _ in range(int(PATIENCE / 0.01)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {PATIENCE:g} s: {what}\n{self.text}")

    async def shows(self, text: str) -> None:
        """Waits until a text stands on the screen."""
        await self.until(lambda: text in self.text, f"{text!r} on the screen")


@asynccontextmanager
async def console(
    backend: FakeBackend, size: tuple[int, int] = (120, 36), start: Place | None = None
) -> AsyncIterator[Screen]:
    """A console on a backend in memory, at NOW, drawn once."""
    app = ConsoleApp(backend.home, lambda: backend, now=backend.now, start=start)
    try:
        async with app.run_test(size=size) as pilot:
            screen = Screen(app, pilot, backend)
            await screen.settle()
            yield screen
    finally:
        wire.uninstall()
