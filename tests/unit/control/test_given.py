"""The params that a command brings, as values and as they were typed."""

from __future__ import annotations

from typing import Any

import pytest

from engine.control.given import given_params, read_params
from engine.control.plans import Refusal
from engine.model.dag import ParamSpec


def test_what_was_typed_is_read_as_its_param_is_declared() -> None:
    """A text stands for a number where the param has one, else for itself; values are taken as they are."""
    values, texts = given_params({"params": {"day": 3, "n": 1}, "param_texts": {"n": "7", "note": "7"}})
    assert read_params({"n": ParamSpec(default=0)}, values, texts) == {"day": 3, "n": 7, "note": "7"}
    assert given_params({}) == given_params({"params": None}) == ({}, {})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"params": ["a"]}, "etl: params are values by name, not ['a']"),
        ({"params": {"a": 1}, "param_texts": {"b": 2}}, "etl: param_texts are texts by name, not {'b': 2}"),
    ],
)
def test_what_is_neither_is_refused_by_its_name(args: dict[str, Any], message: str) -> None:
    """The refusal shows what was wrong of the two, and what it is about."""
    with pytest.raises(Refusal) as refused:
        given_params(args, "etl: ")
    assert str(refused.value) == message
