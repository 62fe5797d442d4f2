"""The view of pools, breakers and questions: what stands on each line."""

from __future__ import annotations

from console.model.limits import BreakerCard, HolderCard, LimitsCard, PoolCard, QuestionCard
from console.view.limits import facts, rows
from console.view.spans import BAD, WARN, plain
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import NOW

POOLS = (
    PoolCard(
        "db", 4, 4, 3, None, (HolderCard("etl@1", "load", 3, NOW - 90 * SECOND), HolderCard("etl@1", "x", 1, None))
    ),
    PoolCard("api", 0, 0, 1, None, ()),
    PoolCard("default", -1, 2, 0, None, ()),
)
BREAKERS = (
    BreakerCard("db-1", "open", 5, NOW + 2 * MINUTE, NOW, "ConnectionError: refused", False, None, None, ("etl",)),
    BreakerCard("geo", "open", 0, None, NOW, None, False, "ops1", "maintenance", ()),
    BreakerCard("s3", "closed", 1, None, None, "TimeoutError: late", False, None, None, ("etl",)),
    BreakerCard("mq", "half_open", 5, None, NOW, "no", True, None, None, ()),
)
ASKED = QuestionCard(
    "close@1",
    "close",
    "sign_off",
    -1,
    "Close the books?",
    ("approve", "reject"),
    (),
    NOW - 41 * MINUTE,
    NOW + HOUR,
    "reject",
)  # fmt: skip


def lines(card: LimitsCard, width: int = 120) -> dict[object, str]:
    """The text of each row by its key."""
    return {key: plain(spans) for key, spans in rows(card, NOW, width) if key is not None}


def test_a_pool_says_how_full_it_is_and_who_holds_it() -> None:
    """Taken and all slots, what is wanted, and the holders with their slots and times; a stopped pool says so."""
    found = lines(LimitsCard(POOLS))
    assert "4/4" in found["pool", "db"] and "load ×3 1m30s, x" in found["pool", "db"]
    assert "0/0" in found["pool", "api"] and "stopped: nothing of it starts" in found["pool", "api"]
    assert "2/∞" in found["pool", "default"]


def test_a_breaker_says_what_comes_next() -> None:
    """The probe's countdown, who holds it open and why, or that a probe runs; the error of a closed one is history."""
    found = lines(LimitsCard(POOLS, BREAKERS))
    assert "probe in 2:00" in found["breaker", "db-1"] and "ConnectionError: refused" in found["breaker", "db-1"]
    assert "held open by ops1: maintenance" in found["breaker", "geo"]
    assert "its probe runs" in found["breaker", "mq"]
    assert "TimeoutError" not in found["breaker", "s3"]


def test_a_question_comes_first_with_its_options_and_its_time() -> None:
    """What is asked, for how long, and what is taken when."""
    card = LimitsCard(POOLS, BREAKERS, (ASKED,))
    first = next(spans for key, spans in rows(card, NOW, 120) if key is not None)
    assert plain(first).split("  ") == [
        " ? sign_off of close@1", "Close the books?", "approve / reject", "for 41m00s", "reject in 1h00m",
    ]  # fmt: skip
    assert {token for _, token in facts(card)} >= {BAD, WARN}


def test_no_line_is_wider_than_the_window() -> None:
    """Whatever is in it."""
    for width in (20, 60, 79, 140):
        card = LimitsCard(POOLS, BREAKERS, (ASKED,))
        assert all(len(plain(spans)) <= width for _, spans in rows(card, NOW, width))
