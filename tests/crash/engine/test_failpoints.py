"""A kill at every named point around commits, claims and renames, one after the other until none is left."""

from __future__ import annotations

import ast
import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.chaos import Operator
from tests.support.checker import Checker, Evidence
from tests.support.engine import Site, until
from tests.support.source import python_files, tree_of
from tests.support.workload import SMALL, SMALL_BEHAVIOURS, SMALL_DAG

pytestmark = pytest.mark.processes

CUTS_OFF = {"attempt.claim.made", "attempt.claim.written", "attempt.status.before", "attempt.status.made"}
CUTS_OFF |= {"attempt.result.written", "attempt.result.renamed"}
"""Points in a task's own process before its status is whole: one attempt ends there. At all others none may."""
NEW_HOME = {"bundle.written", "bundle.renamed", "store.before_upgrade", "store.after_upgrade"}
"""Points that are passed in the first life of a home alone."""


def named_points() -> set[str]:
    """Every name that the engine's code gives to a point."""
    names = set()
    for path in python_files("engine"):
        for node in ast.walk(tree_of(path)):
            called = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(called, "attr", getattr(called, "id", "")) == "hit":
                names |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return names


class Arm:
    """Says to all processes of a home at which hit of which point one of them dies."""

    def __init__(self, site: Site) -> None:
        self._path = site.root / "armed"
        self._tally = Path(f"{self._path}.tally")
        self.environment = {"DAGDECK_FAILPOINT": f"@{self._path}"}

    def set(self, name: str, number: int) -> None:
        """From now on hits of the point are counted, and the one of this number is the last of its process."""
        self._tally.unlink(missing_ok=True)
        self._path.write_text(f"{name}:{number}")

    def clear(self) -> int:
        """Nothing dies any more; gives how many hits there were."""
        self._path.write_text("")
        return self._tally.stat().st_size if self._tally.exists() else 0


async def work(site: Site, operator: Operator) -> None:
    """One run with everything in it: results, a retry, a shell, a callback, a task that is cleared while it runs."""
    run_id = (await operator.ask("trigger", dag_id=SMALL_DAG)).run_id
    await site.state(run_id, "stuck", "running")
    await operator.ask("clear", run_id, "stuck")
    (site.root / f"release.{run_id}").touch()
    await operator.settled()
    assert site.run_state(run_id) == "success"


@asynccontextmanager
async def revived(site: Site, **environment: str) -> AsyncIterator[None]:
    """Starts another engine whenever one has been killed, until the end of the block."""

    async def revive() -> None:
        while True:
            assert site.engine is not None
            code = await site.engine.ended(3600)
            assert code == -9, f"the engine ended with {code}\n{site.log()}"
            await site.start(**environment)

    reviving = asyncio.create_task(revive())
    try:
        yield
    finally:
        reviving.cancel()
        await asyncio.gather(reviving, return_exceptions=True)


def judge(site: Site, operator: Operator, name: str, number: int, kills: int) -> None:
    """Everything that has been run so far is as it must be."""
    evidence = Evidence(SMALL_BEHAVIOURS, operator.acks, forgiven=kills if name in CUTS_OFF else 0)
    assert Checker(site, evidence).problems() == [], f"after a kill at hit {number} of {name}\n{site.log()}"


@pytest.mark.parametrize("name", sorted(named_points() - NEW_HOME))
async def test_a_kill_at_any_hit_of_a_point_loses_nothing_and_repeats_nothing(open_site: OpenSite, name: str) -> None:
    """Whichever process dies at whichever hit: every attempt begins at most once, every acknowledged command stands,
    only an attempt whose own process was killed is cut off, and the run ends as it must.
    """
    async with open_site(SMALL) as site:
        arm, operator = Arm(site), Operator(site)
        await site.start(**arm.environment)
        async with revived(site, **arm.environment):
            for number in itertools.count(1):
                arm.set(name, number)
                await work(site, operator)
                reached = arm.clear() >= number
                judge(site, operator, name, number, number)
                if not reached:
                    assert number > 1, f"{name} is never reached"
                    return


@pytest.mark.parametrize("name", sorted(NEW_HOME & named_points()))
async def test_a_kill_in_the_first_moments_of_a_home_is_made_good(open_site: OpenSite, name: str) -> None:
    """An engine killed while it makes the store, or keeps the first version of a DAG, leaves nothing half done."""
    for number in itertools.count(1):
        async with open_site(None) as site:
            for file, text in SMALL.items():
                site.write(file, text)
            engine = site.engine = site.launch(DAGDECK_FAILPOINT=f"{name}:{number}")
            async with revived(site):
                await until(lambda: site.home.socket.exists() and site.knows(SMALL_DAG), "the engine knows its DAG")
                operator = Operator(site)
                await work(site, operator)
            judge(site, operator, name, number, 0)
            if engine.code is None:
                assert number > 1, f"{name} is never reached"
                return
