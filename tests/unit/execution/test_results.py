"""Results: what survives as JSON, and where what does not is."""

from __future__ import annotations

import decimal
import enum
import json
from collections import OrderedDict, namedtuple
from datetime import date
from typing import Any

import pytest

from engine.execution.process import results
from engine.execution.process.results import ResultInvalid, encode
from engine.model.attempt_files import MAX_RESULT_BYTES

Point = namedtuple("Point", "x y")


class Level(enum.StrEnum):
    """Text with a name."""

    HIGH = "high"


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (0, 0),
        (False, False),
        ("", ""),
        ([], []),
        ({}, {}),
        (-0.0, -0.0),
        (2**200, 2**200),
        ("ünï\u0000\U0001f600", "ünï\u0000\U0001f600"),
        ((1, (2, [3])), [1, [2, [3]]]),
        (Point(1, 2), [1, 2]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({"level": Level.HIGH}, {"level": "high"}),
        ([None, True, 1.5], [None, True, 1.5]),
    ],
)
def test_json_values_come_back_equal(value: Any, back: Any) -> None:
    """Plain values come back as they were, tuples as lists."""
    assert json.loads(encode(value)) == back


CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)
DEEP: Any = 1
for _ in range(5_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "result: NaN"),
        ([1, float("-inf")], "result[1]: infinity"),
        ({"rows": [1, 2, 3, float("nan")]}, 'result["rows"][3]: NaN'),
        ({"a": {1: 2}}, 'result["a"]: key 1 is a int, not text'),
        ({True: 1}, "result: key True is a bool, not text"),
        ({None: 1}, "result: key None is a NoneType, not text"),
        ({"s": {1, 2}}, 'result["s"]: a set is not JSON'),
        (b"bytes", "result: a bytes is not JSON"),
        ((0, {"d": date(2026, 1, 1)}), 'result[1]["d"]: a date is not JSON'),
        (decimal.Decimal(1), "result: a Decimal is not JSON"),
        (["\ud800"], "result[0]: text with half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        (CIRCULAR, "nested deeper than 200 levels, or circular"),
        (DEEP, "nested deeper than 200 levels, or circular"),
        (iter(()), "result: a tuple_iterator is not JSON"),
    ],
)
def test_what_is_not_json_is_refused_by_place(value: Any, message: str) -> None:
    """A value that would not survive is refused, naming where in the result it is."""
    with pytest.raises(ResultInvalid) as caught:
        encode(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(("levels", "fits"), [(199, True), (200, True), (201, False)])
def test_two_hundred_levels_are_allowed_in_every_interpreter(levels: int, fits: bool) -> None:
    """How deep JSON may go is the same everywhere: what one interpreter writes, the engine's can read."""
    value: Any = []
    for _ in range(levels - 1):
        value = {"a": value} if isinstance(value, list) else [value]
    if fits:
        assert json.loads(encode(value)) == value
    else:
        with pytest.raises(ResultInvalid, match="nested deeper than 200 levels"):
            encode(value)


def test_brackets_in_texts_and_wide_values_are_not_deep() -> None:
    """Only what is inside of something counts: text full of brackets, and a table of a thousand rows, are flat."""
    for value in ("[{" * 500 + '"', [[1]] * 1000, {'[["\\': ["[" * 300, '"']}):
        assert json.loads(encode(value)) == value


def test_a_result_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result may have 64 MB as JSON, not one byte more."""
    assert MAX_RESULT_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(results, "MAX_RESULT_BYTES", 10)
    assert encode("x" * 8) == b'"xxxxxxxx"'
    with pytest.raises(ResultInvalid, match="11 bytes as JSON; 10 at most"):
        encode("x" * 9)
