"""The socket's server: who is connected, what they ask, and what they are told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from structlog.typing import FilteringBoundLogger

from engine.control import protocol as p
from engine.control.actors import Actor, identify
from engine.control.commands import Commands
from engine.control.plans import Refusal
from engine.control.roles import Roles
from engine.home import HomeError
from engine.model.roles import Role
from engine.store.errors import StoreError
from engine.version import SCHEMA, VERSION

_BEHIND = 256 * 1024
"""Bytes a follower may leave unread before commit numbers are dropped for it; the next one catches it up."""
MOST_CLIENTS = 200
KEEP_SECONDS = 2.0
"""Between two looks whether the socket is still there."""
_COMMITS_APART = 0.02


@dataclass(eq=False, slots=True)
class Session:
    """One connected client."""

    writer: asyncio.StreamWriter
    actor: Actor
    client: str = ""
    version: str = ""
    read_only: bool = False
    following: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def tell(self, line: bytes) -> None:
        """Sends a line that may be lost: a client that does not read is not waited for."""
        if self.writer.transport.get_write_buffer_size() < _BEHIND:
            self.writer.write(line)

    async def answer(self, message: p.Message) -> None:
        """Sends a reply."""
        async with self.lock:
            self.writer.write(p.encode(message))
            with contextlib.suppress(OSError):  # the client went away; its command is committed all the same
                await self.writer.drain()


class Server:
    """Serves one home's control socket."""

    def __init__(
        self,
        path: Path,
        commands: Commands,
        roles: Roles,
        *,
        home: str,
        started_at: int,
        committed: Callable[[], int],
        gauges: Callable[[list[str]], p.Gauges],
        quiet: Callable[[], dict[str, tuple[int, float | None]]],
        log: FilteringBoundLogger,
    ) -> None:
        self._path = path
        self._commands = commands
        self._roles = roles
        self._home = home
        self._started_at = started_at
        self._committed = committed
        self._gauges = gauges
        self._quiet_attempts = quiet
        self._log = log
        self._sessions: set[Session] = set()
        self._server: asyncio.AbstractServer | None = None
        self._told = self._latest = -1
        self._quiet: asyncio.TimerHandle | None = None
        self._pulse: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begins to answer. Raises HomeError where others could put a socket of theirs in its place."""
        await self._bind()
        self._pulse = asyncio.create_task(self._beat())

    async def keep(self) -> None:
        """Binds the socket again when somebody, or a cleaner of `/tmp`, has removed it. Until cancelled."""
        told = ""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self._stands():
                continue
            try:
                if self._server is not None:
                    self._server.close()
                await self._bind()
                self._log.warning("socket_again", path=str(self._path))
                told = ""
            except (HomeError, OSError) as error:
                if str(error) != told:
                    self._log.error("socket_gone", path=str(self._path), error=str(error))
                told = str(error)

    def _stands(self) -> bool:
        return os.path.lexists(self._path)

    async def _bind(self) -> None:
        """Binds the socket under another name and renames it, so that a path that stands always answers."""
        folder = self._path.parent
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat(follow_symlinks=False)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise HomeError(f"{folder}, the folder of the control socket, is open to other users: remove it")
        unready = self._path.with_name(f".{self._path.name[:8]}.{os.getpid()}")
        unready.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path=str(unready), limit=p.MAX_LINE + 1)
        unready.chmod(0o600)
        unready.rename(self._path)

    async def close(self) -> None:
        """Takes no further clients and lets the present ones go."""
        for timer in (self._pulse, self._quiet):
            if timer is not None:
                timer.cancel()
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for session in list(self._sessions):
            session.writer.close()

    @property
    def following(self) -> int:
        """How many clients follow."""
        return sum(session.following for session in self._sessions)

    def committed(self, seq: int) -> None:
        """Tells all followers how far the store is: at once, then at most fifty times a second."""
        self._latest = seq
        if self._quiet is None:
            self._tell_committed()

    def _tell_committed(self) -> None:
        self._quiet = None
        if self._latest == self._told or not self._sessions:
            return
        self._told = self._latest
        line = p.encode(p.Committed(self._told))
        for session in self._sessions:
            if session.following:
                session.tell(line)
        self._quiet = asyncio.get_running_loop().call_later(_COMMITS_APART, self._tell_committed)

    async def _beat(self) -> None:
        """Gauges once a second, while anybody follows."""
        told = ""
        while True:
            await asyncio.sleep(1.0)
            try:
                self._send_gauges()
                told = ""
            except Exception as error:  # no descriptor is left to look at the host with, for instance
                if str(error) != told:
                    self._log.exception("gauges_failed", error=str(error))
                told = str(error)

    def _send_gauges(self) -> None:
        followers = [session for session in self._sessions if session.following]
        if followers:
            consoles = sorted({session.actor.user for session in followers if session.client == "console"})
            versions = sorted({session.version for session in followers if session.client == "console"})
            line = p.encode(msgspec.structs.replace(self._gauges(consoles), console_versions=versions))
            for session in followers:
                session.tell(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid, uid = _peer(writer.get_extra_info("socket"))
        if uid not in (os.getuid(), 0) or len(self._sessions) >= MOST_CLIENTS:
            writer.close()
            return
        session = Session(writer, identify(pid, uid))
        self._sessions.add(session)
        try:
            if await self._greet(reader, session):
                while line := await reader.readline():
                    await self._handle(session, p.decode_client(line))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._log.warning("client_dropped", user=session.actor.user, error=str(error))
        except OSError:
            pass  # the client is gone
        finally:
            self._sessions.discard(session)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, session: Session) -> bool:
        try:
            line = await asyncio.wait_for(reader.readline(), 10)
        except TimeoutError:
            return False
        hello = p.decode_client(line) if line else None
        if not isinstance(hello, p.Hello):
            return False
        if hello.protocol != p.PROTOCOL:
            text = f"this engine speaks protocol {p.PROTOCOL} (version {VERSION}): restart this {hello.client}"
            await session.answer(p.Refused(0, "protocol", text))
            return False
        session.client, session.version = hello.client, hello.version
        session.read_only = hello.read_only
        session.actor.claimed.update(hello.claimed)
        welcome = p.Welcome(
            protocol=p.PROTOCOL,
            schema=SCHEMA,
            version=VERSION,
            pid=os.getpid(),
            home=self._home,
            seq=self._committed(),
            started_at=self._started_at,
            actor=session.actor.name,
            role=(Role.VIEWER if session.read_only else self._roles.of(session.actor)).word,
        )
        await session.answer(welcome)
        return True

    async def _handle(self, session: Session, message: p.ClientMessage) -> None:
        match message:
            case p.Follow():
                session.following = True
                session.tell(p.encode(p.Committed(self._committed())))
            case p.AskQuiet():
                await session.answer(p.Quiet(message.id, self._quiet_attempts()))
            case p.AskPreview() | p.AskMore() | p.Command():
                await session.answer(await self._reply(session, message))
            case p.Hello():
                raise ValueError("hello comes first and once")

    async def _reply(self, session: Session, message: p.AskPreview | p.AskMore | p.Command) -> p.Message:
        try:
            match message:
                case p.AskPreview():
                    return await self._commands.preview(message, session.actor)
                case p.AskMore():
                    return self._commands.more(message)
                case p.Command():
                    self._roles.check(session.actor, message.verb, read_only=session.read_only)
                    return await self._commands.carry_out(message, session.actor, session.client)
        except Refusal as refusal:
            return p.Refused(message.id, refusal.code, str(refusal), self._committed())
        except StoreError as error:
            return p.Refused(message.id, "degraded", f"the store cannot be read: {error}", self._committed())


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Pid and uid of the process at the other end, as the kernel attests them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _gid = struct.unpack("3i", raw)
    return pid, uid
