"""A backend in memory: a small world that obeys commands at once. It keeps the same contract as the real one.

Screens are tried out on it, with an engine that can be taken away, slowed down, or made to refuse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from console.backends.port import News
from console.model.asks import PreviewCard, Receipt, Refused, Selection, Unreachable
from console.model.dags import ActiveRun, DagCard, Failure, LiveTask, ParamCard
from console.model.home import HomeCard, RecoveryCard, SessionCard
from console.model.limits import WaitCard
from console.model.link import Gauges, Link, LinkState
from console.model.place import Place
from console.model.reading import safe
from console.model.runs import DagDetail, RunDetail, TaskCard, TriggerForm
from console.model.snapshot import Interest, Page, Snapshot
from console.model.source import CodeCard
from engine.model.causes import cause, cause_key
from engine.model.moments import SECOND, Micros
from tests.support import fake_commands as obey

VERBS = frozenset(
    {"trigger", "rerun", "clear", "mark", "retry", "kill", "cancel", "pause", "resume", "acknowledge", "stack", "prune"}
)
_LIVE = ("killing", "running", "up_for_retry", "queued", "scheduled", "deferred")


class MemoryLog:
    """The log of an attempt, in memory."""

    def __init__(self, world: FakeBackend, attempt_id: str) -> None:
        self._world, self._attempt = world, attempt_id

    def size(self) -> int:
        """Bytes so far."""
        return len(self._world.logs.get(self._attempt, b""))

    def read(self, offset: int, count: int) -> bytes:
        """Bytes from an offset."""
        return self._world.logs.get(self._attempt, b"")[offset : offset + count]

    def close(self) -> None:
        """Nothing to give back."""


class FakeBackend:
    """See `console.backends.port.Backend`. `put_dag` and `put_run` change the world, each as one commit."""

    verbs = VERBS

    def __init__(self, now: Callable[[], Micros], home: HomeCard | None = None) -> None:
        self.now = now
        self.home = home or HomeCard("fake", "/srv/fake")
        self.waits: dict[tuple[str, str, int], WaitCard] = {}
        self.given: dict[str, dict[str, Any]] = {}
        """Params of runs."""
        self.seq = 1
        self.dags: dict[str, DagCard] = {}
        self.runs: dict[str, RunDetail] = {}
        self.params: dict[str, tuple[ParamCard, ...]] = {}
        self.logs: dict[str, bytes] = {}
        self.pages: dict[str, Callable[[tuple[object, ...]], object]] = {}
        """By name, what is read for single views."""
        self.code: tuple[CodeCard, ...] = ()
        """What previews of clears say of the code."""
        self.report: RecoveryCard | None = None
        self.session = SessionCard(now(), now(), None, None)
        self.trouble: str | None = None
        self.commands: list[tuple[str, Selection, dict[str, Any], str | None]] = []
        """Every command that was carried out: verb, selection, arguments, note."""
        self.refuse: Refused | None = None
        """Raised by every preview and command, while set."""
        self.slow: asyncio.Event | None = None
        """While set, previews and commands wait for it."""
        self._receipts: dict[str, Receipt] = {}
        self._previews: dict[str, PreviewCard] = {}
        self._link = Link(LinkState.UP, now(), now(), self._gauges(), now() - 3600 * SECOND, "0.1.0", "ops1")
        self._fresh = asyncio.Event()
        self._fresh.set()
        self._details: dict[str, DagDetail] = {}

    # The world

    def commit(self) -> int:
        """One more commit; everybody hears of it."""
        self.seq += 1
        self._link = replace(self._link, heard_at=self.now(), gauges=self._gauges())
        self._fresh.set()
        return self.seq

    def put_dag(self, card: DagCard) -> None:
        """Adds a DAG, or changes it."""
        self.dags[card.dag_id] = card
        self.commit()

    def put_run(self, run: RunDetail) -> None:
        """Adds a run, or changes it."""
        self.runs[run.mark.run_id] = run
        self.commit()

    def put_task(self, run_id: str, card: TaskCard) -> None:
        """Changes one task instance of a run."""
        run = self.runs[run_id]
        tasks = tuple(card if old.id == card.id else old for old in run.tasks)
        self.put_run(replace(run, tasks=tasks))

    def engine_down(self) -> None:
        """The engine is gone: reading goes on."""
        self.session = self.session._replace(last_seen_at=self.now())
        self._link = Link(LinkState.DOWN, self.now(), self._link.heard_at)
        self._fresh.set()

    def engine_up(self) -> None:
        """The engine is back."""
        self.session = SessionCard(self.now(), self.now(), None, None)
        self._link = Link(LinkState.UP, self.now(), self.now(), self._gauges(), self.now(), "0.1.0", "ops1")
        self._fresh.set()

    def set_link(self, link: Link) -> None:
        """Any other state of the link."""
        self._link = link
        self._fresh.set()

    def _gauges(self) -> Gauges:
        states = [card.state for run in self.runs.values() for card in run.tasks] if hasattr(self, "runs") else []
        used = sum(state in ("queued", "running", "killing") for state in states)
        retrying, waiting = states.count("up_for_retry"), states.count("deferred")
        return Gauges(self.now(), used, 16, states.count("scheduled"), used, retrying, waiting, attached=("ops1",))

    # Life

    async def open(self) -> None:
        """Nothing to look for."""

    async def close(self) -> None:
        """Nothing to end."""

    # Reads

    async def refresh(self, interest: Interest) -> Snapshot:
        """The world as it is."""
        run = self.runs.get(interest.run_id or "")
        return Snapshot(
            seq=self.seq,
            home=self.home,
            dags=tuple(self._card(self.dags[dag_id]) for dag_id in sorted(self.dags)),
            failures=self._failures(),
            report=self.report,
            session=self.session,
            run=run,
            absent=interest.run_id if run is None else None,
            dag=self._detail(interest.dag_id),
            page=interest.page,
            paged=self._page(interest.page),
            trouble=self.trouble,
        )

    def _page(self, page: Page | None) -> object:
        return self.pages[page.name](page.args) if page is not None and page.name in self.pages else None

    async def locate(self, place: Place) -> Place:
        """`DAG@latest` and `DAG@-1` among the runs that are there; any other name is that of a run."""
        short = (place.run_id or "").partition("@")[2]
        back = 0 if short == "latest" else int(short[1:]) if short[:1] == "-" else None
        if back is None:
            return place
        runs = self._runs_of(place.dag_id or "")
        if back >= len(runs):
            raise LookupError(f"DAG {place.dag_id} has no run {back} before the latest")
        return replace(place, run_id=runs[-1 - back].mark.run_id)

    async def waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        """What the test has put there."""
        return self.waits.get((run_id, task_id, map_index), WaitCard())

    async def limit(self, kind: str, name: str) -> WaitCard:
        """What the test has put there."""
        return self.waits.get((kind, name, -1), WaitCard())

    async def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """The DAG's parameters; like a run, with what `given` says of it."""
        if dag_id not in self.dags:
            raise LookupError(f"there is no DAG {safe(dag_id)}")
        params = self.params.get(dag_id, ())
        if like is None:
            return TriggerForm(dag_id, self.dags[dag_id].timezone, params)
        given = self.given.get(like, {})
        params = tuple(replace(param, default=given.get(param.name, param.default)) for param in params)
        return TriggerForm(dag_id, self.dags[dag_id].timezone, params, like=like, date="2026-11-22T01:10:00")

    def _runs_of(self, dag_id: str) -> list[RunDetail]:
        found = [run for run in self.runs.values() if run.mark.dag_id == dag_id]
        return sorted(found, key=lambda run: (run.mark.logical_date, run.mark.id))

    def _card(self, card: DagCard) -> DagCard:
        runs = self._runs_of(card.dag_id)
        active = tuple(_active(run) for run in runs if run.mark.active)
        return card._replace(recent=tuple(run.mark for run in runs[-30:]), active=active)

    def _detail(self, dag_id: str | None) -> DagDetail | None:
        if dag_id is None:
            return None
        marks = tuple(run.mark for run in reversed(self._runs_of(dag_id)))
        known = self._details.get(dag_id)
        if known is None or known.runs != marks:
            known = self._details[dag_id] = DagDetail(dag_id, marks)
        return known

    def _failures(self) -> tuple[Failure, ...]:
        found = [
            _failure(run, card)
            for run in self.runs.values()
            if run.mark.dag_id in self.dags
            for card in run.tasks
            if (card.state == "failed" and card.reason not in _DECIDED)
            or (card.state == "up_for_retry" and run.mark.state == "running")
        ]
        return tuple(sorted(found, key=lambda failure: -failure.at))

    # Follow

    async def news(self) -> News:
        """Waits until something is new."""
        await self._fresh.wait()
        self._fresh.clear()
        return News(self.seq, self._link)

    # Commands

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """What a command would touch."""
        await self._ready()
        number = len(self._previews) + 1
        preview = replace(obey.rehearse(self, verb, selection, args), preview_id=f"p{number}", seq=self.seq)
        self._previews[preview.preview_id] = preview
        return preview

    async def more(self, preview: PreviewCard) -> PreviewCard:
        """Previews of this backend are whole."""
        raise Refused("not_found", "this preview has no more rows")

    async def command(
        self,
        verb: str,
        selection: Selection,
        args: Mapping[str, Any],
        *,
        command_id: str,
        seen_seq: int,
        preview_id: str | None = None,
        note: str | None = None,
    ) -> Receipt:
        """Does it at once."""
        await self._ready()
        if command_id in self._receipts:
            return self._receipts[command_id]
        receipt = obey.carry_out(self, verb, selection, args)
        self.commands.append((verb, selection, dict(args), note))
        self._receipts[command_id] = replace(receipt, seq=self.commit())
        return self._receipts[command_id]

    async def _ready(self) -> None:
        if self._link.state is not LinkState.UP:
            raise Unreachable("no engine answers")
        if self.slow is not None:
            await self.slow.wait()
        if self.refuse is not None:
            raise self.refuse

    # Logs

    def log(self, attempt_id: str) -> MemoryLog:
        """The log of an attempt."""
        if not attempt_id.isalnum():
            raise LookupError("this attempt has no log: its id is not one that an engine makes")
        return MemoryLog(self, attempt_id)


_DECIDED = ("killed", "kill_requested", "manual", "cancel")
"""Reasons of what a person has decided, which is no failure."""


def _active(run: RunDetail) -> ActiveRun:
    counts: dict[str, int] = {}
    live: list[LiveTask] = []
    for card in run.tasks:
        counts[card.state] = counts.get(card.state, 0) + 1
        if card.state in _LIVE:
            live.append(
                LiveTask(
                    card.id, run.mark.id, card.task_id, card.map_index, card.state, card.attempt, card.epoch_start,
                    card.max_tries, card.retry_at, card.scheduled_at, card.started_at, card.blockers, card.last_error,
                    None if card.usual is None else card.usual.p95,
                )
            )  # fmt: skip
    return ActiveRun(run.mark, counts, tuple(live))


def _failure(run: RunDetail, card: TaskCard) -> Failure:
    mark = run.mark
    return Failure(
        mark.dag_id, mark.id, mark.run_id, card.task_id, card.map_index, card.state, card.last_error or card.state,
        card.ended_at or card.started_at or 0, card.retry_at, cause_key(cause(card.last_error or card.state)),
    )  # fmt: skip
