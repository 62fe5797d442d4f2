"""Percentiles."""

from __future__ import annotations

import statistics

from engine.store.percentiles import percentile, usual


def test_percentiles_interpolate_linearly() -> None:
    """They are those of the inclusive method, to the microsecond."""
    values = [3, 8, 12, 40, 41, 57, 100, 1000]
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    assert percentile(values, 0.50) == round(cuts[49])
    assert percentile(values, 0.95) == round(cuts[94])


def test_fewer_than_five_say_nothing() -> None:
    """Of four durations only their number is told; five have percentiles."""
    assert usual("7,7,7,7") == (None, None, 4, None)
    assert usual("7,7,7,7,7") == (7, 7, 5, 7)


def test_nothing_has_no_percentiles() -> None:
    """Without durations there is no figure, rather than a zero."""
    assert usual(None) == (None, None, 0, None)
    assert usual("") == (None, None, 0, None)


def test_durations_need_no_order() -> None:
    """The list may come in any order."""
    assert usual("30,10,20,50,40") == (30, 48, 5, 50)
