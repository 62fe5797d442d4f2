"""What listings say of params and of short runs."""

from __future__ import annotations

from typing import cast

from console.cli.reading import RunLine
from console.cli.runs import params_words
from console.cli.shapes import took_words


class _Run:
    """As much of a run as its length needs."""

    started_at, ended_at, earlier, episode = 1_000_000, 1_012_400, 0, 1


def test_params_are_told_as_json() -> None:
    """As they would be given again: nothing of Python's own way of writing them."""
    told = params_words({"a": None, "b": True, "c": "é", "d": {"x": [1]}}, {"b": "environment dev"})
    assert told == 'a=null, b=true (environment dev), c="é", d={"x": [1]}'


def test_a_run_of_milliseconds_did_not_take_nothing() -> None:
    """Below a second it is told in milliseconds."""
    assert took_words(cast(RunLine, _Run())) == "12ms"
