"""Whatever stands in a home is its owner's alone: by every umask, for every other user, and with hostile names."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.cli.link import engine_pid
from engine.control import protocol as p
from engine.control.client import NoEngine, WrongPeer
from engine.home import Home
from tests.integration.engine.conftest import MakeSite
from tests.support.cli import Cli
from tests.support.engine import until as eventually
from tests.support.homes import end_engine, processes_of, until
from tests.support.source import PROJECT
from tests.support.strangers import identity, interpreter
from tests.support.trees import everything_in

pytestmark = pytest.mark.processes
DAG = """
import os, time
from dagdeck import dag, shell, task

@task
def large():
    return "x" * 100_000

@dag(params={"word": "x"})
def work():
    large() >> shell("script", "until test -e $DAGDECK_HOME/release; do sleep 0.05; done")
"""
PROBE = """
import os, pathlib, socket, sys
root = pathlib.Path(sys.argv[1])
def attempt(name, do):
    try:
        do()
    except OSError as error:
        return
    print(name)
paths = sys.argv[2:]
attempt("list", lambda: list(root.iterdir()))
for path in paths:
    attempt(f"read {path}", lambda: open(path, "rb").read(1))
    attempt(f"write {path}", lambda: open(path, "ab"))
    attempt(f"link {path}", lambda: os.link(path, f"/tmp/.stolen-{os.getpid()}"))
    attempt(f"remove {path}", lambda: os.unlink(path))
attempt("create", lambda: open(root / "planted", "w"))
attempt("replace", lambda: os.symlink("/etc/passwd", root / "dagdeck.toml.new"))
attempt("rename", lambda: os.rename(root, root.with_name("taken")))
def connect():
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(root / "engine.sock"))
attempt("connect", connect)
def lock():
    import fcntl
    fcntl.flock(os.open(root / "engine.lock", os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
attempt("lock", lock)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        mine = str(root).encode() in open(f"/proc/{pid}/cmdline", "rb").read()
    except OSError:
        continue
    if mine and int(pid) != os.getpid():
        seen = open(f"/proc/{pid}/cmdline", "rb").read()
        if b"param-in-the-dark" in seen or b"kept-in-the-dark" in seen:
            print(f"argv of {pid}")
        for name in ("environ", "maps", "mem"):
            attempt(f"{name} of {pid}", lambda: open(f"/proc/{pid}/{name}", "rb").read(1))
        attempt(f"files of {pid}", lambda: os.listdir(f"/proc/{pid}/fd"))
        attempt(f"folder of {pid}", lambda: os.readlink(f"/proc/{pid}/cwd"))
print("done")
"""


def dagdeck(home: Path, *words: str) -> None:
    """A verb, run by somebody who lets everybody read everything."""
    command = [sys.executable, "-m", "dagdeck", "--home", str(home), *words]
    done = subprocess.run(
        command, cwd=PROJECT, umask=0, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home under a folder that is everybody's to enter, made and served under umask 000, with a running task."""
    place = Path(tempfile.mkdtemp(prefix="dd-open-", dir="/tmp"))
    place.chmod(0o755)
    found = Home(place / "home")
    subprocess.run([sys.executable, "-m", "dagdeck", "init", str(found.root)], cwd=PROJECT, umask=0, check=True)
    (found.dags / "work.py").write_text(DAG)
    (found.dags / "work.py").chmod(0o600)
    dagdeck(found.root, "engine", "start")
    until(lambda: "work" in listed(found), "the DAG is known")
    dagdeck(found.root, "trigger", "work", "--param", "word=param-in-the-dark", "--yes")
    until(lambda: len(list(found.attempts.glob("*/*/claim"))) == 2, "both tasks have begun")
    dagdeck(found.root, "backup", "--logs")
    dagdeck(found.root, "backup", str(place / "save"))
    dagdeck(found.root, "runs", "report", "work@latest", "--out", str(found.root / "reports.md"))
    yield found
    end_engine(found)
    shutil.rmtree(place)


def listed(home: Home) -> str:
    """What `dags list` says."""
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root), "dags", "list"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False).stdout


def test_everything_is_private_under_any_umask(home: Home) -> None:
    """Folders are 0700, files and the socket 0600, whatever umask the engine and the verbs were started under."""
    loose = []
    for path, found in (*everything_in(home.root), *everything_in(home.root.parent / "save")):
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & 0o077:
            loose.append(f"{path} {found.st_mode & 0o777:o}")
    assert loose == []


def test_no_process_of_a_home_can_make_an_open_file(home: Home) -> None:
    """Engine, runner, hosts and tasks all have umask 077, so that no file is open for an instant either."""
    pid = engine_pid(home)
    assert pid
    masks = {each: umask_of(each) for each in (pid, *processes_of(home))}
    living = {each: mask for each, mask in masks.items() if mask is not None}
    assert len(living) >= 3
    assert set(living.values()) == {"0077"}


def umask_of(pid: int) -> str | None:
    """The umask of a process in octal digits, or None when it has ended since it was listed, as a spare host may."""
    try:
        found = re.search(r"^Umask:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return found[1] if found else None


def test_another_user_gets_nowhere(home: Home) -> None:
    """Somebody else on the machine can neither look, nor read, write, link, remove, plant, rename or connect."""
    paths = [str(path) for path, found in everything_in(home.root) if stat.S_ISREG(found.st_mode)]
    # One of each kind stands for all of its kind: attempts and backups hold many of the same.
    paths = list({(Path(path).name, Path(path).parts[:5]): path for path in paths}.values())
    kinds = {
        "state.db",
        "state.db-wal",
        "engine.lock",
        "engine.log",
        "log",
        "spec",
        "claim",
        "work.py",
        "manifest.json",
    }
    assert kinds <= {Path(path).name for path in paths}
    if not (nobody := identity()):
        # Who is not root cannot become somebody else: that the modes above let nobody in has to be enough.
        assert home.root.stat().st_mode & 0o077 == 0
        return
    done = subprocess.run(
        ["/usr/bin/env", "-i", interpreter(), "-I", "-S", "-c", PROBE, str(home.root), *paths],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **nobody,
    )
    assert done.stdout.split() == ["done"], done


HOLD = """
import os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
link.listen()
print("held", flush=True)
while True:
    link.accept()[0].close()
"""


@contextmanager
def somebody_holds(path: Path) -> Iterator[None]:
    """Another user of the machine listens on a socket of this path, where this user can become another one."""
    command = ["/usr/bin/env", "-i", interpreter(), "-I", "-S", "-c", HOLD, str(path)]
    with subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, **identity()) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        yield
        holder.kill()


@pytest.fixture
def open_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets of long paths in `/tmp`, which everybody enters, wherever these tests keep their own files."""
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.mark.usefixtures("open_tmp")
async def test_who_holds_the_sockets_path_gets_no_engine_and_no_client(make_site: MakeSite, tmp_path: Path) -> None:
    """A home with a long path has its socket in a folder of `/tmp`. Where that folder was taken by another user, made
    open, or raced into a link, the engine refuses to begin, and a client that meets a stranger's socket says so.
    """
    site = await make_site(deep=120)
    folder = site.home.place_socket().parent
    bait = tmp_path / "bait"
    for take in (lambda: folder.symlink_to(bait), lambda: folder.mkdir(mode=0o777)):
        folder.rmdir()
        bait.mkdir(exist_ok=True)
        take()
        if not folder.is_symlink():
            folder.chmod(0o777)
        refused = site.launch()
        assert await refused.ended() == 5
        assert str(folder) in refused.said[0] and list(bait.iterdir()) == []
        if folder.is_symlink():
            folder.unlink()
            folder.mkdir()
    with somebody_holds(site.home.socket):
        with pytest.raises((WrongPeer, NoEngine)) as met:
            await site.trigger("work")
        assert isinstance(met.value, WrongPeer) or os.geteuid() != 0
    shutil.rmtree(folder)


async def test_a_socket_that_was_removed_is_there_again(make_site: MakeSite) -> None:
    """Somebody, or what cleans `/tmp`, takes the socket away: the engine makes it anew, and who was connected stays."""
    site = await make_site({"steps.py": "@dag()\ndef steps():\n    shell('one', 'true')\n"})
    await site.start()
    async with site.client() as client:
        site.home.socket.unlink()
        await eventually(site.home.socket.exists, "the socket is back")
        assert await site.over(await site.trigger("steps")) == "success"
        await client.command("trigger", p.Selector(dag_ids=["steps"]))


@pytest.mark.parametrize(
    "name",
    ["..", "../../etc/passwd", "-rf", "a\nb", "x" * 300, "CON", "work\x1b[2J", "w\u043erk", "$(touch evil)", "%s"],
)
def test_hostile_names_are_names_and_nothing_else(home: Home, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no id is not found or refused, in a sentence without control characters; no path is made of it."""
    cli = Cli(capsys)
    for before, after in (
        (["dags", "show"], []),
        (["tasks"], []),
        (["logs"], ["task"]),
        (["trigger", "--yes"], []),
    ):
        said = cli("--home", home.root, *before, "--", name, *after)
        assert said.code in (2, 4, 5), said
        assert "\x1b" not in said.err + said.out
    assert not Path("evil").exists()
