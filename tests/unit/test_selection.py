"""Expressions that choose many: one grammar, read the same everywhere."""

from __future__ import annotations

import pytest

from engine.model.selection import Row, Selection, SelectionError, parse

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000
ROW = Row("trades_us", "trades_us@1", "load", "failed", "exit", "no route to db-1: refused", NOW - HOUR, "scheduled",
          "db", "ann", ("close", "eod"))  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "state:failed",
        "state:failed,cancelled",
        "dag:trades_*",
        "since:2h",
        "since:2023-11-14",
        "tag:close pool:db owner:ann",
        'error:"route to DB-1"',
        "!state:success",
        "!tag:night",
        "refused",
        "task:lo* type:scheduled reason:exit",
        "!since:30m",
    ],
)
def test_terms_that_hold(text: str) -> None:
    """All terms of an expression have to hold; ids are patterns, errors are what they contain."""
    assert parse(text, NOW).takes(ROW, NOW)


@pytest.mark.parametrize(
    "text",
    ["state:success", "dag:trades", "since:30m", "!state:failed", "tag:close tag:none", 'error:"db-2"', "!refused"],
)
def test_terms_that_do_not_hold(text: str) -> None:
    """One term that does not hold is enough."""
    assert not parse(text, NOW).takes(ROW, NOW)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is needed"),
        ("colour:red", "no key 'colour'"),
        ("since:soon", "neither an age"),
        ("state:", "has no value"),
        ('error:"half', "cannot read"),
        ("state:,", "has no value"),
    ],
)
def test_what_says_nothing_is_refused(text: str, why: str) -> None:
    """With what is wrong and what would be right."""
    with pytest.raises(SelectionError, match=why):
        parse(text, NOW)


def test_the_narrowest_age_counts() -> None:
    """Of two ages both have to hold."""
    assert parse("since:2h since:1h", NOW).since(NOW) == NOW - HOUR
    assert Selection(()).since(NOW) is None
