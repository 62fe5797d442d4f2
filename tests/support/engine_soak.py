"""Random kills while operators work: the same for the crash tests and for the long soak."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from tests.support.chaos import Killer, Operator
from tests.support.checker import Checker, Evidence
from tests.support.engine import Site
from tests.support.workload import MIX_BEHAVIOURS

CONFIG = "slots = 6\n[pools]\nnarrow = 1"
RUNS_AT_ONCE = 4
OPEN = "SELECT count(*) FROM run WHERE state NOT IN ('success', 'failed', 'cancelled')"
RUNNING = (
    "SELECT r.run_id, t.task_id FROM task_instance t JOIN run r ON r.id = t.run "
    "WHERE t.state IN ('running', 'queued', 'up_for_retry', 'scheduled') ORDER BY t.id"
)


@dataclass
class Result:
    """What a soak did, and what is wrong with it."""

    seed: int
    kills: dict[str, int]
    runs: int
    attempts: dict[str, int]
    commands: int
    problems: list[str] = field(default_factory=list)


async def soak(site: Site, seed: int, kills: int, pause: tuple[float, float] = (0.02, 0.2)) -> Result:
    """Kills until so many processes have been killed, lets everything come to its end, and judges it.

    `site` is a home of the mixed DAGs with an engine. The seed decides what is killed and what is commanded; how the
    processes meet it is up to the machine.
    """
    dice = random.Random(seed)
    killer, operator = Killer(site, random.Random(dice.random())), Operator(site)
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_operate(site, operator, random.Random(dice.random()), done))
        while killer.count < kills:
            await asyncio.sleep(dice.uniform(*pause))
            await killer.one()
        done.set()
    await operator.settled()
    await site.stop()
    evidence = Evidence(MIX_BEHAVIOURS, operator.acks, killer.hit, slots=6, pools={"narrow": 1})
    outcomes = dict(site.rows("SELECT outcome, count(*) FROM attempt GROUP BY outcome"))
    runs = site.value("SELECT count(*) FROM run")
    problems = Checker(site, evidence).problems()
    return Result(seed, killer.kills, runs, outcomes, len(operator.acks), problems)


async def _operate(site: Site, operator: Operator, dice: random.Random, done: asyncio.Event) -> None:
    """Keeps a few runs going, and now and then meddles with one."""
    while not done.is_set():
        if site.value(OPEN) < RUNS_AT_ONCE:
            await operator.ask("trigger", dag_id=dice.choice(["mix", "mix", "doomed"]))
        elif dice.random() < 0.3 and (busy := site.rows(RUNNING)):
            run_id, task_id = dice.choice(busy)
            verb = dice.choice(["clear", "clear", "kill", "retry", "cancel", "mark"])
            if verb == "cancel":
                await operator.ask(verb, run_id)
            else:
                state = "failed" if task_id in ("short", "chained") else dice.choice(["success", "failed"])
                args = {"mark": {"state": state}, "kill": {"force": dice.random() < 0.5}}
                await operator.ask(verb, run_id, task_id, **args.get(verb, {}))
        await asyncio.sleep(0.03)
