"""The judge of the crash tests finds what it is there to find."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.chaos import Operator
from tests.support.checker import Ack, Checker, Evidence
from tests.support.engine import Site
from tests.support.workload import SMALL, SMALL_BEHAVIOURS, SMALL_DAG

pytestmark = pytest.mark.processes


def sql(*statements: str) -> Callable[[Site, Evidence], None]:
    """Changes the store behind the engine's back."""

    def tamper(site: Site, evidence: Evidence) -> None:
        with sqlite3.connect(site.home.database) as store:
            for statement in statements:
                store.execute(statement)
        store.close()

    return tamper


def journal(edit: Callable[[list[str]], list[str]]) -> Callable[[Site, Evidence], None]:
    """Changes what the bodies noted."""

    def tamper(site: Site, evidence: Evidence) -> None:
        site.journal.write_text("\n".join(edit(site.journal.read_text().splitlines())) + "\n")

    return tamper


def status(site: Site, task_id: str) -> Path:
    """The status of a task's last attempt."""
    attempt = site.value(
        "SELECT a.id FROM attempt a JOIN task_instance t ON t.id = a.task_instance WHERE task_id = ? "
        "ORDER BY number DESC",
        task_id,
    )
    return next(site.home.attempts.glob(f"*/{attempt}/status"))


TAMPERINGS: dict[str, tuple[Callable[[Site, Evidence], None], str]] = {
    "a body that ran twice": (journal(lambda lines: [*lines, lines[0]]), "ran 2 times"),
    "a body of nobody's attempt": (
        journal(lambda lines: [*lines, "01ARZ3NDEKTSV4RRFFQ69G5FAV begin 1.0"]),
        "which the store does not know",
    ),
    "two tries at once": (
        journal(lambda lines: [*lines, lines[0].split()[0] + " overlap-make 1.0"]),
        "ran while another one held",
    ),
    "a success that never came to its end": (
        journal(lambda lines: [line for line in lines if " end " not in line]),
        "success although its body noted only",
    ),
    "a success without a status": (lambda site, _: status(site, "make").unlink(), "success with status None"),
    "a success with another status": (
        lambda site, _: status(site, "make").write_text('{"v":1,"code":3,"by":"child"}\n') and None,
        "success with status",
    ),
    "a failure nobody caused": (
        sql("UPDATE attempt SET outcome = 'lost' WHERE number = 1 AND outcome = 'success'"),
        "cut off although nobody killed them",
    ),
    "a kill nobody asked for": (
        sql("UPDATE attempt SET reason = 'kill_requested' WHERE reason = 'cleared'"),
        "which nobody asked for",
    ),
    "a gap in the feed": (sql("DELETE FROM event WHERE seq = (SELECT max(seq) - 1 FROM event)"), "the feed has gaps"),
    "an illegal move": (
        sql("UPDATE event SET from_state = 'none' WHERE from_state = 'scheduled' AND to_state = 'queued'"),
        "moves from none",
    ),
    "a row its history does not explain": (
        sql("UPDATE task_instance SET state = 'failed' WHERE task_id = 'make'"),
        "its last event says success",
    ),
    "a run that should not be green": (
        sql("UPDATE task_instance SET state = 'failed' WHERE task_id = 'make'"),
        "is success, its tasks are",
    ),
    "an attempt that has not ended": (sql("UPDATE attempt SET state = 'running' WHERE number = 2"), "is running"),
    "a number that is missing": (
        sql("UPDATE attempt SET number = 7 WHERE number = 2"),
        "counts 2 attempts, the store has [1, 7]",
    ),
    "a lost command": (
        sql("DROP TRIGGER command_is_kept_until", "DELETE FROM command WHERE verb = 'clear'"),
        "was told clear done; the audit says",
    ),
    "a command without effect": (sql("UPDATE event SET command = NULL"), "left nothing behind"),
    "a run that was promised": (sql("UPDATE run SET run_id = 'other'"), "left nothing behind"),
    "a command nobody sent": (lambda _, evidence: evidence.acks.clear(), "nobody sent it"),
    "an answer before its effect": (
        lambda _, evidence: evidence.acks.append(Ack(evidence.acks.pop().command_id, "clear", "done", 1)),
        "before its effect",
    ),
    "too many slots": (lambda _, evidence: setattr(evidence, "slots", 1), "slots of the engine are taken"),
    "a callback left behind": (sql("UPDATE callback SET state = 'queued'"), "is queued"),
}


async def test_the_judge_sees_what_is_wrong(open_site: OpenSite, tmp_path: Path) -> None:
    """A sound home has no findings; each thing that must not be, put into a copy of it by hand, is named."""
    async with open_site(SMALL) as site:
        operator = Operator(site)
        await site.start()
        run_id = (await operator.ask("trigger", dag_id=SMALL_DAG)).run_id
        await site.state(run_id, "stuck", "running")
        await operator.ask("clear", run_id, "stuck")
        (site.root / f"release.{run_id}").touch()
        await operator.settled()
        await site.stop()
        assert Checker(site, Evidence(SMALL_BEHAVIOURS, list(operator.acks))).problems() == []
        site.clear()
        for number, (what, (tamper, finding)) in enumerate(TAMPERINGS.items()):
            shutil.copytree(site.root, tmp_path / str(number))
            copy, evidence = site.copy_at(tmp_path / str(number)), Evidence(SMALL_BEHAVIOURS, list(operator.acks))
            tamper(copy, evidence)
            problems = Checker(copy, evidence).problems()
            copy.clear()
            assert any(finding in problem for problem in problems), f"{what}: {problems}"
