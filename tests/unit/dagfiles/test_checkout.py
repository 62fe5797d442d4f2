"""The commit that a bundle was taken from: which, by whom, and whether it holds what was loaded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.dagfiles.checkout import Checkout
from engine.model.dag import Commit

AT = 1_700_000_000
TEXT = {"etl.py": b"x = 1\n"}


def git(folder: Path, *arguments: str) -> str:
    """What git says, asked as Ann."""
    who = {"NAME": "Ann Example", "EMAIL": "ann@example.org", "DATE": f"{AT} +0200"}
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in who.items()}
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **person}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], env=env, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def commit(folder: Path, **files: bytes) -> str:
    """Writes files below `dags/` and commits all there is; the commit's name."""
    dags = folder / "dags"
    dags.mkdir(exist_ok=True)
    for name, data in files.items():
        (dags / f"{name}.py").write_bytes(data)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "work\n\nauthor Eve <eve@example.org> 1 +0000")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A repository whose `dags/` holds one file."""
    git(tmp_path, "init", "-q")
    commit(tmp_path, etl=TEXT["etl.py"])
    return tmp_path


def test_what_a_commit_holds_has_its_name_author_and_time(home: Path) -> None:
    """The author is who the commit's header says, without the address; a clean bundle is not dirty."""
    name = git(home, "rev-parse", "HEAD")
    assert Checkout(home / "dags").commit_of(TEXT) == Commit(name, "Ann Example", AT * 1_000_000, False)


def test_the_repository_may_begin_at_dags_itself(tmp_path: Path) -> None:
    """`dags/` is a checkout of its own."""
    git(tmp_path, "init", "-q")
    (tmp_path / "etl.py").write_bytes(TEXT["etl.py"])
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "work")
    found = Checkout(tmp_path).commit_of(TEXT)
    assert found is not None and not found.dirty


def test_a_linked_worktree_is_a_checkout(home: Path, tmp_path: Path) -> None:
    """Its `.git` is a file that says where the repository is."""
    git(home, "worktree", "add", "-q", str(tmp_path / "other"))
    found = Checkout(tmp_path / "other" / "dags").commit_of(TEXT)
    assert found is not None and found.id == git(home, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "loaded", [{"etl.py": b"x = 2\n"}, {**TEXT, "new.py": b""}], ids=["changed", "never committed"]
)
def test_what_no_commit_holds_is_dirty(home: Path, loaded: dict[str, bytes]) -> None:
    """It is about the bytes that were loaded, whatever the files are by now."""
    found = Checkout(home / "dags").commit_of(loaded)
    assert found is not None and found.dirty


def test_a_link_to_a_committed_file_is_clean(home: Path) -> None:
    """What is loaded through it is the other file's content."""
    (home / "dags" / "link.py").symlink_to("etl.py")
    commit(home)
    found = Checkout(home / "dags").commit_of({"link.py": TEXT["etl.py"]})
    assert found is not None and not found.dirty


def test_a_new_commit_is_seen_at_once(home: Path) -> None:
    """What was dirty is clean once it is committed."""
    checkout = Checkout(home / "dags")
    before = checkout.commit_of({"etl.py": b"x = 2\n"})
    name = commit(home, etl=b"x = 2\n")
    after = checkout.commit_of({"etl.py": b"x = 2\n"})
    assert before is not None and before.dirty
    assert after is not None and (after.id, after.dirty) == (name, False)


def test_outside_of_every_repository_there_is_no_commit(tmp_path: Path) -> None:
    """Neither is there one in a repository without commits, nor where it knows nothing of `dags/`."""
    assert Checkout(tmp_path).commit_of(TEXT) is None
    git(tmp_path, "init", "-q")
    assert Checkout(tmp_path).commit_of(TEXT) is None
    commit(tmp_path, etl=b"")
    (tmp_path / "elsewhere").mkdir()
    assert Checkout(tmp_path / "elsewhere").commit_of(TEXT) is None


def test_nothing_that_the_repository_configures_is_run(home: Path) -> None:
    """Hooks, filters and the file system monitor of a checkout stay asleep, and its index is not written."""
    trap = home / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {home}/sprung\ncat\n")
    trap.chmod(0o700)
    for setting in ("core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "diff.external", "core.pager"):
        git(home, "config", setting, str(trap))
    git(home, "config", "core.hooksPath", str(home))
    (home / ".git" / "info" / "attributes").write_text("*.py filter=trap\n")
    (home / "sprung").unlink(missing_ok=True)
    index = (home / ".git" / "index").stat().st_mtime_ns
    found = Checkout(home / "dags").commit_of(TEXT)
    assert found is not None and not found.dirty
    assert not (home / "sprung").exists()
    assert (home / ".git" / "index").stat().st_mtime_ns == index


@pytest.mark.parametrize("script", ["sleep 60", "exit 1", "echo nonsense"])
def test_a_git_that_does_not_answer_is_no_commit(home: Path, script: str) -> None:
    """It is left alone for a while after it was too slow: loading waits for it once, not once for each file."""
    slow = home / "git"
    slow.write_text(f"#!/bin/sh\necho asked >>{home}/asked\n{script}\n")
    slow.chmod(0o700)
    now = [0.0]
    checkout = Checkout(home / "dags", git=str(slow), time_limit=0.2, monotonic=lambda: now[0])
    assert [checkout.commit_of(TEXT) for _ in range(5)] == [None] * 5
    asked = (home / "asked").read_text().count("asked")
    assert asked == 1 if "sleep" in script else asked >= 5


def test_a_repository_of_another_user_is_read(home: Path) -> None:
    """Deployments often check out as another user: git would refuse to look for such a repository by itself."""
    theirs = home / "git"
    theirs.write_text('#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"\n')
    theirs.chmod(0o700)
    refused = subprocess.run([theirs, "-C", home, "rev-parse", "HEAD"], stderr=subprocess.PIPE, text=True)
    assert "dubious ownership" in refused.stderr
    found = Checkout(home / "dags", git=str(theirs)).commit_of(TEXT)
    assert found is not None and not found.dirty
