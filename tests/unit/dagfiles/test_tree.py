"""One look at `dags/`."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.dagfiles.tree import look, sign
from tests.support.dag_files import write


def names(folder: Path) -> dict[str, str | None]:
    """What is seen, with its problem."""
    return {name: seen.problem for name, seen in look(folder).items()}


def test_python_files_are_found_in_every_folder(tmp_path: Path) -> None:
    """By path relative to the root, whatever characters the name has."""
    for name in ("a.py", "team/b.py", "team/deep/c.py", "with space.py", "ünï.py", "new\nline.py"):
        write(tmp_path, name, "")
    assert set(names(tmp_path)) == {"a.py", "team/b.py", "team/deep/c.py", "with space.py", "ünï.py", "new\nline.py"}


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.py",
        ".git/hook.py",
        "__pycache__/a.py",
        "a.py~",
        ".a.py.swp",
        ".#a.py",
        "#a.py#",
        "a.pyc",
        "a.txt",
        "py",
    ],
)
def test_left_overs_and_other_files_are_passed_over(tmp_path: Path, name: str) -> None:
    """Editors and version control leave things that are no DAG files."""
    write(tmp_path, name, "")
    assert names(tmp_path) == {}


def test_things_that_are_no_files_are_problems(tmp_path: Path) -> None:
    """A FIFO or a socket is named and never opened; a folder named like a file is a folder."""
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            server.bind("socket.py")
        finally:
            os.chdir(here)
        write(tmp_path, "folder.py/inner.py", "")
        assert names(tmp_path) == {
            "pipe.py": "it is not a regular file",
            "socket.py": "it is not a regular file",
            "folder.py/inner.py": None,
        }


def test_links_inside_are_files_and_links_out_are_problems(tmp_path: Path) -> None:
    """A link may point to another file of the tree, to nothing outside of it, and not to nowhere."""
    dags = tmp_path / "dags"
    write(dags, ".data/a.py", "")
    write(tmp_path, "secret.py", "")
    write(tmp_path, "shared/b.py", "")
    (dags / "inside.py").symlink_to(".data/a.py")
    (dags / "outside.py").symlink_to(tmp_path / "secret.py")
    (dags / "nowhere.py").symlink_to("missing.py")
    (dags / "loop.py").symlink_to("loop.py")
    (dags / "shared").symlink_to(tmp_path / "shared")
    (dags / "self").symlink_to(dags)
    (dags / "data.csv").symlink_to("/etc/hostname")
    found = names(dags)
    assert found["inside.py"] is None
    assert "is a symbolic link out of dags/" in (found["outside.py"] or "")
    assert "is a symbolic link out of dags/" in (found["shared"] or "")
    assert "leads nowhere" in (found["nowhere.py"] or "")
    assert "leads nowhere" in (found["loop.py"] or "")
    assert set(found) == {"inside.py", "outside.py", "nowhere.py", "loop.py", "shared"}


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    """`dags` can point to wherever the files live."""
    write(tmp_path, "real/a.py", "")
    (tmp_path / "dags").symlink_to("real")
    assert names(tmp_path / "dags") == {"a.py": None}


def test_a_name_that_is_not_utf8_is_a_problem_that_can_be_shown(tmp_path: Path) -> None:
    """Its bytes are escaped in what is reported."""
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text("")
    assert names(tmp_path) == {"caf\\xe9.py": "its name is not valid UTF-8: rename it"}


def test_a_root_that_is_not_there_is_a_problem_of_its_own(tmp_path: Path) -> None:
    """It says nothing about the files that were in it."""
    assert names(tmp_path / "dags") == {".": "the folder cannot be read: No such file or directory"}


def test_every_change_changes_the_signature(tmp_path: Path) -> None:
    """Content of the same length, a replaced file, and a target behind a link."""
    file = write(tmp_path, "a.py", "one")
    (tmp_path / "link.py").symlink_to("a.py")
    seen = look(tmp_path)
    assert seen["a.py"].signature == sign(str(file))
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    changed = look(tmp_path)
    assert changed["a.py"] != seen["a.py"]
    assert changed["link.py"] != seen["link.py"]
    write(tmp_path, "b.py", "two")
    (tmp_path / "b.py").replace(file)
    assert look(tmp_path)["a.py"] != changed["a.py"]
    assert sign(str(tmp_path / "b.py")) == ()


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the tree is seen all the same."""
    write(tmp_path, "a.py", "")
    write(tmp_path, "closed/b.py", "")
    scan = os.scandir

    def refuse(path: str) -> object:
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(tmp_path) == {"a.py": None, "closed": "the folder cannot be read: Permission denied"}
