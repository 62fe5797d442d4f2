"""Terms: what people write to name many things at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.moments import DAY, HOUR, from_iso
from engine.model.terms import Facts, TermError, abbreviates, parse_terms

NOW = from_iso("2026-11-22T02:14:07Z")
STATES = frozenset({"failed", "upstream_failed", "running", "success"})
LOAD = Facts(
    ("load",),
    {"state": ("failed",), "pool": ("db",), "error": ("ConnectionError: db-1 refused",), "dag": ("trades_us",)},
    "ConnectionError: db-1 refused", NOW - HOUR, from_iso("2026-11-21T23:30:00Z"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("load", True),
        ("LOAD", True),
        ("refused", True),
        ("extract", False),
        ("!extract", True),
        ("state:failed", True),
        ("state:running,failed", True),
        ("state:up", False),
        ("!state:failed", False),
        ('error:"db-1 refused"', True),
        ("error:db-2", False),
        ("pool:db state:failed load", True),
        ("pool:db state:running load", False),
        ("! pool:db state:running", True),
        ("dag:trades_*", True),
        ("dag:*_eu", False),
        ("since:2h", True),
        ("since:30m", False),
        ("before:30m", True),
        ("since:2026-11-22T03:00", False),
        ("date:2026-11-22", True),
        ("date:2026-11-21", False),
        ("date:2026-11-20..2026-11-22", True),
        ("date:..2026-11-21", False),
        ("date:today", True),
        ("db-1:5432", False),
        ("STATE:failed", True),
        ('"ConnectionError: db-1"', True),
        ('!"sate:failed"', True),
    ],
)
def test_all_terms_have_to_hold(text: str, holds: bool) -> None:
    """Dates are read in the home's zone: 23:30 UTC is the next day in Berlin."""
    assert parse_terms(text, NOW, "Europe/Berlin", STATES).hold(LOAD) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("state:nowhere", "no state 'nowhere'"),
        ("since:soon", "is no moment"),
        ("sate:failed", "no filter key 'sate'; there are state, dag, "),
        ("!sate:failed", "no filter key 'sate'"),
        ("load ! sate:", "no filter key 'sate'"),
        ("!state:", "state: needs a value"),
        ('!State:""', "state: needs a value"),
    ],
)
def test_a_term_without_a_meaning_is_named(text: str, words: str) -> None:
    """The error says which term, and what would mean something."""
    with pytest.raises(TermError, match=words):
        parse_terms(text, NOW, states=STATES)


@pytest.mark.parametrize(
    ("word", "fits"), [("tus", True), ("trus", True), ("tradu", True), ("us", True), ("xs", False), ("tsu", False)]
)
def test_a_word_may_abbreviate_a_name(word: str, fits: bool) -> None:
    """The beginnings of its parts, in their order."""
    assert abbreviates(word, "trades_us") is fits


def test_a_filter_by_age_is_known_as_one() -> None:
    """What fits it changes while nothing else does."""
    assert parse_terms("since:2h", NOW).timed and not parse_terms("load", NOW).timed
    assert parse_terms("since:1d", NOW).terms[0].low == NOW - DAY


@pytest.mark.parametrize(
    ("wide", "narrow", "surely"),
    [
        ("", "load", True),
        ("lo", "loa", True),
        ("lo", "lo pool:d", True),
        ("pool:d lo", "pool:db lo", True),
        ("!lo", "!lo state:failed", True),
        ("loa", "lo", False),
        ("!lo", "!loa", False),
        ("! lo", "! loa", False),
        ("pool:a", "pool:a,b", False),
        ("*a", "*ad", False),
        ("lo", "lo*", False),
        ("state:fa", "pool:fa", False),
        ("since:2h", "since:1h", False),
    ],
)
def test_a_filter_that_is_typed_on_narrows(wide: str, narrow: str, surely: bool) -> None:
    """Negations, alternatives, patterns and moments may fit more as they go on: of them nothing is said."""
    assert parse_terms(narrow, NOW).narrows(parse_terms(wide, NOW)) is surely


TYPED = st.text("ab_*~!, ", max_size=8).map(lambda text: text.replace("!", " !"))
NAME = st.text("ab_", max_size=6)


@settings(max_examples=300)
@given(TYPED, TYPED, st.tuples(NAME, NAME), st.sampled_from(["", "pool:", "task:"]))
def test_what_fits_a_narrower_filter_fits_the_wider(begun: str, more: str, names: tuple[str, str], key: str) -> None:
    """However it is typed on, and whatever it is held against."""
    begun = key + begun.lstrip() if begun.strip() and not begun.lstrip().startswith("!") else begun
    wide, narrow = parse_terms(begun, NOW), parse_terms(begun + more, NOW)
    about = Facts((names[0],), {"pool": (names[1],), "task": (names[0],)}, names[1])
    if narrow.narrows(wide) and narrow.hold(about):
        assert wide.hold(about)
