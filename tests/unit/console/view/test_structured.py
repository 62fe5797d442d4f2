"""Structured log lines as columns."""

from __future__ import annotations

import pytest

from console.view.spans import plain
from console.view.structured import columns, fields_of
from tests.support.console import HOSTILE


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "2026-11-22T02:13:11.114Z", "level": "warning", "msg": "slow connect", "host": "db-1", "waited": 1.0}',
        'ts=2026-11-22T02:13:11.114Z level=warning msg="slow connect" host=db-1 waited=1.0',
    ],
)
def test_json_and_logfmt_read_alike(line: str) -> None:
    """Time of day, level and message stand in columns, the other fields behind them."""
    found = columns(line)
    assert found is not None
    assert plain(found) == "02:13:11.114  warning   slow connect                          host=db-1 waited=1.0"
    assert ("warning ", "warn") in found


@pytest.mark.parametrize("room", [72, 152])
def test_a_long_message_leaves_the_other_fields_in_sight(room: int) -> None:
    """It ends where they begin, in the same column as those of other lines, and goes on behind them."""
    long = "the source answered with fewer rows than the day before and the load goes on regardless of that, again " * 2
    line = f'ts=02:13:11.114 level=warning msg="{long}" host=db-1 waited=1.0'
    found = columns(line, room)
    assert found is not None
    text = plain(found)
    assert "host=db-1 waited=1.0  …" in text[:room]
    head, _, rest = text.partition("…")
    assert head[24:] + rest.partition("…")[2] == long.strip()
    whole, short = columns(line), columns('level=info msg="loaded" host=db-1 rows=7', room)
    assert whole is not None and long in plain(whole)
    assert short is not None and plain(short).index("host=") == text.index("host=")


@pytest.mark.parametrize(
    "line", ["plain text", "a=1", "x = y and z = w", "done in a=1 b=2 s", "{not json}", "[1, 2]", '{"a": 1}']
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    """What only looks a little like fields is not torn apart."""
    assert columns(line) is None


def test_hostile_fields_are_made_visible() -> None:
    """Control sequences in keys and values never reach the terminal, and nothing is markup."""
    import json

    found = columns(json.dumps({"level": HOSTILE, "msg": HOSTILE, HOSTILE: HOSTILE}))
    assert found is not None
    text = plain(found)
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text and "[bold]" in text


def test_quoted_values_are_read() -> None:
    """Escaped quotes belong to the value."""
    assert fields_of(r'a="x \"y\" z" b=2') == {"a": 'x "y" z', "b": "2"}
