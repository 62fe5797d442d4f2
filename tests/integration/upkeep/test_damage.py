"""Damaged stores, hundreds of them: each is refused in words or understood, and nothing is run from what is refused."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli.main import run
from engine.home import Home
from engine.scheduler import loading
from engine.scheduler.pools import Pools
from engine.scheduler.turn import Turn
from engine.store.copying import diagnose
from engine.store.errors import StoreError, making_sense
from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.upkeep.backup import make_backup
from tests.support.cli import Cli
from tests.support.damage import HARMS
from tests.support.scheduler import Rig

FILES = 16
"""Damaged stores of each kind."""


async def begin(home: Home) -> tuple[str | None, Rig]:
    """What an engine does before it is ready; the reason of its refusal, and what its executor was asked to do."""
    rig = Rig(home.root)
    try:
        open_store(home.database, "a boot")
        with making_sense(home.database):
            with Reader(home.database) as reader:
                loaded = loading.read(reader)
            loading.build(rig.scheduler, loaded, 16, Pools())

            def resume(turn: Turn) -> None:
                loading.resume(rig.scheduler, turn, loaded, rig.executor, "a boot")

            rig.scheduler.post(resume)
            await rig.turn()
    except StoreError as error:
        return str(error), rig
    return (rig.broken[0] if rig.broken else None), rig


def is_whole(path: Path) -> bool:
    """Whether SQLite's own check finds nothing."""
    try:
        connection = sqlite3.connect(path)
        try:
            return bool(connection.execute("PRAGMA quick_check").fetchall() == [("ok",)])
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError):
        return False


@pytest.mark.parametrize("kind", HARMS)
async def test_a_damaged_store_is_refused_or_understood(kept: Home, tmp_path: Path, kind: str) -> None:
    """However a store was damaged, an engine that begins on it says what is wrong, or makes sense of all of it. It
    starts nothing from one that it refuses, and refuses every one that SQLite finds unsound.
    """
    refused = 0
    for number in range(FILES):
        home = Home(tmp_path / f"{kind}{number}")
        home.root.mkdir()
        store = kept.database
        shutil.copy(store, home.root)
        HARMS[kind](home.database, random.Random(f"{kind}{number}"))
        seen = Home(shutil.copytree(home.root, tmp_path / f"{kind}{number}-seen"))
        whole = is_whole(seen.database)
        reason, rig = await begin(home)
        if reason is not None:
            refused += 1
            assert rig.executor.tasks == []
            assert "\n" not in reason
        assert reason is not None or whole, f"{kind} {number}: run from a store that is not sound"
        assert diagnose(home.database).text
    assert refused >= {"shm": 0, "bits": 1, "text": 0, "wal": 0}.get(kind, 3), f"{kind} never did any harm"


@pytest.mark.parametrize("kind", HARMS)
def test_the_command_line_survives_damage(
    home: Home, kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Verbs that read a damaged store end with an exit code and a sentence, never with a traceback."""
    for number in range(2):
        store = home.database
        shutil.copy(store, tmp_path / "spare")
        HARMS[kind](store, random.Random(f"{kind}{number}"))
        for arguments in (["runs", "list"], ["dags", "list"], ["doctor"], ["verify"], ["backup", str(tmp_path / "b")]):
            code = run(["--home", str(home.root), *arguments])
            said = capsys.readouterr()
            assert code in (0, 1, 4, 5)
            assert code in (0, 1) or said.err.startswith("dagdeck: ")
        shutil.rmtree(tmp_path / "b", ignore_errors=True)
        for suffix in ("-wal", "-shm"):
            (home.root / f"state.db{suffix}").unlink(missing_ok=True)
        shutil.move(tmp_path / "spare", store)


@pytest.mark.parametrize("arguments", [["runs", "list"], ["verify"], ["doctor"], ["prune", "--yes"], ["backup"]])
@pytest.mark.parametrize("how", ["gone", "empty", "a link"])
def test_a_store_that_is_gone_is_not_taken_for_one_that_is_still_to_come(
    home: Home, arguments: list[str], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where attempts have left files, verbs say what became of the store, and never that an engine will make it."""
    home.database.unlink()
    if how == "empty":
        home.database.touch(0o600)
    elif how == "a link":
        home.database.symlink_to("/nowhere/state.db")
    assert run(["--home", str(home.root), *arguments]) in (1, 4)
    said = "".join(capsys.readouterr())
    words = {"a link": "a link to /nowhere/state.db, where nothing is"}.get(how, how)
    assert f"state.db is {words}, but" in said and "dagdeck restore BACKUP --replace" in said
    assert "has no store yet" not in said and "none yet" not in said
    assert "engine status" not in said, "no engine runs that could have saved anything"


@pytest.mark.parametrize(("kind", "code"), [("gone", 4), ("folder", 1), ("foreign", 1), ("no home", 3)])
def test_verify_as_json_is_one_document_whatever_is_found(home: Home, cli: Cli, kind: str, code: int) -> None:
    """Why nothing could be checked stands in the document too, and the exit code is the one of the words."""
    home.database.unlink()
    {"folder": _folder, "foreign": _others}.get(kind, lambda _store: None)(home.database)
    root = home.root / "none" if kind == "no home" else home.root
    words, told = cli("--home", root, "verify"), cli("--home", root, "verify", "--json")
    assert (words.code, told.code, told.json["ok"]) == (code, code, False)
    [problem] = told.json["problems"]
    assert problem["text"] and problem["text"] in words.err


@pytest.mark.parametrize("how", ["empty", "a link to /nowhere/state.db, where nothing is"])
def test_the_status_of_no_engine_says_what_stands_in_the_stores_place(tmp_path: Path, cli: Cli, how: str) -> None:
    """Where no attempt was ever made, an empty file or a link to nowhere is named, too; none is taken for no store."""
    root = tmp_path / "home"
    assert cli("init", root).code == 0
    if how == "empty":
        (root / "state.db").touch(0o600)
    else:
        (root / "state.db").symlink_to("/nowhere/state.db")
    told = cli("--home", root, "engine", "status", "--json").json
    assert told["running"] is False and f"state.db is {how}: no engine has made a store" in told["problem"]


def _folder(store: Path) -> None:
    store.mkdir()


def _pipe(store: Path) -> None:
    os.mkfifo(store)


def _others(store: Path) -> None:
    connection = sqlite3.connect(store)
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()


@pytest.mark.parametrize("put", [_folder, _pipe, _others])
def test_what_is_no_store_is_named_with_the_way_out(home: Home, cli: Cli, put: Callable[[Path], None]) -> None:
    """A folder, a pipe or somebody's database in the store's place is called that; the status of the engine is that
    none runs, and doctor says it once. A backup takes its place.
    """
    saved = make_backup(home, home.root.parent / "saved", 0)
    home.database.unlink()
    put(home.database)
    words = {_folder: "a folder stands", _pipe: "a special file stands", _others: "database of another program"}[put]
    with pytest.raises(StoreError, match=f"{words}.*dagdeck restore BACKUP --replace"):
        open_store(home.database)
    assert cli("--home", home.root, "engine", "status", "--check").code == 3
    told = cli("--home", home.root, "engine", "status", "--check", "--json")
    assert (told.code, told.json["running"], words in told.json["problem"]) == (3, False, True)
    assert cli("--home", home.root, "doctor").out.count(words) == 1
    assert cli("--home", home.root, "restore", saved.path, "--replace").code == 0
    assert cli("--home", home.root, "verify").code == 0
