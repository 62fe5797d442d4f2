"""Bounds of logs."""

from __future__ import annotations

from pathlib import Path

from engine.execution.directory import read_gap
from engine.execution.logs import LogLimits, trim
from engine.model.attempt_files import LogGap

LIMITS = LogLimits(head=8 * 4096, tail=16 * 4096)


def grow(path: Path, size: int) -> None:
    """A log of this size, without holes."""
    (path / "log").write_bytes(bytes(i % 251 for i in range(4096)) * (size // 4096))


def test_a_log_within_its_limits_is_left_alone(tmp_path: Path) -> None:
    """Up to head and tail together nothing is taken away."""
    grow(tmp_path, 24 * 4096)
    assert trim(str(tmp_path), LIMITS) == 24 * 4096
    assert read_gap(str(tmp_path)) is None


def test_the_middle_is_given_back_and_named(tmp_path: Path) -> None:
    """What is between head and tail becomes a hole whose ends are written down; size and offsets stay."""
    grow(tmp_path, 100 * 4096)
    before = (tmp_path / "log").read_bytes()
    trim(str(tmp_path), LIMITS)
    assert read_gap(str(tmp_path)) == LogGap(8 * 4096, 84 * 4096)
    after = (tmp_path / "log").read_bytes()
    assert len(after) == len(before)
    assert after[: 8 * 4096] == before[: 8 * 4096]
    assert after[84 * 4096 :] == before[84 * 4096 :]
    assert after[8 * 4096 : 84 * 4096].count(0) == 76 * 4096
    assert (tmp_path / "log").stat().st_blocks * 512 < 30 * 4096


def test_the_gap_grows_with_the_log(tmp_path: Path) -> None:
    """A log that goes on growing keeps its head and its newest tail."""
    grow(tmp_path, 100 * 4096)
    trim(str(tmp_path), LIMITS)
    with (tmp_path / "log").open("ab") as log:
        log.write(b"n" * 50 * 4096)
    trim(str(tmp_path), LIMITS)
    assert read_gap(str(tmp_path)) == LogGap(8 * 4096, 134 * 4096)


def test_small_growth_is_left_for_later(tmp_path: Path) -> None:
    """With a step, a log is trimmed only once it is over its limits by more than that."""
    grow(tmp_path, 30 * 4096)
    trim(str(tmp_path), LIMITS, step=10 * 4096)
    assert read_gap(str(tmp_path)) is None
    trim(str(tmp_path), LIMITS)
    assert read_gap(str(tmp_path)) == LogGap(8 * 4096, 14 * 4096)


def test_no_limit_keeps_everything(tmp_path: Path) -> None:
    """Without a tail limit nothing is ever taken away."""
    grow(tmp_path, 100 * 4096)
    trim(str(tmp_path), LogLimits(head=4096, tail=None))
    assert read_gap(str(tmp_path)) is None


def test_an_attempt_without_log_has_nothing_to_trim(tmp_path: Path) -> None:
    """No log, no size, no gap."""
    assert trim(str(tmp_path), LIMITS) == 0
