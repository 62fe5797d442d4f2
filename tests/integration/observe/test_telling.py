"""Messages that leave the engine: to addresses and commands that answer, fail, hang or are not there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.care import Channel, Heartbeat, Telling
from engine.model.moments import SECOND, to_iso
from engine.observe import channels, failures
from engine.observe.channels import Undelivered, call_address, run_command
from engine.observe.failures import MOST, Gathered, Grouping, message_of
from engine.observe.heartbeat import Pulse
from tests.support.engine import until

HOOK, PAGE = Channel(webhook="https://example.org"), Channel(("/bin/page",))


class Address:
    """An HTTP server of a few lines, which answers with the codes it is given, and notes what it was asked."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append((head[0], headers, json.loads(body) if body else None))
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        writer.write(f"HTTP/1.1 {code} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    """The server."""
    found = Address(200)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-path"
    async with server:
        yield found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other without a wait."""
    monkeypatch.setattr(channels, "_BETWEEN", 0.0)


async def test_a_message_is_tried_again_under_the_same_key(address: Address) -> None:
    """A busy or failing address is asked again, with the same key, so that it can tell a repetition."""
    address.codes = [503, 429, 204]
    await call_address("POST", address.url, b'{"v": 1}', "dagdeck-7")
    assert [asked[2] for asked in address.asked] == [{"v": 1}] * 3
    assert {asked[1]["idempotency-key"] for asked in address.asked} == {"dagdeck-7"}


@pytest.mark.parametrize(("code", "tries"), [(404, 1), (302, 1), (500, 3)])
async def test_what_will_not_help_is_not_tried_again(address: Address, code: int, tries: int) -> None:
    """A refusal is final, redirects are not followed, and the address itself is in no error."""
    address.codes = [code]
    with pytest.raises(Undelivered, match=f"answered {code}") as caught:
        await call_address("POST", address.url, b"{}", "k")
    assert len(address.asked) == tries
    assert "secret-path" not in str(caught.value)


async def test_an_address_that_is_not_there_is_an_error_in_words() -> None:
    """Nobody listens: the error says what kind it was."""
    with pytest.raises(Undelivered, match="ConnectError"):
        await call_address("GET", "http://127.0.0.1:1/")


async def test_an_address_that_answers_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that sends a header now and then, for ever, is given up like one that says nothing."""

    over, gone = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-More: 1\r\n")
                await writer.drain()
                await asyncio.wait([gone], timeout=0.02)
        writer.close()
        over.set()

    monkeypatch.setattr(channels, "SECONDS", 0.3)
    monkeypatch.setattr(channels, "_TRIES", 1)
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(5):
            with pytest.raises(Undelivered, match="TimeoutError"):
                await call_address("GET", url)
            await over.wait()


async def test_a_command_reads_the_message(tmp_path: Path) -> None:
    """It gets JSON on its standard input, the tasks' clean environment, and no shell sees a value."""
    target = tmp_path / "said $(touch evil)"
    await run_command(("/usr/bin/tee", str(target)), {"text": "a'b\"$(c)\n"}, {"PATH": "/usr/bin:/bin"})
    assert json.loads(target.read_text()) == {"text": "a'b\"$(c)\n"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/bin/sh", "-c", "echo out of paper; exit 3"), "ended with 3: out of paper"),
        (("/bin/sh", "-c", "yes oh | head -c 99999; echo at last; exit 4"), "ended with 4: .{,300}at last$"),
        (("/no/such/thing",), "/no/such/thing: No such file"),
        (("/bin/sh", "-c", "sleep 60 & sleep 60"), "was killed"),
    ],
)
async def test_a_command_that_fails_says_how(
    command: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code and last words, or what kept it from starting; one that hangs is killed with all it started."""
    monkeypatch.setattr(channels, "SECONDS", 0.3)
    with pytest.raises(Undelivered, match=words):
        await run_command(command, {}, {"PATH": "/usr/bin:/bin"})


async def test_a_heartbeat_tells_of_its_failure_once(address: Address) -> None:
    """While the address does not answer it is remembered why, and logged once; when it does, all is well again."""
    log = structlog.testing.CapturingLogger()
    pulse = Pulse(Heartbeat(address.url, 60), lambda: True, log)  # type: ignore[arg-type]
    address.codes = [500]
    await pulse.beat()
    await pulse.beat()
    assert pulse.failing == "answered 500"
    address.codes = [200]
    await pulse.beat()
    assert pulse.failing is None
    assert [call.args[0] for call in log.calls] == ["heartbeat_failed", "heartbeat_again"]


def failed(number: int, dag_id: str = "sales") -> dict[str, Any]:
    """A failed run."""
    what = {"dag_id": dag_id, "run_id": f"{dag_id}@{number}", "task_id": "load", "error": "no table"}
    return {**what, "failed_at": to_iso(number * SECOND), "seq": number}


def test_a_storm_is_one_message() -> None:
    """What fails within a few seconds is told at once and together; what fails soon after that waits its turn."""
    grouping = Grouping(Telling(default=HOOK, gather=10, apart=300))
    for number in range(1000):
        grouping.add(failed(number), number)
    assert grouping.due(9 * SECOND) == []
    [(channel, gathered)] = grouping.due(10 * SECOND)
    assert (channel, gathered.total, len(gathered.runs)) == (HOOK, 1000, MOST)
    grouping.add(failed(1000), 20 * SECOND)
    grouping.add(failed(1001), 200 * SECOND)
    assert grouping.due(300 * SECOND) == []
    [(_, later)] = grouping.due(310 * SECOND)
    assert later.total == 2
    assert not grouping.waits()


def test_each_channel_has_its_own_message() -> None:
    """DAGs with a channel of their own are told there, and those that nobody wants to hear of nowhere."""
    grouping = Grouping(Telling(HOOK, {"trades_*": PAGE, "noise": Channel()}, gather=0))
    for dag_id in ("sales", "trades_us", "noise", "trades_eu"):
        grouping.add(failed(1, dag_id), 0)
    assert {(channel, gathered.total) for channel, gathered in grouping.due(0)} == {(HOOK, 1), (PAGE, 2)}


def test_a_message_that_says_more_has_another_key() -> None:
    """Sent again with the same runs it has the same key; with more, or from a store that was set back, another one."""

    def key(*runs: dict[str, Any]) -> str:
        gathered = Gathered()
        for run in runs:
            gathered.add(run)
        return gathered.key

    assert key(failed(7), failed(9)) == key(failed(7), failed(9))
    assert len({key(failed(7)), key(failed(7), failed(9)), key({**failed(7), "failed_at": to_iso(0)})}) == 3


class Feed:
    """What a teller reads: events 1 to `committed`, each of a run of its own that failed."""

    def __init__(self) -> None:
        self.committed = 0
        self.noted = [0]
        self.now = 0

    async def read(self, ask: Any) -> Any:
        """What a reader would answer."""
        match getattr(ask, "func", ask).__name__:
            case "_events":
                numbers = range(ask.args[0] + 1, self.committed + 1)
                return [(n, n * SECOND, "run", "sales", n, None, None, "running", "failed") for n in numbers]
            case "_failed_run":
                return {**failed(ask.args[0]), "error": None}
        return "0"  # nothing was told yet

    async def note(self, _key: str, value: str) -> None:
        """How far it was told."""
        self.noted.append(int(value))


async def test_what_was_told_is_noted_while_more_waits(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """While failures go on and the next message gathers, a restart repeats none of the messages before it."""
    monkeypatch.setattr(failures, "_LOOK_SECONDS", 0.01)
    feed, log = Feed(), structlog.testing.CapturingLogger()
    telling = Telling(Channel(webhook=address.url), gather=0, apart=300)
    teller = failures.Teller(
        telling, "etl", {}, feed.read, feed.note, lambda: feed.committed, lambda: feed.now, log  # type: ignore[arg-type]
    )  # fmt: skip
    feed.committed = 5
    work = asyncio.create_task(teller.run())
    await until(lambda: address.asked, "five are told")
    feed.committed, feed.now = 9, SECOND
    await until(lambda: feed.noted[-1] == 5, "they are noted, though four more wait")
    feed.now = 301 * SECOND
    await until(lambda: feed.noted[-1] == 9, "those are told, too")
    work.cancel()
    assert [asked[2]["total"] for asked in address.asked] == [5, 4]


def test_the_message_is_words_and_data() -> None:
    """The first failure stands in the text; a storm names its DAGs and how many runs."""
    one = Gathered()
    one.add(failed(1))
    assert message_of("etl", one, 0)["text"] == "sales@1 failed: load: no table"
    for number in range(2, 40):
        one.add(failed(number, f"dag{number}"))
    message = message_of("etl", one, 0)
    assert message["text"].startswith("39 runs of dag10, dag11") and message["total"] == 39
    assert len(message["runs"]) == MOST
