"""From batches to numbered rows."""

from __future__ import annotations

import pytest

from engine.lifecycle.changes import Changes
from engine.model.rows import Attempt, Transition
from engine.model.states import Reason, TaskState
from engine.store import encode
from engine.store.batch import Batch
from engine.store.encode import Head
from engine.store.tuples import FIRST_CHAIN, next_chain
from tests.support.store import T0, a_command, a_run, creation, definition, instances, move, steps


def events(encoded: encode.Encoded) -> list[tuple[int, str]]:
    """Number and kind of each event."""
    return [(row[0], row[2]) for row in encoded.hot[encode.EVENT]]


def test_events_are_numbered_without_gaps_across_batches() -> None:
    """Each batch goes on where the one before ended."""
    head = Head(seq=41)
    first = encode.encode(definition(), head, T0)
    second = encode.encode(creation(a_run(), instances(2)), head, T0)
    assert events(first) == [(42, "dag")]
    assert events(second) == [(43, "run")]
    assert head.seq == second.seq == 43


def test_rows_carry_the_number_of_the_last_event_that_moved_them() -> None:
    """An instance that moves twice in a step carries the second event, and so does its row in memory."""
    ti = instances(1)[0]
    changes = Changes()
    changes.touch_task(ti)
    for source, target in ((TaskState.NONE, TaskState.SCHEDULED), (TaskState.SCHEDULED, TaskState.QUEUED)):
        changes.transitions.append(Transition("task", T0, "etl", 1, ti.id, from_state=source, to_state=target))
    ti.state = TaskState.QUEUED
    encoded = encode.encode(Batch(changes), Head(seq=10), T0)
    assert ti.changed_seq == 12
    assert encoded.hot[encode.TASK_UPDATE][0][-3:] == (12, ti.id, "none")


def test_new_instances_carry_the_event_of_their_run() -> None:
    """Creating a run needs one event, not one per task."""
    tasks = instances(100)
    encoded = encode.encode(creation(a_run(), tasks), Head(), T0)
    assert len(encoded.hot[encode.EVENT]) == 1
    assert {ti.changed_seq for ti in tasks} == {1}


def test_a_row_that_moves_without_a_transition_gets_an_event() -> None:
    """A change of what an instance waits for reaches the consoles too."""
    ti = instances(1)[0]
    changes = Changes()
    changes.touch_task(ti)
    ti.blockers = ("pool:db", "hold")
    encoded = encode.encode(Batch(changes), Head(), T0)
    (event,) = encoded.hot[encode.EVENT]
    assert event[2:6] == ("task", None, 1, ti.id)
    assert event[-1] == "pool:db hold"
    assert ti.changed_seq == 1


def test_an_attempt_that_changes_alone_gets_an_event() -> None:
    """A late result is told even though its instance stays as it is."""
    changes = Changes()
    changes.touch_attempt(Attempt("A1", 7, 1, late_result="success"))
    encoded = encode.encode(Batch(changes), Head(), T0)
    assert [(row[2], row[5], row[6]) for row in encoded.hot[encode.EVENT]] == [("attempt", 7, "A1")]


def test_definitions_without_a_transition_are_announced() -> None:
    """A batch of visible rows never goes by without an event."""
    batch = Batch()
    batch.add(
        "pool.put", name="db", slots=4, description=None, configured=None, include_deferred=0, configured_deferred=0
    )
    assert events(encode.encode(batch, Head(), T0)) == [(1, "pool")]


def test_a_sign_of_life_needs_no_event() -> None:
    """The engine's heartbeat does not wake consoles."""
    batch = Batch()
    batch.add("engine.seen", id=1, at=T0)
    assert events(encode.encode(batch, Head(), T0)) == []


def test_a_new_row_is_inserted_as_it_is_at_the_end_of_the_step() -> None:
    """A row that is made and moved in one step is not updated as well."""
    run, (ti,) = a_run(), instances(1)
    batch = creation(run, [ti])
    later = move(ti, to=TaskState.SCHEDULED, reason=Reason.UPSTREAM)
    assert batch.changes is not None and later.changes is not None
    batch.changes.merge(later.changes)
    encoded = encode.encode(batch, Head(), T0)
    assert encoded.hot[encode.TASK_UPDATE] == []
    assert encoded.hot[encode.TASK_INSERT][0][5] == "scheduled"


def test_the_duration_of_a_success_is_that_of_its_attempt() -> None:
    """It comes from the attempt's monotonic clock, and only with the success."""
    (ti,) = instances(1)
    durations = [encode.encode(batch, Head(), T0).hot[encode.TASK_UPDATE][0][14] for batch in steps(ti, "A1")]
    assert durations == [None, None, None, 1_000_000]


def test_every_value_is_of_a_type_that_sqlite_binds_at_once() -> None:
    """Enumerations and tuples never reach SQLite as such."""
    (ti,) = instances(1)
    head = Head()
    batches = [creation(a_run(params={"env": "dev"}), [ti]), *steps(ti, "A1"), Batch(command=a_command())]
    for batch in batches:
        for rows in encode.encode(batch, head, T0).hot:
            for row in rows:
                assert {type(value) for value in row} <= {str, int, float, type(None)}


@pytest.mark.parametrize("text", ["caf\udce9", "\ud800 and more"])
def test_text_that_is_not_unicode_is_kept_readable(text: str) -> None:
    """A lone surrogate in an error cannot make the commit fail."""
    (ti,) = instances(1)
    batch = move(ti, to=TaskState.FAILED)
    ti.last_error = text
    written = encode.encode(batch, Head(), T0).hot[encode.TASK_UPDATE][0][16]
    assert written == text.encode("utf-8", "backslashreplace").decode()


def test_a_command_is_numbered_and_bound_to_the_one_before() -> None:
    """The audit counts by itself, names the last event of its change, and each row's chain depends on all before."""
    head = Head(seq=5)
    first = encode.encode(Batch(command=a_command(id="a")), head, T0).hot[encode.COMMAND][0]
    second = encode.encode(Batch(command=a_command(id="b")), head, T0).hot[encode.COMMAND][0]
    assert (first[0], second[0]) == (1, 2)
    assert (first[12], second[12]) == (6, 7)
    assert second[-1] == next_chain(first[-1], second[:-1])
    assert first[-1] == next_chain(FIRST_CHAIN, first[:-1])


def test_a_batch_that_cannot_be_encoded_uses_no_number() -> None:
    """After a refused batch the numbering goes on as if it had never been."""
    head = Head(seq=5, command=2)
    with pytest.raises(TypeError):
        encode.encode(Batch(command=a_command(args={"at": object()})), head, T0)
    assert head == Head(seq=5, command=2)


def test_a_statement_is_checked_when_it_is_added() -> None:
    """An unknown name and wrong parameters are told at once, not by a failing commit."""
    batch = Batch()
    with pytest.raises(ValueError, match=r"no statement 'pool\.drop'"):
        batch.add("pool.drop", name="db")
    with pytest.raises(
        ValueError, match=r"pool\.put needs \['configured', .*'description', .*\], was given \['name'\]"
    ):
        batch.add("pool.put", name="db")
    assert batch.rows == []
