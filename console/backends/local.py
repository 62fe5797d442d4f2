"""The backend of a home on this machine: committed rows from its store, commands over its engine's socket.

The store is read in a thread of its own, with the engine up, stopped or killed. The link to the engine mends itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from console.backends.picture import Picture
from console.backends.port import News
from console.backends.specs import Specs
from console.model.home import HomeCard
from console.model.limits import WaitCard
from console.model.link import Gauges, Link, LinkState
from console.model.place import Place
from console.model.reading import maybe, one_line, safe
from console.model.runs import TriggerForm
from console.model.snapshot import Interest, Snapshot
from engine.config import load_settings
from engine.home import Home, HomeError
from engine.model.moments import Micros
from engine.store.errors import StoreError
from engine.store.reader import Reader
from engine.version import SCHEMA_MAJOR

# The link is made after the first picture: what it needs is imported then.
if TYPE_CHECKING:
    from console.backends.attempt_log import AttemptLog
    from console.model.asks import EffectCard, PreviewCard, Receipt, Selection
    from console.model.dags import ParamCard
    from console.model.source import CodeCard
    from engine.control import protocol as p
    from engine.control.client import Client

T = TypeVar("T")
VERBS = frozenset(
    {
        "trigger", "rerun", "restore", "clear", "mark", "retry", "kill", "cancel", "answer", "resize", "trip",
        "reset", "pause", "resume", "acknowledge", "prune", "stack", "hold", "release", "undo", "delete",
        "recover", "claim", "resolve", "backfill_create", "backfill_pause", "backfill_resume",
        "backfill_cancel", "backfill_retry", "prioritize",
    }
)  # fmt: skip
_CODES = 5
"""Pairs of versions that a dialog compares at most."""
_SHORTEST_WAIT, _LONGEST_WAIT = 0.1, 2.0
_UPGRADED = "engine upgraded: restart this console"


def _now() -> Micros:
    return time.time_ns() // 1000


def _barred(role: str, *, read_only: bool) -> str:
    if read_only:
        return "this console was opened with --read-only"
    return "your role in this home is viewer: it looks and changes nothing" if role == "viewer" else ""


class LocalBackend:
    """See `console.backends.port.Backend`."""

    verbs = VERBS

    def __init__(self, home: Home, now: Callable[[], Micros] = _now, *, read_only: bool = False) -> None:
        self._home = home
        self._read_only = read_only
        self._now = now
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._ahead: Future[Snapshot] | None = None
        self._reader: Reader | None = None
        self._picture: Picture | None = None
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._link = Link(since=now())
        self._seq = 0
        self._fresh = asyncio.Event()

    def read_ahead(self) -> None:
        """Begins to read the overview before anybody asks for it: a console that starts has other things to do."""
        self._ahead = self._thread.submit(self._refresh, Interest())

    async def open(self) -> None:
        """Begins to look for the engine; never waits for it."""
        self._task = asyncio.get_running_loop().create_task(self._keep_link())

    async def close(self) -> None:
        """Ends the link and the thread."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._reader is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.close)
        self._thread.shutdown(wait=False, cancel_futures=True)

    # Reads

    async def refresh(self, interest: Interest) -> Snapshot:
        """The picture at the newest commit, or the last one with `trouble` told."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and interest == Interest():
            return await asyncio.wrap_future(ahead)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._refresh, interest)

    async def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """What it takes to start a run by hand. Raises LookupError when there is no such DAG or run."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._form, dag_id, like)

    async def locate(self, place: Place) -> Place:
        """A place with its DAG, run and task looked up. Raises LookupError when one is not there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._locate, place)

    def _locate(self, place: Place) -> Place:
        # Imported on first use: most consoles are never told an address.
        from console.cli.addresses import located
        from console.cli.errors import CliError

        try:
            self._pictures()
            assert self._reader is not None
            return located(self._reader, place)
        except (CliError, StoreError) as error:
            raise LookupError(one_line(error)) from error

    async def waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        """Why a task waits."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._waiting, run_id, task_id, map_index)

    async def limit(self, kind: str, name: str) -> WaitCard:
        """How a pool or a breaker stands."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._limit, kind, name)

    def _limit(self, kind: str, name: str) -> WaitCard:
        from console.backends.waiting import limit

        try:
            self._pictures()
            assert self._reader is not None
            return limit(self._reader, kind, name, self._now())
        except StoreError as error:
            return WaitCard((one_line(error),))

    def _waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        from console.backends.waiting import waiting

        try:
            self._pictures()
            assert self._reader is not None
            return waiting(self._reader, run_id, task_id, map_index, self._now())
        except StoreError as error:
            return WaitCard((one_line(error),))

    def _refresh(self, interest: Interest) -> Snapshot:
        try:
            return self._pictures().refresh(interest)
        except StoreError as error:
            last = Snapshot(0, self._home_card()) if self._picture is None else self._picture.last
            return replace(last, seq=max(last.seq, 0), trouble=one_line(error), filling=False)

    def _form(self, dag_id: str, like: str | None) -> TriggerForm:
        try:
            self._pictures()
            assert self._reader is not None
            form = Specs(self._reader).form(dag_id, like)
        except StoreError as error:
            raise LookupError(one_line(error)) from error
        return self._in_environment(form) if like is None else form

    def _in_environment(self, form: TriggerForm) -> TriggerForm:
        """The form with the values that a run has when nothing else is typed: the environment's go before the DAG's."""
        try:
            known = load_settings(self._home).environments
            layer = known.chosen(None)
        except HomeError:
            return form  # the engine says what is wrong with it, when it is started
        above = {} if layer is None else layer.params

        def of(param: ParamCard) -> ParamCard:
            below = known.params.get(param.name) if param.default is None else param.default
            return replace(param, default=above.get(param.name, below))

        return replace(form, params=tuple(map(of, form.params)))

    def _pictures(self) -> Picture:
        if self._reader is None:
            self._reader = Reader(self._home.database)
        if self._picture is None:
            self._picture = Picture(self._reader, self._home_card(), self._now, self._home.versions)
        return self._picture

    def _home_card(self) -> HomeCard:
        path = safe(str(self._home.root))
        try:
            settings = load_settings(self._home)
        except HomeError:
            return HomeCard(safe(self._home.name), path)  # the engine says what is wrong with it, when it is started
        active = maybe(settings.environments.active)
        return HomeCard(safe(settings.name), path, settings.timezone, settings.production, settings.slots, active)

    # Follow

    async def news(self) -> News:
        """Waits until a commit, a gauge or the link is new."""
        await self._fresh.wait()
        self._fresh.clear()
        return News(self._seq, self._link)

    def _tell(self, link: Link) -> None:
        self._link = link
        self._fresh.set()

    async def _keep_link(self) -> None:
        from engine.control.client import CommandRefused, NoEngine, WrongPeer, connect

        wait = _SHORTEST_WAIT
        while True:
            try:
                async with connect(self._home, "console", read_only=self._read_only) as client:
                    wait = _SHORTEST_WAIT
                    await self._follow(client)
                self._lost(LinkState.DOWN, "")
            except NoEngine as error:
                self._lost(LinkState.DOWN, one_line(error))
            except CommandRefused as error:
                self._lost(LinkState.REFUSED, _UPGRADED if error.code == "protocol" else one_line(error))
            except WrongPeer as error:
                self._lost(LinkState.REFUSED, one_line(error))
            except (ValueError, OSError) as error:
                self._lost(LinkState.DOWN, f"the link broke: {one_line(error)}")
            finally:
                self._client = None
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _lost(self, state: LinkState, message: str) -> None:
        since = self._link.since if self._link.state is state else self._now()
        self._tell(Link(state, since, self._link.heard_at, message=message))

    async def _follow(self, client: Client) -> None:
        from engine.control.protocol import Committed

        welcome = client.welcome
        if welcome.schema // 1000 != SCHEMA_MAJOR:
            self._lost(LinkState.REFUSED, _UPGRADED)
            await asyncio.sleep(_LONGEST_WAIT)
            return
        self._client, self._seq, now = client, welcome.seq, self._now()
        who, barred = safe(welcome.actor), _barred(welcome.role, read_only=self._read_only)
        self._tell(Link(LinkState.UP, now, now, None, welcome.started_at, safe(welcome.version), who, barred=barred))
        async for event in client.follow():
            now = self._now()
            if isinstance(event, Committed):
                self._seq = max(self._seq, event.seq)
                self._tell(replace(self._link, heard_at=now))
            else:
                self._tell(replace(self._link, heard_at=now, gauges=_gauges(event)))

    # Commands

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """What a command would touch. Raises Refused and Unreachable."""
        answer = await self._ask(lambda client: client.preview(verb, _selector(selection), dict(args)))
        card = _preview(answer)
        if answer.code:
            loop = asyncio.get_running_loop()
            card = replace(card, code=await loop.run_in_executor(self._thread, self._codes, answer.code[:_CODES]))
        return card

    def _codes(self, codes: list[p.Code]) -> tuple[CodeCard, ...]:
        """With which code what was asked for would run again, as far as the store has it."""
        from console.backends.sources import code_card

        try:
            self._pictures()
            assert self._reader is not None
            return tuple(code_card(self._reader, self._home.versions, code) for code in codes)
        except (StoreError, LookupError):
            return ()  # the dialog is about rows; a store that cannot be read is told in the header

    async def more(self, preview: PreviewCard) -> PreviewCard:
        """The rows after those of a preview. Raises Refused and Unreachable."""
        from engine.control.protocol import Preview

        asked = Preview(0, preview.preview_id, preview.seq, preview.verb, "", 0, more=preview.more)
        return _preview(await self._ask(lambda client: client.more(asked)))

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
        """Asks for a change; returns once it is committed. Raises Refused and Unreachable."""
        from console.model.asks import Receipt

        done = await self._ask(
            lambda client: client.command(
                verb,
                _selector(selection),
                dict(args),
                seen_seq=seen_seq,
                preview_id=preview_id,
                note=note,
                command_id=command_id,
            )
        )
        self._seq = max(self._seq, done.seq)
        self._fresh.set()
        skipped = tuple(one_line(row) for row in done.skipped)
        return Receipt(done.seq, one_line(done.message), done.changed, skipped, maybe(done.result.get("run_id")))

    async def _ask(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        from console.model.asks import Refused, Unreachable
        from engine.control.client import CommandRefused, NoEngine

        client = self._client
        if client is None:
            raise Unreachable("no engine answers")
        try:
            return await ask(client)
        except CommandRefused as error:
            raise Refused(error.code, one_line(error)) from error
        except NoEngine as error:
            raise Unreachable(one_line(error)) from error

    # Logs

    def log(self, attempt_id: str) -> AttemptLog:
        """The log of an attempt. Raises LookupError when the id cannot name one."""
        from console.backends.attempt_log import AttemptLog, log_path

        return AttemptLog(log_path(self._home.attempts, attempt_id))


def _selector(selection: Selection) -> p.Selector:
    from engine.control.protocol import Selector

    return Selector(list(selection.dag_ids), list(selection.run_ids), list(selection.task_ids))


def _gauges(event: p.Gauges) -> Gauges:
    return Gauges(
        event.at, event.slots_used, event.slots, event.queued, event.running, event.retrying, event.waiting,
        event.loop_lag_ms, event.cpu_percent, event.rss_bytes, tuple(map(safe, event.attached)), maybe(event.degraded),
        event.draining, {safe(key): quiet for key, quiet in event.quiet.items()}, maybe(event.warning), event.memory,
        event.host,
    )  # fmt: skip


def _preview(preview: p.Preview) -> PreviewCard:
    from console.model.asks import PreviewCard

    return PreviewCard(
        preview_id=preview.preview_id,
        seq=preview.seq,
        verb=safe(preview.verb),
        sentence=one_line(preview.sentence),
        total=preview.total,
        counts={safe(state): count for state, count in preview.counts.items()},
        rows=tuple(map(_effect, preview.rows)),
        more=preview.more,
        kills=preview.kills,
        reopens=preview.reopens,
        warnings=tuple(map(one_line, preview.warnings)),
    )


def _effect(row: p.Effect) -> EffectCard:
    from console.model.asks import EffectCard

    return EffectCard(
        safe(row.kind), safe(row.dag_id), maybe(row.run_id), maybe(row.task_id), row.map_index, safe(row.state),
        safe(row.becomes), one_line(row.detail), row.kills,
    )  # fmt: skip
