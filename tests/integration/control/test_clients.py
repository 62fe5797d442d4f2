"""Clients that stop, babble or lie: the engine goes on, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from engine.version import VERSION
from tests.support.engine import PATIENCE, Site, until
from tests.support.source import PROJECT
from tests.support.trees import everything_in

pytestmark = pytest.mark.processes

QUICK = p.Selector(dag_ids=["quick"])
HELLO = p.encode(p.Hello(p.PROTOCOL, "cli", VERSION))
FOLLOWER = """
import socket, sys, json
link = socket.socket(socket.AF_UNIX)
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
link.connect(sys.argv[1])
link.sendall(b'{"type":"hello","protocol":1,"client":"console","version":"x"}\\n{"type":"follow"}\\n')
print(link.recv(1), flush=True)
while True:
    link.recv(1)
"""


@asynccontextmanager
async def raw(site: Site, greet: bool = True) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection without a client's manners, greeted if wanted."""
    reader, writer = await asyncio.open_unix_connection(str(site.home.socket), limit=1 << 22)
    try:
        if greet:
            writer.write(HELLO)
            assert b'"welcome"' in await reader.readline()
        yield reader, writer
    finally:
        writer.close()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Everything until the engine closes the link."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def works(site: Site) -> None:
    """The engine still does what it is asked."""
    assert await site.over(await site.trigger("quick")) == "success"
    assert "degraded" not in site.log() and "Traceback" not in site.log()


GARBAGE = [
    b"\x00\xff\xfe garbage \x1b]52;c;eA==\x07\n",
    b"[]\n",
    b"{}\n",
    b"null\n",
    b'{"type":"welcome"}\n',
    b'{"type":"command"}\n',
    b'{"type":"command","id":"one","command_id":1,"verb":null}\n',
    b'{"type":"hello","protocol":1,"client":"cli","version":"x"}\n',
    b'{"type":"command","id":1,"command_id":"' + b"a" * 32 + b'","verb":"trigger","note":"\\ud800"}\n',
    b'{"type":"ask_preview","id":1,"verb":"trigger","args":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}\n",
    b'{"type":"ask_preview","id":1,"verb":"' + b"x" * (2 << 20) + b'"}\n',
    b"x" * (3 << 20),
]


@pytest.mark.parametrize("greet", [True, False], ids=["greeted", "not greeted"])
async def test_a_client_that_babbles_is_dropped_alone(site: Site, greet: bool) -> None:
    """Bytes that are no message end the connection they came over, whatever they are; others go on undisturbed."""
    async with site.client() as decent:
        for number, line in enumerate(GARBAGE):
            if not greet and line.startswith(b'{"type":"hello"'):
                continue
            async with raw(site, greet) as (reader, writer):
                writer.write(line)
                assert b'"done"' not in await closed(reader), number
            assert (await decent.preview("trigger", QUICK)).total == 1
    await works(site)


async def test_a_client_of_another_protocol_is_told_to_restart(site: Site) -> None:
    """The engine names its own protocol and version before it closes the link."""
    async with raw(site, greet=False) as (reader, writer):
        writer.write(p.encode(p.Hello(99, "console", "9.9")))
        answer = json.loads(await closed(reader))
    assert (answer["type"], answer["code"]) == ("refused", "protocol")
    assert answer["message"] == f"this engine speaks protocol {p.PROTOCOL} (version {VERSION}): restart this console"


async def test_a_stopped_console_holds_up_nobody(site: Site) -> None:
    """A follower that is stopped by SIGSTOP and reads nothing costs others nothing; the engine keeps little for it."""
    stopped = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOWER, str(site.home.socket), stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert stopped.stdout is not None
    await stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    try:
        async with site.client() as client:
            for _ in range(200):
                await client.command("trigger", QUICK)
        await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'success'") == 200, "all runs succeed")
        before = site.value("SELECT max(seq) FROM event")
        await works(site)
        assert site.value("SELECT max(seq) FROM event") > before
    finally:
        stopped.kill()
        await stopped.wait()


async def test_a_client_that_never_reads_its_answers_holds_up_only_itself(site: Site) -> None:
    """Thousands of questions whose answers are not read are held back by the link, not kept in the engine."""
    async with raw(site) as (_, writer):
        question = p.encode(p.AskPreview(1, "trigger", QUICK))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                while True:
                    writer.write(question * 100)
                    await writer.drain()
        await works(site)
        writer.transport.abort()
    await works(site)


async def test_a_client_that_vanishes_leaves_its_command_done(site: Site) -> None:
    """A command whose sender hangs up before the answer is committed all the same."""
    name = "c" * 32
    async with raw(site) as (_, writer):
        writer.write(p.encode(p.Command(1, name, "trigger", QUICK)))
        await writer.drain()
    await until(lambda: site.value("SELECT outcome FROM command WHERE id = ?", name) == "done", "it is in the audit")
    await works(site)


def open_files(pid: int) -> int:
    """How many a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def test_a_thousand_connections_leave_nothing_behind(site: Site) -> None:
    """Links that come by the hundred, say nothing or half a word and go, cost the engine nothing that stays; one that
    sends its words letter by letter is waited for, and nobody waits with it.
    """
    assert site.engine is not None
    pid = site.engine.pid
    before = open_files(pid)
    async with raw(site) as (reader, writer), site.client() as decent:
        word = p.encode(p.AskPreview(1, "trigger", QUICK, {}))
        for number, letter in enumerate(word):
            writer.write(bytes([letter]))
            await writer.drain()
            for half in (b"", b'{"type":"hel', b"\xff", HELLO, HELLO + word[:20]) * 3:
                link = socket.socket(socket.AF_UNIX)
                link.connect(str(site.home.socket))
                link.send(half or b"\n")
                link.close()
            if number % 20 == 0:
                assert (await decent.preview("trigger", QUICK)).total == 1
        assert len(word) * 15 >= 1000
        assert b'"preview"' in await reader.readline()
    await until(lambda: open_files(pid) <= before, "all of them are let go")
    await works(site)


async def test_more_clients_than_allowed_are_turned_away(site: Site) -> None:
    """The 201st connection is closed at once; when others have gone there is room again."""
    links = []
    try:
        for _ in range(200):
            link = socket.socket(socket.AF_UNIX)
            link.connect(str(site.home.socket))
            links.append(link)
        async with raw(site, greet=False) as (reader, _):
            assert await closed(reader) == b""
    finally:
        for link in links:
            link.close()

    async def answers() -> bool:
        async with raw(site, greet=False) as (reader, writer):
            writer.write(HELLO)
            return bool(await reader.readline())

    async with asyncio.timeout(PATIENCE):
        while not await answers():
            pass
    await works(site)


HOSTILE = [
    "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202e\u0007",
    "[/] [@click=app.quit]x[/] [red]",
    "$(touch pwned) `touch pwned` ; touch pwned # ' \" \\",
    "line\nline\r\x00after",
    "🧨" * 1000 + "\u0301" * 500,
    "'; DROP TABLE run; --",
]


async def test_hostile_text_is_data_everywhere(site: Site) -> None:
    """Notes, params and names with control sequences, quotes and shell code are stored as they are, and run nothing."""
    async with site.client() as client:
        for text in HOSTILE:
            given = text.replace("\x00", "")
            select = p.Selector(dag_ids=["texts"])
            done = await client.command("trigger", select, {"params": {"text": given}}, note=text)
            run_id = str(done.result["run_id"])
            assert await site.over(run_id) == "success"
            assert (site.root / "said").read_bytes() == given.encode()
            assert json.loads(site.value("SELECT params FROM run WHERE run_id = ?", run_id)) == {"text": given}
            assert site.value("SELECT note FROM run WHERE run_id = ?", run_id) == text
            for selector in (
                p.Selector(dag_ids=[text]),
                p.Selector(run_ids=[text]),
                p.Selector(run_ids=[run_id], task_ids=[text]),
            ):
                verb = "pause" if selector.dag_ids else "clear"
                with pytest.raises(CommandRefused) as refusal:
                    await client.command(verb, selector)
                assert refusal.value.code == "not_found"
    assert not [path for path, _ in everything_in(site.root) if path.name == "pwned"] and not list(
        PROJECT.glob("pwned")
    )
    log = site.log()
    assert log.isascii() and "\x1b" not in log


async def test_a_nul_in_a_param_fails_the_task_with_a_reason(site: Site) -> None:
    """An environment cannot hold a NUL: the attempt says so, and is not started again and again."""
    run_id = await site.trigger("texts", params={"text": "a\x00b"})
    assert await site.over(run_id) == "failed"
    (attempt,) = site.attempts(run_id, "say")
    assert "null" in attempt["error"].lower() or "nul" in attempt["error"].lower()
    await works(site)
