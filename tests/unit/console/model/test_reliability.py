"""Incidents, failures by their kind, and what a DAG takes."""

from __future__ import annotations

from console.model.reliability import Ended, PoolUse, failures, incidents, use
from engine.model.moments import DAY, HOUR, MINUTE


def test_an_incident_lasts_from_the_first_failure_to_the_success_that_makes_it_good() -> None:
    """Failures in between belong to it; the same run once more closes it, an older date does not."""
    found = incidents(
        [
            Ended(1, 0, True, True),
            Ended(2, 10 * MINUTE, False, True),
            Ended(3, 20 * MINUTE, False, True),
            Ended(1, 25 * MINUTE, True, False),
            Ended(2, 40 * MINUTE, True, True),
            Ended(4, 50 * MINUTE, False, True),
            Ended(5, 60 * MINUTE, True, True),
            Ended(6, 70 * MINUTE, False, False),
            Ended(7, 80 * MINUTE, False, True),
            Ended(6, 90 * MINUTE, True, True),
        ]
    )
    assert found.lasted == (10 * MINUTE, 30 * MINUTE)
    assert (found.mean, found.median, found.open_since) == (20 * MINUTE, 20 * MINUTE, 80 * MINUTE)


def test_without_failures_there_is_no_incident() -> None:
    """Runs by hand open none either."""
    assert incidents([Ended(1, 1, True, True), Ended(2, 2, False, False)]).open_since is None
    assert incidents([]).lasted == ()


def test_failures_are_counted_by_what_people_call_them() -> None:
    """Timeouts and lost attempts by how they ended, others by their class, and what was cancelled apart."""
    found = failures(
        [
            ("success", None, "exit", 90, 0),
            ("failed", "unknown", "exit", 3, 1),
            ("failed", "unknown", "exception", 2, 0),
            ("failed", "transient", "exception", 1, 0),
            ("timeout", "timeout", "timeout", 4, 2),
            ("lost", "infrastructure", "lost", 1, 0),
            ("killed", "cancelled", "kill_requested", 5, 0),
            ("upstream_failed", None, None, 0, 7),
            ("runs", None, None, 12, 0),
        ]
    )
    assert list(found.failed.items()) == [
        ("timeout", 4), ("exit code", 3), ("exception", 2), ("transient", 1), ("lost", 1),
    ]  # fmt: skip
    assert (found.runs, found.attempts, found.cancelled, found.final, found.upstream) == (12, 106, 5, 3, 7)


def test_slots_are_weighed_by_the_time_they_were_held() -> None:
    """A task with two slots of its pool for six hours takes half a slot of it over a day."""
    rows = [("load", 6 * HOUR, 10.0, 20_000_000, 300, 3, 200), ("other", DAY, None, None, None, 0, None)]
    found = use(rows, {"load": ("db", 2)}, {"db": 4, "default": -1})
    assert found.pools == (PoolUse("default", 1.0, -1), PoolUse("db", 0.5, 4))
    assert (found.cpu, found.memory, found.most_memory) == (0.5, 100, 200)
    assert use([], {}, {}).cpu is None
