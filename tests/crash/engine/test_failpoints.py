"""A kill at every named point around commits, claims and renames, one after the other until none is left."""

from __future__ import annotations

import ast
import asyncio
import itertools

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.chaos import Operator
from tests.support.checker import Checker, Evidence
from tests.support.engine import Site, until
from tests.support.source import python_files, tree_of
from tests.support.workload import SMALL, SMALL_BEHAVIOURS, SMALL_DAG

pytestmark = pytest.mark.processes

AT_ONCE = 2
CUTS_OFF = {"attempt.claim.made", "attempt.claim.written", "attempt.status.before", "attempt.status.made"}
CUTS_OFF |= {"attempt.result.written", "attempt.result.renamed"}
"""Points in a task's own process before its status is whole: one attempt ends there. At all others none may."""
NEW_HOME = {"bundle.written", "bundle.renamed", "store.before_upgrade", "store.after_upgrade"}
"""Points that are passed in the first life of a home alone."""


def named_points() -> list[str]:
    """Every name that the engine's code gives to a point."""
    names = set()
    for path in python_files("engine"):
        for node in ast.walk(tree_of(path)):
            called = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(called, "attr", getattr(called, "id", "")) == "hit":
                names |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return sorted(names)


async def work(site: Site, operator: Operator) -> None:
    """One run with everything in it: results, a retry, a shell, a callback, a task that is cleared while it runs."""
    run_id = (await operator.ask("trigger", dag_id=SMALL_DAG)).run_id
    await site.state(run_id, "stuck", "running")
    await operator.ask("clear", run_id, "stuck")
    (site.root / "release").touch()
    await operator.settled()
    assert site.run_state(run_id) == "success"


async def revive(site: Site) -> bool:
    """Starts another engine, without points, once the armed one is dead; True if that happened."""
    armed = site.engine
    assert armed is not None
    await armed.ended(3600)
    assert armed.code == -9, f"the engine ended with {armed.code}\n{site.log()}"
    await site.start()
    return True


async def dies_at(open_site: OpenSite, name: str, number: int) -> bool:
    """Runs the work with one process killed at one hit of a point, and judges it. False if that was not reached."""
    fresh = name in NEW_HOME
    async with open_site(None if fresh else SMALL) as site:
        if fresh:
            for file, text in SMALL.items():
                site.write(file, text)
        tally = site.root / "tally"
        armed = {"DAGDECK_FAILPOINT": f"{name}:{number}", "DAGDECK_FAILPOINT_TALLY": str(tally)}
        site.engine = site.launch(**armed)
        reviving = asyncio.create_task(revive(site))
        try:
            await until(lambda: site.home.socket.exists() and site.knows(SMALL_DAG), "the engine knows its DAG")
            operator = Operator(site)
            await work(site, operator)
        finally:
            reviving.cancel()
            await asyncio.gather(reviving, return_exceptions=True)
        await site.stop()
        evidence = Evidence(SMALL_BEHAVIOURS, operator.acks, forgiven=int(name in CUTS_OFF))
        assert Checker(site, evidence).problems() == [], f"after a kill at hit {number} of {name}\n{site.log()}"
        return tally.exists() and tally.stat().st_size >= number


@pytest.mark.parametrize("name", named_points())
async def test_a_kill_at_any_hit_of_a_point_loses_nothing_and_repeats_nothing(open_site: OpenSite, name: str) -> None:
    """Whichever process dies at whichever hit: every attempt begins at most once, every acknowledged command stands,
    only an attempt whose own process was killed is cut off, and the run ends as it must.
    """
    reached: list[bool] = []
    numbers = itertools.count(1)

    async def go_on() -> None:
        while all(reached):
            reached.append(await dies_at(open_site, name, next(numbers)))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(go_on())
    assert any(reached), f"{name} is never reached"
