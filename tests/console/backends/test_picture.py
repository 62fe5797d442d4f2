"""The picture that follows the feed is the one that a fresh look gives, on stores that the engine's rooms filled."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.actions.asking import claim, recover, resolve
from console.backends import open_failures
from console.backends.picture import Picture
from console.backends.specs import Specs
from console.cli.shapes import attempt_json, run_took, task_json
from console.cli.tasks import attempt_line
from console.model.attention import attention
from console.model.home import HomeCard
from console.model.runs import RunDetail
from console.model.snapshot import Interest, Scene, Snapshot
from console.model.targets import Target
from console.view.overview import Overview
from console.view.spans import plain
from engine.lifecycle.events import CancelRun, Clear, Kill, Mark, RetryDue, RetryNow
from engine.lifecycle.memory import RunMemory
from engine.model.causes import cause, cause_key
from engine.model.dag import DagSpec
from engine.model.moments import HOUR, SECOND, to_datetime
from engine.model.rows import Transition
from engine.model.states import TaskState
from engine.store import reads_inbox, reads_run
from engine.store.batch import Batch, CommandRow
from engine.store.reader import Reader
from tests.support.console import scene
from tests.support.console_store import NOW, FilledHome, story, trades
from tests.support.lifecycle import GivenItems, mapped, task

ERROR = "ConnectionError: db-1:5432 refused"


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[FilledHome]:
    """A home with one DAG."""
    home = FilledHome(tmp_path / "home")
    await home.open()
    await home.put_dag(trades())
    yield home
    await home.close()


def picture(filled: FilledHome) -> Picture:
    """A picture of a home, by a reader of its own."""
    return Picture(Reader(filled.home.database), HomeCard("etl-01", "/srv/etl"), lambda: NOW)


def whole(found: Picture, interest: Interest) -> Snapshot:
    """A picture with all its parts."""
    snapshot = found.refresh(interest)
    while snapshot.filling:
        snapshot = found.refresh(interest)
    return snapshot


def without_figures(run: RunDetail | None) -> RunDetail | None:
    """A run without usual durations, which are read once and not for every success."""
    return (
        None
        if run is None
        else replace(
            run, shape=0, tally=None, places=None, tasks=tuple(card._replace(usual=None) for card in run.tasks)
        )
    )


def assert_the_same(followed: Picture, filled: FilledHome, interest: Interest) -> Snapshot:
    """The followed picture equals one that is taken anew."""
    seen, fresh = whole(followed, interest), whole(picture(filled), interest)
    overview = whole(followed, Interest(dag_id=interest.dag_id))
    assert seen.seq == fresh.seq == overview.seq
    assert overview.dags == fresh.dags
    assert overview.failures == fresh.failures
    assert (seen.imports, seen.report, seen.session, seen.dag) == (
        fresh.imports,
        fresh.report,
        fresh.session,
        fresh.dag,
    )
    assert without_figures(seen.run) == without_figures(fresh.run)
    return seen


def command(number: int, verb: str) -> CommandRow:
    """A command of ops2."""
    return CommandRow(f"{number:032x}", verb, 0, "ops2", "console", NOW, "done", "done")


async def test_following_the_feed_gives_what_a_fresh_look_gives(filled: FilledHome) -> None:
    """After every step of a run's life, also through clear, mark, kill, retry and cancel, both pictures are equal."""
    interest = Interest("trades_us@20261122T010000Z", "trades_us")
    followed = picture(filled)
    whole(followed, interest)
    memory = await filled.start("trades_us", NOW - HOUR - 14 * 60 * SECOND - 7 * SECOND)
    assert memory.run.run_id == interest.run_id
    assert_the_same(followed, filled, interest)
    for task_id in ("extract", "clean_orders", "clean_users"):
        await filled.claim(memory, task_id)
        assert_the_same(followed, filled, interest)
        await filled.end(memory, task_id, code=int(task_id == "clean_users"), error=ERROR)
        assert_the_same(followed, filled, interest)
    waiting = filled.instance(memory, "clean_users")
    await filled.do(memory, RetryNow(waiting.id, "1" * 32, "ops2"), command=command(1, "retry"))
    assert_the_same(followed, filled, interest)
    await filled.claim(memory, "clean_users")
    await filled.do(memory, Kill(waiting.id, f"{2:032x}", "ops2"), command=command(2, "kill"))
    snapshot = assert_the_same(followed, filled, interest)
    assert snapshot.run is not None
    card = snapshot.run.task("clean_users")
    assert card is not None and card.state == "killing" and card.mention is not None and card.mention.who == "ops2"
    await filled.end(memory, "clean_users", code=143, error="killed")
    assert_the_same(followed, filled, interest)
    await filled.do(memory, Clear((waiting.id,), f"{3:032x}", "ops2"), command=command(3, "clear"))
    assert_the_same(followed, filled, interest)
    quality = filled.instance(memory, "quality")
    await filled.do(memory, Mark((quality.id,), TaskState.SUCCESS, f"{4:032x}", "ops2"), command=command(4, "mark"))
    assert_the_same(followed, filled, interest)
    await filled.do(memory, CancelRun(f"{5:032x}", "ops2"), command=command(5, "cancel"))
    snapshot = assert_the_same(followed, filled, interest)
    assert snapshot.run is not None and snapshot.run.mark.state == "cancelled"


async def test_a_run_that_was_cleared_took_what_all_its_episodes_took(filled: FilledHome) -> None:
    """Its duration, here and on the command line, is their sum; the DAG's usual figures know whole runs alone."""
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.play(memory)
    run = memory.run
    assert run.started_at is not None and run.ended_at is not None
    first = run.ended_at - run.started_at
    filled.now += HOUR
    load = filled.instance(memory, "load")
    await filled.do(memory, Clear((load.id,), f"{3:032x}", "ops2"), command=command(3, "clear"))
    await filled.claim(memory, "load")
    await filled.end(memory, "load")
    assert run.episode == 2 and run.started_at is not None and run.ended_at is not None
    both = first + run.ended_at - run.started_at
    snapshot = whole(picture(filled), Interest(run.run_id, "trades_us"))
    assert snapshot.run is not None and snapshot.dag is not None and snapshot.dags[0].stats is not None
    marks = (snapshot.run.mark, snapshot.dag.runs[0], snapshot.dags[0].recent[0])
    assert {mark.duration(filled.now) for mark in marks} == {both}
    assert snapshot.dags[0].stats.samples == 0
    reader = Reader(filled.home.database)
    assert {run_took(reads_run.run(reader, run.id)), run_took(reads_run.runs(reader)[0])} == {both}


async def test_a_mapped_task_counts_by_its_indexes_alone(filled: FilledHome) -> None:
    """Through expansion, end and clear of a mapped task, a followed run is of as many tasks as a fresh look counts."""
    tasks = [task("names"), mapped("load", "names"), task("publish", "load")]
    await filled.put_dag(DagSpec("per_file", "per_file.py", tasks))
    followed, interest = picture(filled), Interest(dag_id="per_file")
    whole(followed, interest)
    memory = await filled.start("per_file", NOW - HOUR)
    memory.items = GivenItems(filled.task_ids, {"load": 3})
    await filled.claim(memory, "names")
    assert_the_same(followed, filled, interest)
    await filled.end(memory, "names")
    assert progress(assert_the_same(followed, filled, interest)) == (1, 5, 0)
    for index in range(2):
        await filled.claim(memory, "load", index)
        await filled.end(memory, "load", index)
        assert progress(assert_the_same(followed, filled, interest)) == (2 + index, 5, 0)
    await filled.claim(memory, "load", 2)
    await filled.end(memory, "load", 2, code=1, error=ERROR)
    assert_the_same(followed, filled, interest)
    everything = tuple(found.id for (task_id, _), found in memory.instances.items() if task_id != "names")
    await filled.do(memory, Clear(everything, f"{1:032x}", "ops2"), command=command(1, "clear"))
    assert_the_same(followed, filled, interest)
    await filled.claim(memory, "load", 2)
    await filled.do(memory, Clear(everything, f"{2:032x}", "ops2"), command=command(2, "clear"))
    assert_the_same(followed, filled, interest)


def progress(snapshot: Snapshot) -> tuple[int, int, int]:
    """Of the only run under way: how many tasks have ended, of how many, and how many are counted as deferred."""
    (run,) = (run for card in snapshot.dags for run in card.active)
    return run.done, run.total, run.counts.get("deferred", 0)


async def test_many_steps_between_two_looks_are_one_picture(filled: FilledHome) -> None:
    """A console that was stopped for a while sees everything that happened meanwhile, and nothing twice."""
    interest = Interest("trades_us@20261122T010000Z", "trades_us")
    followed = picture(filled)
    whole(followed, interest)
    first = await filled.start("trades_us", NOW - HOUR - 14 * 60 * SECOND - 7 * SECOND)
    await filled.play(first)
    second = await filled.start("trades_us", NOW - 14 * 60 * SECOND - 7 * SECOND)
    await filled.claim(second, "extract")
    snapshot = assert_the_same(followed, filled, interest)
    assert [mark.state for mark in snapshot.dags[0].recent] == ["success", "running"]
    assert snapshot.dags[0].active[0].counts == {"running": 1, "none": 7}


async def test_a_feed_that_was_pruned_is_read_anew(filled: FilledHome) -> None:
    """When the events after the last look are gone, the whole picture is taken again."""
    interest = Interest("trades_us@20261122T010000Z")
    followed = picture(filled)
    whole(followed, interest)
    memory = await filled.start("trades_us", NOW - HOUR - 14 * 60 * SECOND - 7 * SECOND)
    await filled.play(memory)
    batch = Batch()
    batch.add("event.prune", before=filled.now + SECOND, most=1_000)
    await filled.commit(batch)
    assert_the_same(followed, filled, interest)


def replace_store(old: Path, new: Path) -> None:
    """Puts another store in a store's place, as restoring a backup does."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{old}{suffix}").unlink(missing_ok=True)
    new.rename(old)


async def test_a_store_that_was_replaced_is_read_anew(filled: FilledHome, tmp_path: Path) -> None:
    """A restored backup, which is older than what was shown, is shown as it is."""
    other = FilledHome(tmp_path / "other")
    await other.open()
    await other.put_dag(trades("other_dag"))
    await other.close()
    followed = picture(filled)
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.play(memory)
    assert whole(followed, Interest()).by_id.keys() == {"trades_us"}
    await filled.close()
    replace_store(filled.home.database, other.home.database)
    assert whole(followed, Interest()).by_id.keys() == {"other_dag"}


async def test_the_story_of_the_screens(tmp_path: Path) -> None:
    """The moment that the pictures of the screens show: a retry with its try and time, failures by cause, a p95."""
    home = FilledHome(tmp_path / "home")
    await home.open()
    await story(home)
    snapshot = whole(picture(home), Interest())
    cards = snapshot.by_id
    live = cards["trades_us"].active[0].live[0]
    assert (live.task_id, live.state, live.attempt, live.max_tries) == ("load", "up_for_retry", 3, 6)
    assert [cards[name].recent[-1].state for name in ("fx_daily", "trades_eu")] == ["failed", "failed"]
    assert {failure.error for failure in snapshot.failures} == {ERROR}
    assert all(failure.at > 0 for failure in snapshot.failures)
    stats = cards["weather_daily"].stats
    assert stats is not None and stats.samples == 14 and stats.p50 is not None and stats.p95 is not None
    assert cards["legacy_export"].paused_by == "ops2"
    await home.close()


def resolved(row: reads_inbox.FailedTask) -> Batch:
    """Somebody has seen to it."""
    batch = Batch()
    batch.add("failure.resolve", task_instance=row.id, attempt=row.attempt, who="ana", at=NOW, note=None)
    return batch


async def test_a_run_that_failed_without_a_failed_task_says_why(filled: FilledHome) -> None:
    """One that its time limit ended stands in the attention list and in the inbox, until it is seen to."""
    memory = await filled.start("trades_us", NOW - HOUR)
    from engine.lifecycle.events import RunTimeout

    await filled.do(memory, RunTimeout())
    snapshot = whole(picture(filled), Interest())
    assert [(failure.task_id, failure.error) for failure in snapshot.failures] == [("", "run timeout")]
    (cause,) = reads_inbox.causes(Reader(filled.home.database))
    (row,) = cause.rows
    assert (cause.signature, row.task_id, row.state, row.run_id) == ("run_timeout", "", "failed", memory.run.run_id)
    await filled.commit(resolved(row))
    assert reads_inbox.causes(Reader(filled.home.database)) == []
    assert whole(picture(filled), Interest()).failures == ()


async def test_a_large_home_shows_its_first_dags_first(filled: FilledHome) -> None:
    """Of 200 DAGs the first picture has the runs of those that a screen shows; the others follow."""
    for number in range(200):
        await filled.put_dag(trades(f"dag_{number:03}"))
    memory = await filled.start("dag_199", NOW - HOUR)
    await filled.play(memory)
    found = picture(filled)
    first = found.refresh(Interest())
    assert first.filling and len(first.dags) == 201 and not first.by_id["dag_199"].recent
    assert whole(found, Interest()).by_id["dag_199"].recent[-1].state == "success"


async def test_hostile_text_in_the_store_is_safe_in_the_picture(filled: FilledHome) -> None:
    """Whatever reached the store, the model holds no control character and no line end."""
    evil = "\x1b]52;c;AAAA\x07 \u202e\n[/] [@click=app.quit]x[/]"
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.claim(memory, "extract")
    await filled.end(memory, "extract", code=1, error=evil)
    snapshot = whole(picture(filled), Interest(memory.run.run_id))
    assert snapshot.run is not None
    card = snapshot.run.task("extract")
    texts = [failure.error for failure in snapshot.failures]
    texts += [card.last_error or "", card.attempts[-1].error or ""] if card is not None else []
    assert len(texts) == 3 and all("\x1b" not in text and "\n" not in text and "\u202e" not in text for text in texts)


async def test_a_reader_is_short_and_never_writes(filled: FilledHome) -> None:
    """Between two looks no transaction is open, so the engine can empty its log; the store is opened read-only."""
    found = picture(filled)
    whole(found, Interest())
    reader = found._rows
    assert isinstance(reader, Reader)
    connection = reader._connection
    assert isinstance(connection, sqlite3.Connection) and not connection.in_transaction
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM event")


async def test_usual_durations_come_after_the_first_picture_of_a_run(filled: FilledHome) -> None:
    """A run is shown before the percentiles of its tasks have been read; then they are there."""
    for hour in range(6, 1, -1):
        filled.now = NOW - hour * HOUR
        await filled.play(await filled.start("trades_us", NOW - hour * HOUR), took={"load": hour * SECOND})
    memory = await filled.start("trades_us", NOW - HOUR)
    found = picture(filled)
    snapshot = whole(found, Interest(memory.run.run_id))
    assert snapshot.run is not None
    card = snapshot.run.task("load")
    assert card is not None and card.usual is not None
    assert (card.usual.p50, card.usual.samples) == (4 * SECOND, 5)


async def test_a_retry_that_is_due_is_seen_to_start(filled: FilledHome) -> None:
    """The countdown's row becomes a running one when its timer has run out."""
    memory = await filled.start("trades_us", NOW - HOUR)
    for task_id in ("extract", "clean_users"):
        await filled.claim(memory, task_id)
        await filled.end(memory, task_id, code=int(task_id == "clean_users"), error=ERROR)
    found = picture(filled)
    before = whole(found, Interest()).dags[0].active[0].live
    assert [task.state for task in before if task.task_id == "clean_users"] == ["up_for_retry"]
    await filled.do(memory, RetryDue(filled.instance(memory, "clean_users").id))
    after = whole(found, Interest()).dags[0].active[0].live
    assert [task.state for task in after if task.task_id == "clean_users"] == ["scheduled"]


async def test_a_deleted_run_is_not_shown_any_more(filled: FilledHome) -> None:
    """Neither among the last runs of its DAG nor by itself; put back, it is there again."""
    interest = Interest(dag_id="trades_us")
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.play(memory)
    followed = picture(filled)
    before = whole(followed, interest).dags
    assert before[0].recent
    batch = Batch(transitions=[Transition("run", NOW, "trades_us", memory.run.id, to_state="deleted")])
    batch.add("trash.take", run=memory.run.id, at=NOW, who="ops2", note=None)
    await filled.commit(batch)
    assert assert_the_same(followed, filled, interest).dags[0].recent == ()
    batch = Batch(transitions=[Transition("run", NOW, "trades_us", memory.run.id, to_state="success")])
    batch.add("trash.put_back", run=memory.run.id)
    await filled.commit(batch)
    assert assert_the_same(followed, filled, interest).dags[0].recent == before[0].recent


async def broken(filled: FilledHome, hours: int, error: str = ERROR) -> RunMemory:
    """A run of so many hours ago, of which the first task failed."""
    memory = await filled.start("trades_us", NOW - hours * HOUR)
    await filled.claim(memory, "extract")
    await filled.end(memory, "extract", code=1, error=error)
    return memory


def by_cause(filled: FilledHome) -> dict[str, tuple[int, int]]:
    """What the failure inbox lists: failed and retrying by the cause's key."""
    with Reader(filled.home.database) as reader:
        found = reads_inbox.causes(reader, retrying=True)
    return {each.key: (each.failed, len(each.rows) - each.failed) for each in found}


def by_row(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    """The same as the attention list has it."""
    rows = [row for row in attention(snapshot) if row.kind in ("failures", "retries")]
    return {row.key.removeprefix("error:"): (row.failed, row.retrying) for row in rows}


def scene_of(snapshot: Snapshot) -> Scene:
    """A picture as it is shown."""
    return replace(scene(), snapshot=snapshot)


async def test_failures_stay_open_until_somebody_sees_to_them(filled: FilledHome) -> None:
    """A next run that succeeds, or fails otherwise, hides none; the counts are the inbox's; one resolved is gone."""
    followed = picture(filled)
    whole(followed, Interest())
    first = await broken(filled, 4)
    await broken(filled, 3)
    await broken(filled, 2, "exit code 7")
    await filled.play(await filled.start("trades_us", NOW - HOUR))
    snapshot = assert_the_same(followed, filled, Interest())
    assert sorted(by_row(snapshot).values()) == [(1, 0), (2, 0)]
    assert by_row(snapshot) == by_cause(filled)
    found = filled.instance(first, "extract")
    batch = Batch(transitions=[Transition("inbox", NOW, "trades_us", first.run.id, to_state="resolved")])
    batch.add("failure.resolve", task_instance=found.id, attempt=found.attempt, who="ops2", at=NOW, note=None)
    await filled.commit(batch)
    snapshot = assert_the_same(followed, filled, Interest())
    assert sorted(by_row(snapshot).values()) == [(1, 0), (1, 0)]
    assert by_row(snapshot) == by_cause(filled)


async def test_what_a_person_decided_is_no_open_failure(filled: FilledHome) -> None:
    """Neither a task that an operator killed, nor one marked failed, is in the inbox or in the attention list."""
    followed = picture(filled)
    whole(followed, Interest())
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.claim(memory, "extract")
    extract = filled.instance(memory, "extract")
    await filled.do(memory, Kill(extract.id, f"{1:032x}", "ops2"), command=command(1, "kill"))
    await filled.end(memory, "extract", code=143, error="killed")
    assert extract.state is TaskState.FAILED
    other = await filled.start("trades_us", NOW - 2 * HOUR)
    marked = filled.instance(other, "extract")
    await filled.do(other, Mark((marked.id,), TaskState.FAILED, f"{2:032x}", "ops2"), command=command(2, "mark"))
    assert marked.state is TaskState.FAILED
    assert by_row(assert_the_same(followed, filled, Interest())) == by_cause(filled) == {}


async def test_a_cause_is_named_by_the_error_as_it_is_stored(filled: FilledHome) -> None:
    """Its key is the one by which the engine knows it, however the words are made safe to draw; so is a claim's."""
    evil = "\x1b[31mno\x1b[0m\troute \u202e to db-17\nat line 3"
    await broken(filled, 1, evil)
    signature = cause(evil)
    batch = Batch(transitions=[Transition("inbox", NOW, to_state="claimed")])
    batch.add("failure.claim", signature=signature, who="ada", at=NOW, note=None)
    await filled.commit(batch)
    snapshot = whole(picture(filled), Interest())
    (row,) = attention(snapshot)
    assert row.detail == "ada is on it" and "\x1b" not in row.text
    shown = scene_of(snapshot)
    asked = [ask(shown, Target("overview", attention=row.key)) for ask in (recover, claim, resolve)]
    assert {ask.args["cause"] for ask in asked} == by_cause(filled).keys() == {cause_key(signature)}
    assert all("\x1b" not in ask.title for ask in asked)


async def test_of_very_many_open_failures_the_newest_come_first(
    filled: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first picture has as many as it may, and says that more is coming; the next has all."""
    monkeypatch.setattr(open_failures, "AT_FIRST", 2)
    for hours in (4, 3, 2):
        await broken(filled, hours)
    found = picture(filled)
    first = found.refresh(Interest())
    assert first.filling and len(first.failures) == 2
    (row,) = attention(first)
    assert (row.failed, row.more) == (2, True)
    assert "2… failed" in plain(Overview(scene_of(first)).row(0, 140))
    (row,) = attention(whole(found, Interest()))
    assert (row.failed, row.more) == (3, False)


async def test_an_attempt_took_as_long_wherever_it_is_told(filled: FilledHome) -> None:
    """In listings, in JSON, in words and on the screen: what its watcher measured, not when the store was told."""
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.claim(memory, "extract")
    filled.now += SECOND // 6
    await filled.end(memory, "extract", code=1, error=ERROR, took=5_000)
    with Reader(filled.home.database) as reader:
        run = reads_run.run(reader, memory.run.id)
        line = next(each for each in reads_run.instances(reader, run.id) if each.task_id == "extract")
        (attempt,) = reads_run.attempts(reader, line.id)
    told = {task_json(line, run)["duration"], attempt_json(attempt, line, run)["duration"]}
    assert told == {0.005}
    assert "after 5ms" in attempt_line(attempt)
    snapshot = whole(picture(filled), Interest(memory.run.run_id))
    card = snapshot.run.task("extract") if snapshot.run is not None else None
    assert card is not None and card.elapsed(filled.now) == card.attempts[-1].took == 5_000
    unmeasured = card.attempts[-1]._replace(duration=None)
    assert unmeasured.took == 5_000 == attempt._replace(duration=None).took


async def test_a_form_is_filled_in_with_what_a_run_was_given(filled: FilledHome) -> None:
    """Its date in the zone of its DAG and its params, also those that nobody declared; an unknown run gives no form."""
    memory = await filled.start("trades_us", NOW - HOUR)
    connection = sqlite3.connect(filled.home.database)
    with connection:
        connection.execute("UPDATE run SET params = ? WHERE id = ?", ('{"extra": [1]}', memory.run.id))
    connection.close()
    specs = Specs(Reader(filled.home.database))
    form = specs.form("trades_us", memory.run.run_id)
    assert [(param.name, param.default) for param in form.params][-1] == ("extra", [1])
    zone = to_datetime(memory.run.logical_date, form.timezone)
    assert (form.like, form.date) == (memory.run.run_id, zone.replace(tzinfo=None).isoformat())
    with pytest.raises(LookupError, match="no run nosuch"):
        specs.form("trades_us", "nosuch")


async def test_a_list_of_the_newest_runs_says_that_there_are_older_ones(
    filled: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is listed is not all there is; where it is, nothing is said."""
    monkeypatch.setattr("console.backends.run_picture._RUNS_LISTED", 2)
    for hours, more in ((3, False), (2, False), (1, True)):
        await filled.start("trades_us", NOW - hours * HOUR)
        detail = whole(picture(filled), Interest(dag_id="trades_us")).dag
        assert detail is not None and detail.more == more and len(detail.runs) <= 2
