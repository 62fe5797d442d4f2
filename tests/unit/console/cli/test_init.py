"""`dagdeck init` makes private homes and overwrites nothing."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from console.cli.template import CONFIG_TEXT
from engine.config import load_settings
from engine.home import Home, find_home
from tests.support.cli import Cli


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_home_is_private_and_complete(cli: Cli, tmp_path: Path) -> None:
    """The home's folders are 0700 and its files 0600, whatever the umask; it holds settings and a first DAG."""
    before = os.umask(0)
    try:
        answer = cli("init", tmp_path / "deep" / "etl")
    finally:
        os.umask(before)
    home = Home(tmp_path / "deep" / "etl")
    assert answer.code == 0
    assert (mode(home.root), mode(home.dags)) == (0o700, 0o700)
    assert (mode(home.config), mode(home.dags / "hello.py")) == (0o600, 0o600)
    assert load_settings(home).name == "etl"


def test_a_second_init_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    """A home that stands is refused with exit code 5, and stays as it is."""
    cli("init", tmp_path / "etl")
    config = tmp_path / "etl" / "dagdeck.toml"
    config.write_text('name = "mine"\n')
    answer = cli("init", tmp_path / "etl")
    assert answer.code == 5
    assert "stands already" in answer.err
    assert config.read_text() == 'name = "mine"\n'


def test_a_dag_file_of_the_same_name_is_not_overwritten(cli: Cli, tmp_path: Path) -> None:
    """A file in dags/ under the first DAG's name makes init refuse before it writes anything."""
    root = tmp_path / "etl"
    (root / "dags").mkdir(parents=True)
    (root / "dags" / "hello.py").write_text("mine")
    root.chmod(0o700)
    assert cli("init", root).code == 5
    assert (root / "dags" / "hello.py").read_text() == "mine"
    assert not (root / "dagdeck.toml").exists()


def test_a_folder_with_files_that_others_may_read_is_refused(cli: Cli, tmp_path: Path) -> None:
    """Init does not change the mode of somebody's open folder: it says how to close it."""
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o755)
    (root / "notes.txt").write_text("ours")
    answer = cli("init", root)
    assert answer.code == 5
    assert f"chmod 700 {root}" in answer.err
    assert mode(root) == 0o755


def test_an_empty_folder_becomes_a_private_home(cli: Cli, tmp_path: Path) -> None:
    """An empty folder is closed to others and used."""
    root = tmp_path / "empty"
    root.mkdir()
    root.chmod(0o755)
    assert cli("init", root).code == 0
    assert mode(root) == 0o700


def test_a_file_is_no_place_for_a_home(cli: Cli, tmp_path: Path) -> None:
    """A path that is a file is a usage error that names it."""
    (tmp_path / "file").write_text("")
    answer = cli("init", tmp_path / "file")
    assert answer.code == 2
    assert "is not a folder" in answer.err


def test_every_setting_of_the_template_is_valid_when_taken_in(tmp_path: Path) -> None:
    """With the comment signs taken away, the template is a dagdeck.toml that loads, and it leaves no setting out."""
    live = re.sub(r"^# (?=\w+ = )", "", CONFIG_TEXT, flags=re.MULTILINE)
    live = live.replace("/srv/etl/venv/bin/python", "/bin/sh")
    home = Home(tmp_path)
    home.config.write_text(live)
    settings = load_settings(home)
    from engine.config import _KEYS

    assert set(tomllib.loads(live)) == set(_KEYS)
    assert (settings.slots, settings.timezone, settings.pools) == (16, "UTC", {"db": 4, "api": 2})


def test_the_home_is_found_from_inside_it(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder in a home, commands are about that home without being told."""
    cli("init", tmp_path / "etl")
    monkeypatch.chdir(tmp_path / "etl" / "dags")
    assert find_home(None).root == tmp_path / "etl"
