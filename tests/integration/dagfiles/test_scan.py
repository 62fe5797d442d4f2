"""Watching `dags/` with real files and real parse children; only the clocks are the test's own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.dagfiles.bundle import content_hash
from engine.dagfiles.parse import Parser
from engine.dagfiles.scan import DagFiles
from engine.dagfiles.updates import Broken, FileUpdate, Gone, Loaded
from tests.support.dag_files import write

pytestmark = pytest.mark.processes
GOOD = "from dagdeck import DAG, shell\nwith DAG('{}'):\n    shell('t', '{}')\n"


RESTS = 1.0
"""Seconds between looks while nothing moves."""


class Watch:
    """The DAG files of a home, and clocks that move when the test says so."""

    def __init__(self, home: Path) -> None:
        self.dags = home / "dags"
        self.versions = home / "versions"
        self.dags.mkdir(exist_ok=True)
        self.pools = {"default": 16}
        self.owners: dict[str, str] = {}
        self.time_limit = 10.0
        self.ahead = 0.0
        self._files: DagFiles | None = None

    @property
    def files(self) -> DagFiles:
        """Made at first use, so that a test can set it up before."""
        if self._files is None:
            self._files = DagFiles(
                self.dags,
                self.versions,
                Parser({"PATH": "/usr/bin:/bin"}, time_limit=self.time_limit),
                python_of=lambda file: sys.executable,
                pools=lambda: self.pools,
                owners=self.owners,
                monotonic=lambda: time.monotonic() + self.ahead,
                wall=lambda: time.time() + self.ahead,
            )
        return self._files

    def dag(self, name: str, dag_id: str, command: str = "true") -> None:
        """Writes a DAG file."""
        write(self.dags, name, GOOD.format(dag_id, command))

    async def look(self, after: float = 0.0) -> list[FileUpdate]:
        """One scan, `after` seconds later."""
        self.ahead += after
        return await self.files.scan()

    async def settle(self) -> list[FileUpdate]:
        """All updates, once the tree is quiet, everything is read, and what is gone is noticed."""
        updates = await self.look() + await self.look(3)
        deadline = time.monotonic() + 60
        while self.files.poll_after() < RESTS:
            assert time.monotonic() < deadline, "it never settles"
            updates += await self.look(0.1)
        return updates + await self.look(0.1)

    async def until(self, found: Callable[[FileUpdate], bool]) -> list[FileUpdate]:
        """All updates up to the first that is looked for."""
        updates: list[FileUpdate] = []
        deadline = time.monotonic() + 60
        while not any(found(update) for update in updates):
            assert time.monotonic() < deadline, f"not found among {updates}"
            updates += await self.look(0.1)
        return updates

    async def close(self) -> None:
        """Ends it."""
        if self._files is not None:
            await self._files.close()


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """A home with empty `dags/`."""
    made = Watch(tmp_path)
    yield made
    await made.close()


def ids(updates: list[FileUpdate]) -> dict[str, list[str]]:
    """The DAG ids of each file that was loaded."""
    return {each.file: [dag.dag_id for dag in each.dags] for each in updates if isinstance(each, Loaded)}


def only(updates: list[FileUpdate]) -> FileUpdate:
    """The one update there is."""
    assert len(updates) == 1, updates
    return updates[0]


async def test_files_are_loaded_and_kept_as_bundles(watch: Watch) -> None:
    """Each file is reported once, with the hash under which its copy stands."""
    watch.dag("a.py", "first")
    watch.dag("team/b.py", "second")
    updates = await watch.settle()
    assert ids(updates) == {"a.py": ["first"], "team/b.py": ["second"]}
    for update in updates:
        assert isinstance(update, Loaded)
        kept = {update.file: (watch.versions / update.bundle_hash / update.file).read_bytes()}
        assert update.bundle_hash == content_hash(kept)
        assert kept[update.file] == (watch.dags / update.file).read_bytes()
    assert await watch.settle() == []


async def test_a_tree_that_has_been_quiet_is_read_at_once(watch: Watch) -> None:
    """At the start of an engine, files that nobody has touched for two seconds need no waiting."""
    watch.dag("a.py", "first")
    watch.ahead = 60
    assert ids(await watch.until(lambda update: True)) == {"a.py": ["first"]}
    assert watch.ahead < 62


async def test_a_tree_that_changes_is_not_read(watch: Watch) -> None:
    """While a copy is going on, nothing is loaded, however long ago the first of its files came."""
    watch.dag("a.py", "first")
    assert await watch.look() == []
    for number in range(4):
        write(watch.dags, f"part{number}.py", "")
        assert await watch.look(1.5) == []
    assert len(ids(await watch.settle())) == 5


async def test_a_change_is_read_after_two_seconds_of_quiet(watch: Watch) -> None:
    """Counted from the change itself, not from the look that noticed it; until then looks are worth while often."""
    watch.dag("a.py", "first")
    await watch.settle()
    assert watch.files.poll_after() == RESTS
    watch.dag("a.py", "changed")
    assert await watch.look(0.5) == []
    assert watch.files.poll_after() < RESTS
    assert await watch.look(1.0) == []
    assert ids(await watch.look(0.7) + await watch.settle()) == {"a.py": ["changed"]}


async def test_a_broken_file_is_reported_once_and_cured_by_an_edit(watch: Watch) -> None:
    """The last good version's bundle stays, and nothing is repeated while nothing changes."""
    watch.dag("a.py", "first")
    good = only(await watch.settle())
    assert isinstance(good, Loaded)
    write(watch.dags, "a.py", "from dagdeck import *\nthis is not python\n")
    broken = only(await watch.settle())
    assert isinstance(broken, Broken)
    assert (broken.failures[0].line, broken.failures[0].file) == (2, "a.py")
    assert (watch.versions / good.bundle_hash / "a.py").exists()
    assert await watch.settle() == []
    watch.dag("a.py", "first")
    assert only(await watch.settle()) == good


async def test_a_touch_changes_nothing(watch: Watch) -> None:
    """The same content is the same version, and no news."""
    watch.dag("a.py", "first")
    await watch.settle()
    (watch.dags / "a.py").touch()
    assert await watch.settle() == []
    assert len(list(watch.versions.iterdir())) == 1


async def test_a_shared_module_makes_new_versions_of_its_importers(watch: Watch) -> None:
    """Also one that only a function imports; files that do not use it are left alone."""
    write(watch.dags, "lib/names.py", "NAME = 'one'")
    write(watch.dags, "late.py", "")
    write(watch.dags, "a.py", "from lib.names import NAME\n" + GOOD.format("a", "echo"))
    write(watch.dags, "b.py", "def body():\n    import late\n" + GOOD.format("b", "echo"))
    watch.dag("c.py", "c")
    before = {each.file: each for each in await watch.settle() if isinstance(each, Loaded)}
    assert before["a.py"].modules == ("a.py", "lib/names.py")
    write(watch.dags, "lib/names.py", "NAME = 'two'")
    write(watch.dags, "late.py", "x = 1")
    after = {each.file: each for each in await watch.settle() if isinstance(each, Loaded)}
    assert set(after) == {"a.py", "b.py", "lib/names.py", "late.py"}
    assert after["a.py"].bundle_hash != before["a.py"].bundle_hash
    assert (watch.versions / before["a.py"].bundle_hash / "lib/names.py").read_text() == "NAME = 'one'"
    assert (watch.versions / after["a.py"].bundle_hash / "lib/names.py").read_text() == "NAME = 'two'"


async def test_a_missing_module_that_appears_cures_its_importer(watch: Watch) -> None:
    """A broken file is tried again when anything in the tree changes."""
    write(watch.dags, "a.py", "import helper\n" + GOOD.format("a", "echo"))
    broken = only(await watch.settle())
    assert isinstance(broken, Broken)
    assert "No module named 'helper'" in broken.failures[0].message
    write(watch.dags, "helper.py", "")
    assert ids(await watch.settle()) == {"a.py": ["a"], "helper.py": []}


async def test_a_broken_file_is_tried_again_now_and_then(watch: Watch) -> None:
    """What it lacks outside of `dags/` may be there after a minute, then after two."""
    flag = watch.dags.parent / "flag"
    write(watch.dags, "a.py", f"open({str(flag)!r})\n" + GOOD.format("a", "echo"))
    assert isinstance(only(await watch.settle()), Broken)
    flag.touch()
    assert await watch.look(30) == []
    assert ids(await watch.until(lambda update: isinstance(update, Loaded))) == {"a.py": ["a"]}
    assert 60 <= watch.ahead < 75


async def test_a_file_is_gone_after_two_looks_and_not_after_one(watch: Watch) -> None:
    """An editor that removes and writes a file again loses nothing."""
    watch.dag("a.py", "first")
    await watch.settle()
    (watch.dags / "a.py").unlink()
    assert await watch.look(5) == []
    watch.dag("a.py", "first")
    assert await watch.settle() == []
    (watch.dags / "a.py").unlink()
    assert await watch.settle() == [Gone("a.py")]
    assert await watch.settle() == []


async def test_a_renamed_file_hands_its_dags_on(watch: Watch) -> None:
    """The ids are found in the new file before they are missed in the old one, in one and the same scan."""
    watch.dag("a.py", "first")
    await watch.settle()
    (watch.dags / "new").mkdir()
    (watch.dags / "a.py").rename(watch.dags / "new" / "b.py")
    updates = await watch.settle()
    assert updates[-1] == Gone("a.py")
    assert ids(updates[:-1]) == {"new/b.py": ["first"]}


async def test_a_dag_that_moves_to_another_file_is_not_a_duplicate(watch: Watch) -> None:
    """When both files change together, the id is freed before it is claimed."""
    write(watch.dags, "z.py", GOOD.format("moving", "1") + GOOD.format("staying", "1"))
    watch.dag("a.py", "other")
    await watch.settle()
    watch.dag("z.py", "staying")
    write(watch.dags, "a.py", GOOD.format("other", "1") + GOOD.format("moving", "2"))
    assert ids(await watch.settle()) == {"a.py": ["other", "moving"], "z.py": ["staying"]}


async def test_the_first_of_two_files_with_one_id_goes_on(watch: Watch) -> None:
    """The second is refused with both names, and takes over when the first is gone."""
    watch.dag("b.py", "same")
    await watch.settle()
    watch.dag("a.py", "same", "other")
    refused = only(await watch.settle())
    assert isinstance(refused, Broken)
    assert "DAG id 'same' is defined in b.py and in a.py: the one in b.py is used" in refused.failures[0].message
    (watch.dags / "b.py").unlink()
    updates = await watch.settle()
    updates.remove(Gone("b.py"))  # before or after the other, as its reading takes
    assert ids(updates) == {"a.py": ["same"]}


async def test_who_owned_an_id_before_the_start_still_does(watch: Watch) -> None:
    """Which of two files is read first does not decide after a restart; an owner that is gone is reported."""
    watch.owners = {"same": "z.py", "lost": "gone.py"}
    watch.dag("a.py", "same")
    watch.dag("z.py", "same")
    updates = await watch.settle()
    assert ids(updates) == {"z.py": ["same"]}
    assert {type(update) for update in updates if update.file == "a.py"} == {Broken}
    assert Gone("gone.py") in updates


async def test_one_wrong_dag_leaves_the_others_of_its_file(watch: Watch) -> None:
    """A cycle in one DAG is a failure of that DAG; the other is loaded."""
    write(
        watch.dags,
        "a.py",
        """
        from dagdeck import DAG, shell
        with DAG("good"):
            shell("t", "true")
        with DAG("bad"):
            a, b = shell("a", "true"), shell("b", "true")
            a >> b >> a
        """,
    )
    update = only(await watch.settle())
    assert isinstance(update, Loaded)
    assert [dag.dag_id for dag in update.dags] == ["good"]
    assert [(each.dag_id, each.line, "a -> b -> a" in each.message) for each in update.failures] == [("bad", 5, True)]


async def test_a_pool_that_appears_cures_the_dag_that_names_it(watch: Watch) -> None:
    """Pools may change while the engine runs; files are judged again without being read again."""
    write(watch.dags, "a.py", "from dagdeck import *\nwith DAG('d'):\n    shell('t', 'true', pool='db')\n")
    assert isinstance(only(await watch.settle()), Broken)
    watch.pools = {"default": 16, "db": 1}
    assert ids(await watch.look()) == {"a.py": ["d"]}


async def test_things_that_are_no_dag_files_are_named_and_harm_nothing(watch: Watch, tmp_path: Path) -> None:
    """A FIFO is not opened, a link out of the folder not followed, bytes that are no text not decoded."""
    os.mkfifo(watch.dags / "pipe.py")
    write(tmp_path, "outside.py", GOOD.format("outside", "x"))
    (watch.dags / "link.py").symlink_to(tmp_path / "outside.py")
    (watch.dags / "bytes.py").write_bytes(b"\xff\xfe\x00")
    write(watch.dags, "engine.py", "")
    (watch.dags / os.fsdecode(b"\xff.py")).write_text("")
    watch.dag(".hidden.py", "hidden")
    watch.dag("good.py", "good")
    updates = await watch.settle()
    assert ids(updates) == {"good.py": ["good"]}
    broken = {each.file: each.failures[0].message for each in updates if isinstance(each, Broken)}
    assert set(broken) == {"pipe.py", "link.py", "bytes.py", "engine.py", "\\xff.py"}
    assert broken["pipe.py"] == "it is not a regular file"
    assert "cannot be named engine.py" in broken["engine.py"]
    assert await watch.settle() == []


async def test_a_file_replaced_by_a_link_out_keeps_its_last_version(watch: Watch, tmp_path: Path) -> None:
    """It is broken, not gone, and its ids stay its own."""
    watch.dag("a.py", "first")
    await watch.settle()
    write(tmp_path, "outside.py", GOOD.format("first", "x"))
    (watch.dags / "a.py").unlink()
    (watch.dags / "a.py").symlink_to(tmp_path / "outside.py")
    assert isinstance(only(await watch.settle()), Broken)
    watch.dag("b.py", "first")
    assert isinstance(only([update for update in await watch.settle() if update.file == "b.py"]), Broken)


async def test_a_folder_that_cannot_be_read_makes_nothing_gone(watch: Watch) -> None:
    """When `dags/` itself is away, that is one problem and not the end of all DAGs."""
    watch.dag("a.py", "first")
    await watch.settle()
    away = watch.dags.with_name("away")
    watch.dags.rename(away)
    problem = only(await watch.settle())
    assert isinstance(problem, Broken)
    assert (problem.file, problem.failures[0].message.startswith("the folder cannot be read")) == (".", True)
    away.rename(watch.dags)
    assert await watch.settle() == [Gone(".")]


async def test_a_file_that_hangs_holds_up_no_other(watch: Watch) -> None:
    """Two files are read at a time; while one hangs, changes of others are live, and scans stay short."""
    watch.time_limit = 4.0
    write(watch.dags, "a_hangs.py", "while True: pass")
    watch.dag("b.py", "b")
    watch.dag("c.py", "c")
    watch.ahead = 60
    updates = await watch.until(lambda update: update.file == "c.py")
    assert ids(updates) == {"b.py": ["b"], "c.py": ["c"]}
    assert "a_hangs.py" not in [update.file for update in updates]
    stopped = await watch.until(lambda update: update.file == "a_hangs.py")
    assert "takes more than 4 s to load" in stopped[-1].failures[0].message


async def test_a_file_that_changes_while_it_is_read_is_read_again(watch: Watch) -> None:
    """What was parsed and what is kept are the same bytes: a version is never made of two states."""
    flag = watch.dags.parent / "reading"
    body = f"import os, time\nopen({str(flag)!r}, 'w')\nwhile os.path.exists({str(flag)!r}): time.sleep(0.01)\n"
    write(watch.dags, "lib.py", "NAME = 'old'")
    write(watch.dags, "a.py", body + "import lib\n" + GOOD.format("a", "' + lib.NAME + '"))
    watch.ahead = 60
    deadline = time.monotonic() + 60
    updates = await watch.look()
    while not flag.exists():
        assert time.monotonic() < deadline
        updates += await watch.look()
    write(watch.dags, "lib.py", "NAME = 'new'")
    write(watch.dags, "a.py", "import lib\n" + GOOD.format("a", "' + lib.NAME + '"))
    flag.unlink()
    updates += await watch.settle()
    (update,) = [each for each in updates if each.file == "a.py"]
    assert isinstance(update, Loaded)
    assert update.dags[0].tasks[0].command == "new"
    assert (watch.versions / update.bundle_hash / "lib.py").read_text() == "NAME = 'new'"


async def test_a_half_written_file_is_not_read(watch: Watch) -> None:
    """A file that grows for a while is read once, when it is whole."""
    text = GOOD.format("whole", "true")
    updates: list[FileUpdate] = []
    for end in range(0, len(text), 12):
        (watch.dags / "a.py").write_text(text[:end])
        updates += await watch.look(0.5)
    (watch.dags / "a.py").write_text(text)
    assert updates == []
    assert ids(await watch.settle()) == {"a.py": ["whole"]}


async def test_a_tree_that_never_rests_is_read_all_the_same(watch: Watch) -> None:
    """A file that somebody writes every second does not keep the others from being loaded."""
    watch.dag("a.py", "first")
    updates: list[FileUpdate] = []
    for number in range(20):
        write(watch.dags, "noise.py", f"x = {number}")
        updates += await watch.look(1)
    assert ids(updates) == {"a.py": ["first"]}


async def test_a_version_that_cannot_be_kept_breaks_its_file(watch: Watch) -> None:
    """A disk that refuses is a failure with the reason, and is tried again later."""
    watch.versions.write_text("in the way")
    watch.dag("a.py", "first")
    broken = only(await watch.settle())
    assert isinstance(broken, Broken)
    assert "its version cannot be kept in" in broken.failures[0].message
    watch.versions.unlink()
    assert ids(await watch.until(lambda update: isinstance(update, Loaded))) == {"a.py": ["first"]}


async def test_many_files_come_and_go(watch: Watch) -> None:
    """A dozen files are loaded, and all are gone when their folder is."""
    for number in range(12):
        watch.dag(f"many/f{number:02}.py", f"d{number}")
    assert len(ids(await watch.settle())) == 12
    shutil.rmtree(watch.dags / "many")
    assert len([update for update in await watch.settle() if isinstance(update, Gone)]) == 12


async def test_a_file_of_dates_is_a_part_of_the_version(watch: Watch) -> None:
    """Its dates count from when it is there, and again when it changes; what was read is kept with the code."""
    source = (
        "from dagdeck import DAG, shell\nwith DAG('d', schedule='@daily', exclude='days.txt'):\n    shell('t', 'x')\n"
    )
    write(watch.dags, "d.py", source)
    (broken,) = await watch.settle()
    assert isinstance(broken, Broken)
    assert "days.txt: No such file" in broken.failures[0].message
    bundles = []
    for dates in (["12-25"], ["12-25", "12-26"]):
        (watch.dags / "days.txt").write_text("\n".join(dates))
        (loaded,) = await watch.settle()
        assert isinstance(loaded, Loaded)
        assert loaded.dags[0].schedule.exclude == dates
        bundles.append(loaded.bundle_hash)
        assert (watch.versions / loaded.bundle_hash / "days.txt").read_text().split() == dates
    assert bundles[0] != bundles[1]
    assert await watch.settle() == []
