"""Failures of one cause are one row, and the row says nothing that one of them did not have."""

from __future__ import annotations

import pytest

from console.model.attention import attention
from console.model.dags import Failure
from console.model.home import HomeCard
from console.model.snapshot import Snapshot


def shown(*errors: str) -> list[tuple[str, int]]:
    """Text and number of failures of each row, for failures with these errors."""
    failures = tuple(
        Failure(f"dag{number}", number, f"dag{number}@1", "load", -1, "failed", error, number)
        for number, error in enumerate(errors, 1)
    )
    return sorted(
        (row.text, row.failed) for row in attention(Snapshot(1, HomeCard("home", "/home"), failures=failures))
    )


def test_one_error_is_shown_as_it_is() -> None:
    """Figures in it included."""
    assert shown("db-1:5432 refused", "db-1:5432 refused") == [("db-1:5432 refused", 2)]


def test_errors_that_differ_in_figures_are_shown_without_them() -> None:
    """They are one cause; no member's figures are put into the others' mouths."""
    assert shown("row 17 is bad", "row 4711 is bad") == [("row # is bad", 2)]


@pytest.mark.parametrize("codes", [("exit code 1", "exit code 3")])
def test_exit_codes_are_causes_of_their_own(codes: tuple[str, str]) -> None:
    """What ended with 1 has not failed as what ended with 3."""
    assert shown(*codes) == [(codes[0], 1), (codes[1], 1)]
