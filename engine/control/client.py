"""The client side of the control socket, for the console and the command line."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from engine.control import protocol as p
from engine.home import Home
from engine.version import VERSION


class NoEngine(Exception):
    """No engine answers on this home's socket."""


class SilentEngine(NoEngine):
    """An engine is there, and says nothing."""


class CommandRefused(Exception):
    """The engine refused: `code` as in `protocol.Refused`, the text is for people."""

    def __init__(self, refused: p.Refused) -> None:
        super().__init__(refused.message)
        self.code = refused.code


class WrongPeer(Exception):
    """The socket is served by somebody else's process."""


def claimed_identity() -> dict[str, str]:
    """What the environment says of the operator; only claimed, never proof."""
    return {name: os.environ[name] for name in ("SUDO_USER", "SSH_CONNECTION", "TERM", "TMUX") if name in os.environ}


def new_command_id() -> str:
    """A fresh command id: 32 hex digits."""
    return secrets.token_hex(16)


class Client:
    """One connection to the engine. Replies are matched by id; commits and gauges come through `events()`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: p.Welcome) -> None:
        self.welcome = welcome
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[p.Preview | p.Done | p.Quiet]] = {}
        self._events: asyncio.Queue[p.Committed | p.Gauges | None] = asyncio.Queue(maxsize=1000)
        self._pump = asyncio.get_running_loop().create_task(self._read())

    async def preview(self, verb: str, select: p.Selector, args: dict[str, Any] | None = None) -> p.Preview:
        """Asks what a command would touch. Raises CommandRefused or NoEngine."""
        reply = await self._ask(lambda i: p.AskPreview(i, verb, select, args or {}))
        assert isinstance(reply, p.Preview)
        return reply

    async def more(self, preview: p.Preview) -> p.Preview:
        """The next rows of a preview that says `more`. Raises CommandRefused when it has expired."""
        reply = await self._ask(lambda i: p.AskMore(i, preview.preview_id, preview.more or ""))
        assert isinstance(reply, p.Preview)
        return reply

    async def command(
        self,
        verb: str,
        select: p.Selector,
        args: dict[str, Any] | None = None,
        *,
        seen_seq: int | None = None,
        preview_id: str | None = None,
        note: str | None = None,
        command_id: str | None = None,
    ) -> p.Done:
        """Asks for a change; returns once it is committed. Raises CommandRefused or NoEngine."""
        name = command_id or new_command_id()
        reply = await self._ask(lambda i: p.Command(i, name, verb, select, args or {}, seen_seq, preview_id, note))
        assert isinstance(reply, p.Done)
        return reply

    async def quiet(self) -> dict[str, tuple[int, float | None]]:
        """Attempts that have written nothing for a while: by id, since when, and per cent of a core meanwhile."""
        reply = await self._ask(p.AskQuiet)
        assert isinstance(reply, p.Quiet)
        return reply.quiet

    async def follow(self) -> AsyncIterator[p.Committed | p.Gauges]:
        """Commit numbers and gauges, until the link is gone (then it ends)."""
        await self._send(p.Follow())
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """Ends the connection."""
        self._pump.cancel()
        if self._writer.transport.get_write_buffer_size():
            self._writer.transport.abort()  # it does not read: nobody waits until it has taken the rest of a command
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass  # the other end went first

    async def _ask(self, make: Any) -> p.Preview | p.Done | p.Quiet:
        number = next(self._ids)
        if self._pump.done():
            raise NoEngine("the engine closed the connection")
        future: asyncio.Future[p.Preview | p.Done | p.Quiet] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._send(make(number))
            return await future
        finally:
            self._waiting.pop(number, None)

    async def _send(self, message: p.Message) -> None:
        try:
            self._writer.write(p.encode(message))
            await self._writer.drain()
        except OSError as error:
            raise NoEngine(f"the engine is gone: {error}") from error

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._deliver(p.decode_server(line))
        except (OSError, ValueError) as error:
            self._fail(NoEngine(f"the link to the engine broke: {error}"))
        finally:
            self._fail(NoEngine("the engine closed the connection"))
            self._make_room()
            self._events.put_nowait(None)

    def _deliver(self, message: p.ServerMessage) -> None:
        if isinstance(message, p.Committed | p.Gauges):
            self._make_room()
            self._events.put_nowait(message)
        elif isinstance(message, p.Refused):
            future = self._waiting.get(message.id)
            if future is not None and not future.done():
                future.set_exception(CommandRefused(message))
        elif isinstance(message, p.Preview | p.Done | p.Quiet):
            future = self._waiting.get(message.id)
            if future is not None and not future.done():
                future.set_result(message)

    def _make_room(self) -> None:
        """Newer commit numbers replace older ones, so a slow reader falls behind in nothing but frames."""
        if self._events.full():
            self._events.get_nowait()

    def _fail(self, error: Exception) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)


def _check_peer(connection: socket.socket, owner: int) -> None:
    """Refuses a socket that another user serves: it would receive commands and params. Linux only.

    The home's owner is who serves it. Root, who may read every home, talks to that one too, and to nobody else.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid = struct.unpack("3i", raw)[1]
    expected = os.getuid() or owner
    if uid not in (expected, 0):
        raise WrongPeer(f"the socket is served by uid {uid}, not by uid {expected}: not talking to it")


@asynccontextmanager
async def connect(home: Home, client: str, *, read_only: bool = False) -> AsyncIterator[Client]:
    """A greeted connection to the engine of a home; with `read_only` the engine refuses all changes over it.

    Raises NoEngine where none answers, WrongPeer where another user serves it, and CommandRefused (code `protocol`)
    where engine and client do not fit together.
    """
    try:
        owner = home.root.stat().st_uid
        reader, writer = await asyncio.open_unix_connection(str(home.socket), limit=p.MAX_LINE + 1)
    except OSError as error:
        raise NoEngine(f"no engine answers on {home.socket}") from error
    try:
        _check_peer(writer.get_extra_info("socket"), owner)
        writer.write(p.encode(p.Hello(p.PROTOCOL, client, VERSION, claimed_identity(), read_only)))
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise NoEngine("the engine closed the connection")
        welcome = p.decode_server(line)
    except OSError as error:
        writer.close()
        raise NoEngine(f"the engine went away: {error}") from error
    except BaseException:
        writer.close()
        raise
    if isinstance(welcome, p.Refused):
        writer.close()
        raise CommandRefused(welcome)
    assert isinstance(welcome, p.Welcome)
    connection = Client(reader, writer, welcome)
    try:
        yield connection
    finally:
        await connection.close()
