"""The engine's log never stops the engine, and never sends a terminal what a file name says."""

from __future__ import annotations

import json
import os
from pathlib import Path

from engine.observe.log import LineFile, open_log


def test_lines_that_the_disk_refuses_are_counted_and_told_later() -> None:
    """While nothing can be written nothing is raised; the first line that fits comes after the number of lost ones."""
    full = os.open("/dev/full", os.O_WRONLY)
    lines = LineFile(full)
    lines.write("one\n")
    lines.write("two\n")
    read, write = os.pipe()
    os.dup2(write, full)
    lines.write("three\n")
    lines.write("four\n")
    assert os.read(read, 1000) == b'\n{"event": "log_lines_lost", "count": 2}\nthree\nfour\n'
    for handle in (full, read, write):
        os.close(handle)


def test_the_log_is_json_in_ascii_for_its_owner_alone(tmp_path: Path) -> None:
    """Control characters and other alphabets are escaped; the file is 0600 whatever the umask."""
    before = os.umask(0)
    try:
        log = open_log(tmp_path / "engine.log")
    finally:
        os.umask(before)
    log.warning("odd_file", name="\x1b]52;c;eA==\x07 über\nnext")
    text = (tmp_path / "engine.log").read_bytes()
    assert (tmp_path / "engine.log").stat().st_mode & 0o777 == 0o600
    assert text.isascii() and b"\x1b" not in text and text.count(b"\n") == 1
    assert json.loads(text)["name"] == "\x1b]52;c;eA==\x07 über\nnext"
