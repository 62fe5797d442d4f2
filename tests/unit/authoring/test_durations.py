"""Durations as text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.authoring.durations import seconds_of
from engine.authoring.exceptions import RetryAfter


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1w", 604800), ("250ms", 0.25), ("1.5h", 5400),
     ("1h30m", 5400), (" 1h 30m", 5400), ("0s", 0), (timedelta(minutes=2), 120)],
)  # fmt: skip
def test_text_and_timedeltas_are_seconds(value: object, seconds: float) -> None:
    """Units from milliseconds to weeks, alone or one after the other."""
    assert seconds_of(value) == seconds


@pytest.mark.parametrize("value", ["", " ", "30", "s", "1y", "-1s", "1s!", "١s s", 30, None, "1e9d", timedelta.max])
def test_anything_else_is_refused(value: object) -> None:
    """Numbers without a unit are refused too: their unit would be a guess."""
    with pytest.raises(ValueError, match=r"timedelta|100 years"):
        seconds_of(value)


def test_retry_after_takes_what_an_http_header_gives() -> None:
    """`RetryAfter` takes seconds as a number too, and refuses negative ones."""
    assert RetryAfter(7).seconds == 7.0
    assert RetryAfter("1m").seconds == 60.0
    assert str(RetryAfter(timedelta(seconds=5))) == "try again in 5 s"
    with pytest.raises(ValueError, match="must not be negative"):
        RetryAfter(-1)
    with pytest.raises(ValueError, match="must not be negative"):
        RetryAfter(float("nan"))
