"""Bundles: all of a version or nothing, private, named by content."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.dagfiles.bundle import TreeChanged, content_hash, keep, read_files, remove_unfinished
from tests.support.dag_files import write


def test_a_bundle_holds_the_files_under_their_hash(tmp_path: Path) -> None:
    """Paths and bytes are those of the source, folders 0700 and files 0600, whatever the umask is."""
    contents = {"etl.py": b"import team.lib\n", "team/lib.py": b"\xff\x00\r\n"}
    before = os.umask(0)
    try:
        name = keep(contents, tmp_path / "versions")
    finally:
        os.umask(before)
    bundle = tmp_path / "versions" / name
    assert {str(path.relative_to(bundle)): path.read_bytes() for path in bundle.rglob("*.py")} == contents
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [bundle.parent, bundle, *bundle.rglob("*")] if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in bundle.rglob("*.py")} == {0o600}


def test_the_same_contents_are_kept_once(tmp_path: Path) -> None:
    """A second keeping changes nothing and leaves nothing behind."""
    name = keep({"a.py": b"1"}, tmp_path)
    inode = (tmp_path / name).stat().st_ino
    assert keep({"a.py": b"1"}, tmp_path) == name
    assert (tmp_path / name).stat().st_ino == inode
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_hash_depends_on_paths_and_contents() -> None:
    """Neither the order nor the border between path and content can be confused."""
    assert content_hash({"a": b"1", "b": b"2"}) == content_hash({"b": b"2", "a": b"1"})
    different = [{"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a1": b""}, {"a": b"1", "b": b""}, {}]
    assert len({content_hash(each) for each in different}) == len(different)


@pytest.mark.parametrize("path", ["../out.py", "/etc/out.py", "a/../../out.py", ""])
def test_nothing_is_written_outside(tmp_path: Path, path: str) -> None:
    """A path that leads elsewhere is refused, and nothing stays of the attempt."""
    with pytest.raises(ValueError, match="does not lie below dags/"):
        keep({"good.py": b"", path: b""}, tmp_path / "versions")
    assert list((tmp_path / "versions").iterdir()) == []
    assert not (tmp_path / "out.py").exists()


def test_a_half_made_bundle_is_removed_at_the_next_start(tmp_path: Path) -> None:
    """What an engine left when it was killed goes away; whole bundles stay."""
    name = keep({"a.py": b"1"}, tmp_path)
    write(tmp_path, ".new-abc-1/a.py", "half")
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    remove_unfinished(tmp_path / "nowhere")


def test_a_full_disk_leaves_no_bundle(tmp_path: Path) -> None:
    """If writing fails, the error passes through and nothing half made stays."""
    versions = tmp_path / "versions"
    with pytest.raises(OSError, match="File name too long"):
        keep({"good.py": b"", "x" * 300 + ".py": b""}, versions)
    assert list(versions.iterdir()) == []


def test_a_file_that_is_not_there_is_a_changed_tree(tmp_path: Path) -> None:
    """Reading answers "later", not with half of the files."""
    write(tmp_path, "a.py", "1")
    assert read_files(tmp_path, ["a.py"]) == {"a.py": b"1"}
    with pytest.raises(TreeChanged, match=r"b\.py: No such file"):
        read_files(tmp_path, ["a.py", "b.py"])
