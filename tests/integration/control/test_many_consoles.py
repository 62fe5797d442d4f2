"""Twenty consoles at once: one order of events for all, one winner for what two want, and nobody's change is lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from engine.control import protocol as p
from engine.control.client import Client, CommandRefused
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes
CONSOLES = 20


async def test_of_twenty_that_act_on_the_same_row_one_wins(site: Site) -> None:
    """The others are told who came first; every console is told the same commits, in the same order."""
    await site.command("hold", p.Selector())
    runs = [await site.trigger("quick") for _ in range(5)]
    select = p.Selector(run_ids=[runs[0]], task_ids=["one"])
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(site.client("console")) for _ in range(CONSOLES)]
        seen: list[list[int]] = [[] for _ in clients]
        watchers = [asyncio.create_task(watch(client, heard)) for client, heard in zip(clients, seen, strict=True)]
        shown = [await client.preview("mark", select, {"state": "skipped"}) for client in clients]
        states = ["skipped", "failed"] * (CONSOLES // 2)
        answers = await asyncio.gather(
            *(
                client.command("mark", select, {"state": state}, seen_seq=look.seq)
                for client, look, state in zip(clients, shown, states, strict=True)
            ),
            return_exceptions=True,
        )
        won = [answer for answer in answers if isinstance(answer, p.Done)]
        lost = [answer for answer in answers if isinstance(answer, CommandRefused)]
        assert (len(won), len(lost)) == (1, CONSOLES - 1)
        assert all("mark by" in str(each) or "already" in str(each) for each in lost)
        last = await site.command("pause", p.Selector(dag_ids=["quick"]))
        await until(lambda: all(heard and heard[-1] >= last.seq for heard in seen), "all have heard of the last commit")
        for watcher in watchers:
            watcher.cancel()
    assert all(heard == sorted(heard) for heard in seen)
    numbers = [row[0] for row in site.rows("SELECT seq FROM event ORDER BY seq")]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def watch(client: Client, heard: list[int]) -> None:
    """Notes the commits that a console is told of."""
    async for event in client.follow():
        if isinstance(event, p.Committed):
            heard.append(event.seq)


async def test_twenty_that_act_on_different_rows_all_have_their_way(site: Site) -> None:
    """Each has one row of the audit, and its effect."""
    runs = [await site.trigger("held") for _ in range(CONSOLES)]
    await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'running'") == CONSOLES, "all run")
    answers = await asyncio.gather(*(site.command("pause", p.Selector(run_ids=[run])) for run in runs))
    assert {answer.changed for answer in answers} == {1}
    assert site.value("SELECT count(*) FROM run WHERE state = 'paused'") == CONSOLES
    assert site.value("SELECT count(*) FROM command WHERE verb = 'pause' AND outcome = 'done'") == CONSOLES
    await site.command("cancel", p.Selector(expression="dag:held"), {"force": True})
