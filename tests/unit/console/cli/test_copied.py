"""Commands that are shown to be copied mean the same in a shell, whatever the path is called."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from console.cli import systemd
from console.cli.init import make_home
from engine.model.typed import dagdeck, quoted
from tests.support.cli import Cli

NAME = 'it\'s 100% a "home" $HOME'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / NAME


def test_a_command_reads_back_as_its_words(root: Path) -> None:
    """A plain path stays as it is; any other is quoted as a shell reads it."""
    assert dagdeck("/srv/etl", "engine", "start") == "dagdeck --home /srv/etl engine start"
    assert shlex.split(dagdeck(root, "release")) == ["dagdeck", "--home", str(root), "release"]
    assert shlex.split(f"ls {quoted(root)}") == ["ls", str(root)]


def test_what_init_names_next_can_be_copied(cli: Cli, root: Path) -> None:
    """Each of the three commands names the home as one word."""
    shown = cli("init", root).out.partition("Next:\n")[2].splitlines()
    assert [shlex.split(line)[:3] for line in shown] == [["dagdeck", "--home", str(root)]] * 3


def test_refusals_name_commands_that_can_be_copied(cli: Cli, root: Path) -> None:
    """To make a home where there is none, and to close a folder that is open."""
    root.mkdir(mode=0o755)
    (root / "file").touch()
    for answer, words in (
        (cli("--home", root, "runs", "list"), ["dagdeck", "init", str(root)]),
        (cli("init", root), ["chmod", "700", str(root)]),
    ):
        command = re.search(r"`(.*)`", answer.err)
        assert command is not None
        assert shlex.split(command.group(1)) == words


def test_the_other_ways_to_a_service_can_be_copied(
    cli: Cli, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor is given words of a shell; for cron, where it ends a command, a percent sign is escaped."""
    make_home(root, {})
    monkeypatch.setattr(systemd, "SYSTEMD", tmp_path / "none")
    said = cli("--home", root, "service", "install").err
    commands = re.findall(r"`([^`]*)`", said)
    assert len(commands) == 3
    assert shlex.split(commands[0])[1:] == ["-m", "dagdeck", "--home", str(root), "engine", "run"]
    for line in commands[1:]:
        assert re.search(r"(?<!\\)%", line) is None
        words = shlex.split(line.replace(r"\%", "%"))
        assert words[-6:] == ["dagdeck", "--home", str(root), "engine", "start", "--if-down"]


def test_remedies_of_the_doctor_can_be_copied(cli: Cli, root: Path) -> None:
    """The command that closes an open home names it as one word."""
    make_home(root, {})
    root.chmod(0o755)
    remedies = [each["remedy"] for each in cli("--home", root, "doctor", "--json").json if each["what"] == "private"]
    assert [shlex.split(remedy) for remedy in remedies] == [["chmod", "-R", "go=", str(root)]]
