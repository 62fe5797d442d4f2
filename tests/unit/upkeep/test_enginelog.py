"""The engine's own log never grows without end."""

from __future__ import annotations

import os
from pathlib import Path

from engine.upkeep.enginelog import trim


def test_a_log_that_is_too_large_begins_anew(tmp_path: Path) -> None:
    """Its end is kept beside it, from the beginning of a line on, private; whoever appends goes on in the new one."""
    log = tmp_path / "engine.log"
    writer = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        for number in range(100):
            os.write(writer, b"line %03d\n" % number)
        assert not trim(log, most=900, kept=95)
        os.write(writer, b"one more\n")
        assert trim(log, most=900, kept=95)
        os.write(writer, b"after\n")
    finally:
        os.close(writer)
    assert log.read_bytes() == b"after\n"
    kept = tmp_path / "engine.log.1"
    assert kept.read_bytes().splitlines()[0] == b"line 091" and kept.read_bytes().endswith(b"line 099\none more\n")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_without_a_log_there_is_nothing_to_do(tmp_path: Path) -> None:
    """An engine in the foreground has none."""
    assert not trim(tmp_path / "engine.log")
