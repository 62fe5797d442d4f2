"""The command line's link to a running engine: what the control client offers, without an event loop in the verbs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from engine.home import Home
from engine.lock import lock_holder

if TYPE_CHECKING:
    from engine.control.client import Client
    from engine.control.protocol import Done, Gauges, Preview, Welcome
    from engine.control.protocol import Selector as Selector

T = TypeVar("T")
Kind: TypeAlias = Literal["", "tasks", "runs", "dags"]
Quiet: TypeAlias = dict[str, tuple[int, float | None]]
ANSWER_SECONDS = 30.0
_FIGURE_SECONDS = 2.0
"""For what a listing merely adds to what is committed."""


def engine_pid(home: Home) -> int | None:
    """The pid of the engine that holds the home's lock, 0 when it has not signed yet, None when none runs."""
    return lock_holder(home.lock)


def select(*, dags: tuple[str, ...] = (), runs: tuple[str, ...] = (), tasks: tuple[str, ...] = ()) -> Selector:
    """What a command is about."""
    from engine.control.protocol import Selector

    return Selector(list(dags), list(runs), list(tasks))


def fitting(expression: str, kind: Kind = "") -> Selector:
    """Everything that an expression fits; of `kind` where the verb takes more than one."""
    from engine.control.protocol import Selector

    return Selector(expression=expression, kind=kind)


def way_out(pid: int | None) -> str:
    """What helps against an engine that says nothing: it does not hear a mere `kill`, and least of all when stopped."""
    end = f"`kill -9 {pid}` ends the engine, its tasks run on"
    if pid and _is_stopped(pid):
        return f"a signal has stopped it, and `kill -CONT {pid}` lets it go on; {end}"
    return end


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


class EngineLink:
    """A greeted connection, used as a context. Each call waits for its answer.

    Calls run on a loop of the link's own and not under asyncio.run, which would keep the first Ctrl-C to itself while
    a question is open. Raises NoEngine, WrongPeer and CommandRefused of the control client.
    """

    def __init__(self, home: Home, seconds: float = ANSWER_SECONDS) -> None:
        """Waits for each answer for so long."""
        self._home = home
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._connection: AbstractAsyncContextManager[Client] | None = None
        self._client: Client | None = None

    def __enter__(self) -> EngineLink:
        # Imported on first use: verbs that only read need no loop and no messages.
        from engine.control.client import NoEngine, SilentEngine, connect

        self._connection = connect(self._home, "cli")
        try:
            self._client = self._wait(self._connection.__aenter__())
        except BaseException as error:
            self._loop.close()
            pid = engine_pid(self._home) if type(error) is NoEngine else None
            if not pid:
                raise
            raise SilentEngine(
                f"{error}, but one runs (pid {pid}): it makes its socket, also again, within a few seconds; "
                f"else see {self._home.log}; `kill {pid}` ends it, its tasks run on"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None
        try:
            self._loop.run_until_complete(self._connection.__aexit__(None, None, None))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    @property
    def welcome(self) -> Welcome:
        """The engine's greeting: its pid, version, start and home."""
        return self._open.welcome

    def preview(self, verb: str, selector: Selector, args: dict[str, Any]) -> Preview:
        """What a command would touch."""
        return self._wait(self._open.preview(verb, selector, args))

    def more(self, preview: Preview) -> Preview:
        """The next rows of a preview."""
        return self._wait(self._open.more(preview))

    def command(
        self, verb: str, selector: Selector, args: dict[str, Any], preview: Preview | None, note: str | None
    ) -> Done:
        """Asks for the change; returns once it is committed."""
        return self._wait(
            self._open.command(
                verb,
                selector,
                args,
                seen_seq=preview.seq if preview is not None else None,
                preview_id=preview.preview_id if preview is not None else None,
                note=note,
            )
        )

    def quiet(self) -> Quiet:
        """Attempts that have written nothing for a while: by id, since when, and per cent of a core meanwhile."""
        return self._wait(self._open.quiet())

    def gauges(self) -> Gauges:
        """The next figures that the engine sends, within about a second."""
        return self._wait(self._next_gauges())

    async def _next_gauges(self) -> Gauges:
        from engine.control.client import NoEngine
        from engine.control.protocol import Gauges

        async for event in self._open.follow():
            if isinstance(event, Gauges):
                return event
        raise NoEngine("the engine closed the connection")

    @property
    def _open(self) -> Client:
        assert self._client is not None, "the link is used as a context"
        return self._client

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        from engine.control.client import SilentEngine

        async def bounded() -> T:
            try:
                return await asyncio.wait_for(call, self._seconds)
            except TimeoutError as error:
                pid = engine_pid(self._home)
                raise SilentEngine(
                    f"the engine (pid {pid}) did not answer within {self._seconds:.0f} s: see {self._home.log}; "
                    f"{way_out(pid)}"
                ) from error

        return self._loop.run_until_complete(bounded())


def quiet_attempts(home: Home) -> Quiet:
    """What a running engine says of silent attempts; nothing where none runs, or it does not answer."""
    if not engine_pid(home):
        return {}
    from engine.control.client import CommandRefused, NoEngine, WrongPeer

    try:
        with EngineLink(home, _FIGURE_SECONDS) as link:
            return link.quiet()
    except (NoEngine, WrongPeer, CommandRefused):
        return {}  # a figure of the moment: what is committed is shown without it


def is_degraded(error: Exception) -> bool:
    """Whether it is the refusal of an engine that takes no changes because its store does not."""
    from engine.control.client import CommandRefused

    return isinstance(error, CommandRefused) and error.code == "degraded"
