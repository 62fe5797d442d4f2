"""What every backend promises, tried on the world in memory and on a home with a real engine."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from console.backends.local import LocalBackend
from console.backends.port import Backend
from console.cli.link import engine_pid
from console.model.asks import Receipt, Refused, Selection, Unreachable
from console.model.dags import ParamCard
from console.model.link import LinkState
from console.model.snapshot import Interest, Snapshot
from engine.home import Home
from tests.support.console import NOW, dag, mark, plan, run, task
from tests.support.fake_backend import FakeBackend
from tests.support.homes import a_home, end_engine, run_engine

pytestmark = pytest.mark.processes

FILE = {
    "flow.py": """
    from dagdeck import Param, dag, shell

    @dag(schedule=None, params={"env": Param("prod", enum=["dev", "prod"], description="where")})
    def flow():
        shell("first", "echo hello") >> shell("second", "exit 3") >> shell("third", "true")
    """
}
PATIENCE = 60.0


@dataclass
class Subject:
    """A backend over a home that has the DAG `flow`, and a way to take its engine away."""

    backend: Backend
    stop_engine: Callable[[], None]
    play: Callable[[str], None]
    """Lets a run that was triggered run to its end, where nobody else does."""

    async def look(self, run_id: str | None = None, dag_id: str | None = None) -> Snapshot:
        """The picture, whole."""
        snapshot = await self.backend.refresh(Interest(run_id, dag_id))
        while snapshot.filling:
            snapshot = await self.backend.refresh(Interest(run_id, dag_id))
        return snapshot

    async def until(self, condition: Callable[[Snapshot], object], run_id: str | None = None) -> Snapshot:
        """The first picture for which a condition holds."""
        for _ in range(int(PATIENCE / 0.02)):
            snapshot = await self.look(run_id)
            if condition(snapshot):
                return snapshot
            await asyncio.wait_for(self.backend.news(), PATIENCE)
        raise AssertionError("the condition never held")

    async def up(self) -> None:
        """Waits for the engine."""
        news = await asyncio.wait_for(self.backend.news(), PATIENCE)
        while news.link.state is not LinkState.UP:
            news = await asyncio.wait_for(self.backend.news(), PATIENCE)

    async def do(self, verb: str, selection: Selection, command_id: str | None = None, **args: Any) -> Receipt:
        """A command after its preview, as a console sends it."""
        preview = await self.backend.preview(verb, selection, args)
        return await self.backend.command(
            verb, selection, args, command_id=command_id or secrets.token_hex(16), seen_seq=preview.seq,
            preview_id=preview.preview_id, note="because",
        )  # fmt: skip

    async def failed_run(self) -> str:
        """A run of `flow` that has ended: its second task failed."""
        receipt = await self.do("trigger", Selection(dag_ids=("flow",)))
        assert receipt.run_id is not None
        self.play(receipt.run_id)
        run_id = receipt.run_id
        await self.until(lambda s: s.run is not None and s.run.mark.state == "failed", run_id)
        return run_id


def fake_subject() -> Subject:
    backend = FakeBackend(lambda: NOW)
    plans = (plan("first"), plan("second", "first"), plan("third", "second"))
    backend.put_dag(dag("flow", schedule=None, next_run_after=None))
    backend.params["flow"] = (ParamCard("env", "prod", False, {"enum": ["dev", "prod"]}, "where"),)
    tasks = (task(1, "first"), task(2, "second"), task(3, "third"))
    backend.put_run(run(mark(1, "flow"), plans, tasks))

    def play(run_id: str) -> None:
        old = backend.runs[run_id]
        ended = (
            task(old.tasks[0].id, "first"),
            task(old.tasks[1].id, "second", "failed", last_error="exit code 3"),
            task(old.tasks[2].id, "third", "upstream_failed"),
        )
        backend.logs[ended[0].attempts[0].id] = b"hello\n"
        backend.put_run(run(old.mark._replace(state="failed", ended_at=NOW), plans, ended))

    return Subject(backend, backend.engine_down, play)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """One home for all tests of this file: each leaves its DAG active."""
    with a_home(FILE) as found:
        yield found


@pytest.fixture(params=["memory", "engine"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """Each backend in turn, open and with its engine up."""
    if request.param == "memory":
        found = fake_subject()
    else:
        home: Home = request.getfixturevalue("home")
        if not home.lock.exists() or engine_pid(home) is None:
            run_engine(home, {"flow"})
        found = Subject(cast(Backend, LocalBackend(home)), lambda: end_engine(home), lambda run_id: None)
    await found.backend.open()
    await found.up()
    try:
        yield found
    finally:
        await found.backend.close()


async def test_the_life_of_a_run_is_seen_and_can_be_changed(subject: Subject) -> None:
    """A run is triggered, seen to fail with its tasks, attempts and log, and its failure can be cleared."""
    run_id = await subject.failed_run()
    snapshot = await subject.look(run_id)
    assert snapshot.run is not None
    states = {card.task_id: card.state for card in snapshot.run.tasks}
    assert states == {"first": "success", "second": "failed", "third": "upstream_failed"}
    assert [task.upstream for task in snapshot.run.plan] == [(), ("first",), ("second",)]
    failures = [failure for failure in snapshot.failures if failure.run_id == run_id]
    assert [(failure.task_id, failure.state) for failure in failures] == [("second", "failed")]
    assert "exit" in failures[0].error
    first = snapshot.run.tasks[0]
    assert [a.outcome for a in first.attempts] == ["success"]
    log = subject.backend.log(first.attempts[0].id)
    assert (log.read(0, 100), log.read(2, 3), log.size()) == (b"hello\n", b"llo", 6)
    log.close()
    selection = Selection(run_ids=(run_id,), task_ids=("second",))
    preview = await subject.backend.preview("clear", selection, {"downstream": True})
    assert {(row.task_id, row.state) for row in preview.rows} == {("second", "failed"), ("third", "upstream_failed")}
    assert (preview.total, preview.counts) == (2, {"failed": 1, "upstream_failed": 1})
    receipt = await subject.do("clear", selection, downstream=True)
    after = await subject.until(lambda s: s.seq >= receipt.seq, run_id)
    assert after.run is not None and after.run.mark.state != "success"


async def test_a_picture_after_a_receipt_shows_what_it_says(subject: Subject) -> None:
    """Once a command is acknowledged, the next picture is at its commit or later and shows the change."""
    receipt = await subject.do("pause", Selection(dag_ids=("flow",)))
    snapshot = await subject.look()
    assert snapshot.seq >= receipt.seq
    assert snapshot.by_id["flow"].paused_at is not None
    await subject.do("resume", Selection(dag_ids=("flow",)))
    assert (await subject.look()).by_id["flow"].paused_at is None


async def test_one_command_id_is_carried_out_once(subject: Subject) -> None:
    """The same command sent twice makes one run, and both answers name it."""
    before = len((await subject.look(dag_id="flow")).dag.runs)  # type: ignore[union-attr]  # the DAG exists
    once = await subject.do("trigger", Selection(dag_ids=("flow",)), command_id="ab" * 16)
    again = await subject.do("trigger", Selection(dag_ids=("flow",)), command_id="ab" * 16)
    assert once.run_id == again.run_id
    found = (await subject.look(dag_id="flow")).dag
    assert found is not None and len(found.runs) == before + 1


async def test_what_cannot_be_done_is_refused_with_a_reason(subject: Subject) -> None:
    """Unknown rows, impossible dates and changes without an object are refused before anything happens."""
    for verb, selection, args, code in (
        ("pause", Selection(dag_ids=("nothing",)), {}, "not_found"),
        ("clear", Selection(run_ids=("flow@never",)), {}, "not_found"),
        ("resume", Selection(dag_ids=("flow",)), {}, "state"),
        ("trigger", Selection(dag_ids=("flow",)), {"logical_date": "yesterday-ish"}, "invalid"),
    ):
        with pytest.raises(Refused) as refused:
            await subject.backend.preview(verb, selection, args)
        assert (refused.value.code, bool(str(refused.value))) == (code, True)


async def test_a_command_wakes_whoever_follows(subject: Subject) -> None:
    """News of a commit comes by itself, with its number."""
    receipt = await subject.do("trigger", Selection(dag_ids=("flow",)))
    news = await asyncio.wait_for(subject.backend.news(), PATIENCE)
    while news.seq < receipt.seq:
        news = await asyncio.wait_for(subject.backend.news(), PATIENCE)
    assert news.link.up


async def test_the_engine_can_be_down_and_reading_goes_on(subject: Subject) -> None:
    """Without its engine the home is still shown, the link says so, and a change is not even tried."""
    run_id = await subject.failed_run()
    await asyncio.to_thread(subject.stop_engine)
    news = await asyncio.wait_for(subject.backend.news(), PATIENCE)
    while news.link.up:
        news = await asyncio.wait_for(subject.backend.news(), PATIENCE)
    assert news.link.state is LinkState.DOWN and news.link.gauges is None and news.link.since is not None
    snapshot = await subject.look(run_id)
    assert snapshot.run is not None and snapshot.run.mark.state == "failed"
    with pytest.raises(Unreachable):
        await subject.backend.preview("pause", Selection(dag_ids=("flow",)), {})


async def test_parts_that_did_not_change_are_the_same_objects(subject: Subject) -> None:
    """Two pictures of the same commit share their parts, so that views can tell at a glance."""
    run_id = await subject.failed_run()
    first = await subject.look(run_id)
    second = await subject.look(run_id)
    assert second.seq == first.seq
    assert second.run is first.run and second.dags == first.dags


async def test_what_is_not_there_is_not_made_up(subject: Subject) -> None:
    """An unknown run or DAG gives no detail, an unknown DAG no form, and a made-up attempt no log."""
    snapshot = await subject.look("flow@never", "nothing")
    assert snapshot.run is None
    assert snapshot.dag is not None and snapshot.dag.runs == ()
    with pytest.raises(LookupError):
        await subject.backend.form("nothing")
    with pytest.raises(LookupError):
        subject.backend.log("../../etc/passwd")


async def test_a_form_knows_the_parameters_of_its_dag(subject: Subject) -> None:
    """What can be given to a run is told with its default, its choices and what it means."""
    form = await subject.backend.form("flow")
    assert [(p.name, p.default, p.schema.get("enum"), p.description) for p in form.params] == [
        ("env", "prod", ["dev", "prod"], "where")
    ]
    assert form.timezone == "UTC"
