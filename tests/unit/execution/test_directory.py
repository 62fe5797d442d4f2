"""The attempt directory: paths, claim, lock, status, and what a survey decides from them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.execution import directory
from engine.model.ids import ulid
from engine.model.moments import DAY, HOUR, from_iso

ID = ulid(from_iso("2026-11-22T23:59:59.999Z"), bytes(range(10)))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A prepared attempt directory."""
    made = directory.path_of(str(tmp_path), ID)
    assert directory.create(made, b"{}")
    return made


def claim(path: str, pid: int = 5) -> bool:
    """Claims the attempt."""
    handle = directory.open_directory(path)
    try:
        return directory.make_claim(handle, pid, 77, "boot", 1_000)
    finally:
        os.close(handle)


def names(path: str) -> list[str]:
    """What is in the directory."""
    return sorted(found.name for found in Path(path).iterdir())


def test_the_day_is_that_of_the_ids_own_time() -> None:
    """The folder of a day follows from the id alone, in UTC, up to its last millisecond."""
    last = from_iso("2026-11-22T23:59:59.999Z")
    assert directory.day_of(ulid(last, bytes(10))) == "20261122"
    assert directory.day_of(ulid(last + 1_000, bytes(10))) == "20261123"
    moments = range(0, 40_000 * DAY, 997 * DAY + 5 * HOUR)
    days = {directory.day_of(ulid(moment, b"\xff" * 10)) for moment in moments}
    assert len(days) == len(moments)


@pytest.mark.parametrize("bad", ["", "../../../../etc/passwd.......", "0" * 25, "0" * 25 + "/", "É" * 26, "0" * 27])
def test_what_is_no_id_has_no_path(bad: str) -> None:
    """Text that is not a ULID never becomes a path."""
    with pytest.raises(ValueError, match="is not an attempt id"):
        directory.path_of("/attempts", bad)


def test_a_directory_is_made_once(path: str) -> None:
    """Creating an attempt's directory again changes nothing and says so."""
    assert not directory.create(path, b"other")
    assert Path(path, "spec").read_bytes() == b"{}"
    directory.rewrite_spec(path, b"[]")
    assert Path(path, "spec").read_bytes() == b"[]"


def test_only_the_first_claim_counts(path: str) -> None:
    """A second claim is refused and leaves the first one's words."""
    assert claim(path, pid=5)
    assert not claim(path, pid=6)
    read = directory.read_claim(path)
    assert read is not None
    assert (read.pid, read.started, read.boot_id, read.at) == (5, 77, "boot", 1_000)


def test_a_claim_without_its_own_time_has_that_of_its_file(path: str) -> None:
    """A shell's claim names no time: the file's own is taken."""
    Path(path, "claim").write_text('{"v":1,"pid":5,"started":77,"boot_id":"boot"}\n')
    os.utime(Path(path, "claim"), ns=(0, 5_000_000))
    read = directory.read_claim(path)
    assert read is not None
    assert read.at == 5_000


@pytest.mark.parametrize("text", ["", '{"v":1,"pid":5', "[]\n", '{"pid":"x","started":0,"boot_id":"b"}\n'])
def test_a_torn_claim_is_a_claim_that_says_nothing(path: str, text: str) -> None:
    """A claim that is not whole still means that the attempt has begun."""
    Path(path, "claim").write_text(text)
    assert directory.read_claim(path) is None
    assert directory.has_claim(path)
    assert directory.survey(path).state == "lost"


def test_the_lock_is_seen_from_outside_and_ends_with_its_holder(path: str) -> None:
    """The directory counts as locked as long as a descriptor of the lock's is open, in whatever copy."""
    holder, probe = directory.open_directory(path), directory.open_directory(path)
    assert not directory.is_locked(probe)
    directory.lock(holder)
    copy = os.dup(holder)
    assert directory.is_locked(probe)
    assert not directory.try_lock(probe)
    os.close(holder)
    assert directory.is_locked(probe)
    os.close(copy)
    assert not directory.is_locked(probe)
    os.close(probe)


@pytest.mark.parametrize(
    ("claimed", "locked", "status", "state"),
    [
        (False, False, None, "never_started"),
        (False, True, None, "running"),
        (True, True, None, "running"),
        (True, False, None, "lost"),
        (True, False, b"", "lost"),
        (True, True, b'{"code":0', "running"),
        (True, False, b'{"code":0', "lost"),
        (True, False, b"v1 0\n", "ended"),
        (True, True, b"v1 0\n", "ended"),
    ],
)
def test_a_survey_decides_by_claim_lock_and_status(
    path: str, claimed: bool, locked: bool, status: bytes | None, state: str
) -> None:
    """Every combination of claim, lock and status has one meaning."""
    if claimed:
        claim(path)
    if status is not None:
        Path(path, "status").write_bytes(status)
    holder = directory.open_directory(path)
    if locked:
        directory.lock(holder)
    assert directory.survey(path).state == state
    os.close(holder)


def test_an_attempt_without_directory_never_started(tmp_path: Path) -> None:
    """No directory means that nothing of the attempt was ever begun."""
    assert directory.survey(directory.path_of(str(tmp_path), ID)).state == "never_started"


def test_the_first_whole_status_wins(path: str) -> None:
    """A waiter writes a status only where no whole one stands; a torn one gives way to it."""
    assert directory.write_own_status(path, b"v1 0\n")
    assert not directory.write_own_status(path, b"v1 1\n")
    assert not directory.settle_status(path, b"v1 2\n")
    assert directory.read_status(path) == b"v1 0\n"
    Path(path, "status").write_bytes(b"v1 0")
    assert directory.settle_status(path, b"v1 3\n")
    assert directory.read_status(path) == b"v1 3\n"
    assert names(path) == ["spec", "status"]


def test_a_waiter_that_cannot_write_leaves_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk there is no status, and nothing of one."""

    def full(_handle: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            directory.settle_status(path, b"v1 9\n")
    assert names(path) == ["spec"]


def test_a_waiters_status_is_the_first_where_there_is_none(path: str) -> None:
    """Without the process's own status the waiter's stands."""
    assert directory.settle_status(path, b"v1 9\n")
    assert directory.read_status(path) == b"v1 9\n"
    assert names(path) == ["spec", "status"]


def test_a_result_is_whole_or_absent(path: str) -> None:
    """A result appears under its name complete, and nothing else of it is left."""
    assert directory.result_bytes(path) is None
    directory.write_result(path, b"[1,2]")
    assert directory.result_bytes(path) == 5
    assert names(path) == ["result.json", "spec"]


def test_a_large_spec_is_read_whole(path: str) -> None:
    """A spec of several megabytes is read to its end."""
    data = b"x" * 3_500_000
    directory.rewrite_spec(path, data)
    assert directory.read_spec(path) == data
