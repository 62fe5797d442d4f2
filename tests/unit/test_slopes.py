"""What a soak calls growth."""

from __future__ import annotations

from benchmarks.slopes import growth


def test_a_steady_rise_is_growth_and_a_peak_is_not() -> None:
    """The slope is taken between both ends: what rises all the time is told per hour, one peak between is none."""
    rising = growth("engine MB", [(at, 50.0 + at / 360) for at in range(0, 3600, 10)], 3.0)
    assert round(rising.per_hour, 1) == 10.0 and not rising.kept
    peak = growth("engine MB", [(at, 90.0 if 1700 < at < 1900 else 50.0) for at in range(0, 3600, 10)], 3.0)
    assert (peak.per_hour, peak.most, peak.kept) == (0.0, 90.0, True)


def test_without_a_limit_it_is_only_told() -> None:
    """A figure that nobody has set a limit for fails nothing."""
    assert growth("processes", [(0, 1.0), (1800, 5.0), (3600, 9.0)], None).kept
