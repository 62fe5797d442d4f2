"""Where `dags/` is a git checkout: the commit that a bundle was taken from, its author, whether all is committed.

Only plumbing is asked (`rev-parse`, `cat-file`, `ls-tree`), which runs nothing that a repository configures: no hooks,
no filters, no file system monitor. Contents are compared here, byte for byte, so the answer is about the bundle itself
and not about what the files have become since.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.model.dag import Commit
from engine.model.moments import SECOND

TIME_LIMIT = 2.0
_PAUSE = 60.0
"""Seconds for which a git that did not answer is left alone: every DAG file would wait for it."""
_TREES = 8
_QUIET = ("--no-optional-locks", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_LINK = "120000"


class Unanswered(Exception):
    """Git is not there, did not answer in time, or does not know what it was asked about."""


class Checkout:
    """The checkout that `dags` lies in, if it lies in one. Thread-safe; every call blocks for as long as git takes.

    The repository may belong to another user (`safe.directory`): it is named to git, not searched for by it.
    """

    def __init__(
        self,
        dags: Path,
        *,
        git: str | None = None,
        time_limit: float = TIME_LIMIT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dags = dags
        self._git = git or shutil.which("git")
        self._time_limit, self._monotonic = time_limit, monotonic
        self._silent_until = float("-inf")
        self._known: dict[str, tuple[str, int, dict[str, tuple[str, str]]]] = {}
        self._lock = threading.Lock()

    def commit_of(self, contents: Mapping[str, bytes]) -> Commit | None:
        """The commit checked out now, `dirty` unless it holds all these files as they are.

        None outside a checkout, in one that knows nothing below `dags`, and when git does not answer.
        """
        root = os.path.realpath(self._dags)
        repository = _repository(root)
        if self._git is None or repository is None or self._monotonic() < self._silent_until:
            return None
        with self._lock:
            try:
                return self._describe(repository, root, contents)
            except Unanswered:
                return None

    def _describe(self, repository: Path, root: str, contents: Mapping[str, bytes]) -> Commit | None:
        place = repository / ".git"
        name = self._ask(place, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        if name not in self._known:
            below = os.path.relpath(root, repository)
            author, at = _author(self._ask(place, "cat-file", "commit", name))
            tree = _tree(self._ask(place, "ls-tree", "-r", "-z", f"{name}:{'' if below == '.' else below}"))
            self._known[name] = author, at, tree
            while len(self._known) > _TREES:
                del self._known[next(iter(self._known))]
        author, at, tree = self._known[name]
        if not tree:
            return None
        dirty = any(not _holds(tree, root, file, data, len(name)) for file, data in contents.items())
        return Commit(name, author, at, dirty)

    def _ask(self, place: Path, *question: str) -> bytes:
        assert self._git is not None
        try:
            said = subprocess.run(
                [self._git, *_QUIET, *question],
                cwd="/",
                env=_environment(place),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._time_limit,
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            self._silent_until = self._monotonic() + _PAUSE
            raise Unanswered(str(problem)) from problem
        if said.returncode != 0:
            raise Unanswered(f"git {question[0]} ended with {said.returncode}")
        return said.stdout


def _repository(folder: str) -> Path | None:
    """The nearest folder upwards that holds `.git`: a folder, or a file that says where it is."""
    at = Path(folder)
    return next((place for place in (at, *at.parents) if (place / ".git").exists()), None)


def _environment(place: Path) -> dict[str, str]:
    """A repository that is named is not tested for its owner; nothing of anybody's configuration is wanted."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_DIR": str(place),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _author(commit: bytes) -> tuple[str, int]:
    """Name of a commit's author, without the address, and when it was committed (microseconds UTC)."""
    author, at = "", 0
    for line in commit.split(b"\n\n", 1)[0].split(b"\n"):
        if line.startswith(b"author "):
            author = line[len(b"author ") :].split(b" <", 1)[0].decode("utf-8", "replace").strip()
        elif line.startswith(b"committer "):
            stamp = line.rsplit(b" ", 2)
            at = int(stamp[1]) * SECOND if len(stamp) == 3 and stamp[1].isdigit() else 0
    return author, at


def _tree(listing: bytes) -> dict[str, tuple[str, str]]:
    """Mode and blob of every file below a tree, by path."""
    found = {}
    for entry in listing.split(b"\0"):
        about, tab, path = entry.partition(b"\t")
        if tab:
            mode, _, blob = about.decode().split(" ")
            found[os.fsdecode(path)] = mode, blob
    return found


def _holds(tree: Mapping[str, tuple[str, str]], root: str, file: str, data: bytes, digits: int) -> bool:
    mode, blob = tree.get(file, ("", ""))
    if mode == _LINK:
        target = os.path.relpath(os.path.realpath(f"{root}/{file}"), root)
        mode, blob = tree.get(target, ("", ""))
    digest = hashlib.sha1(usedforsecurity=False) if digits == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest() == blob
