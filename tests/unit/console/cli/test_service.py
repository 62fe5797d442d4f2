"""The engine as a service: the unit's text, and what is asked of systemd."""

from __future__ import annotations

import configparser
import os
import pwd
import shlex
from pathlib import Path

import pytest

from console.cli import service
from console.cli.init import make_home
from console.cli.units import quoted, unit_name, unit_text
from tests.support.cli import Cli

STUB = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in
  *is-enabled*|*is-active*) exit {answer};;
esac
exit 0
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that systemd runs, as far as these verbs can tell; the file in which systemctl's calls are noted."""
    calls, tools = tmp_path / "calls", tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(STUB.format(calls=calls, answer=0))
    (tools / "systemctl").chmod(0o755)
    for name in ("run", "linger", "units"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(service, "SYSTEMD", tmp_path / "run")
    monkeypatch.setattr(service, "LINGER", tmp_path / "linger")
    monkeypatch.setattr(service, "SYSTEM_UNITS", tmp_path / "units")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return calls


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home."""
    return make_home(tmp_path / "etl", {}).root


def directives(text: str) -> dict[str, str]:
    """Settings of a unit, by name."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return {key: value for section in parser.sections() for key, value in parser.items(section)}


def test_the_unit_leaves_tasks_alone_and_does_not_insist() -> None:
    """It stops the engine alone, starts it again after a failure, and not after a refusal."""
    unit = directives(unit_text(Path("/srv/etl"), "/opt/dagdeck/bin/python", "etl"))
    assert unit["KillMode"] == "process"
    assert unit["Restart"] == "on-failure"
    assert "5" in unit["RestartPreventExitStatus"].split()
    assert unit["UMask"] == "0077"
    assert unit["OOMPolicy"] == "continue"
    assert unit["User"] == "etl"
    assert unit["WantedBy"] == "multi-user.target"
    own = directives(unit_text(Path("/srv/etl"), "/opt/dagdeck/bin/python", None))
    assert "User" not in own and own["WantedBy"] == "default.target"


@pytest.mark.parametrize("name", ["plain", "with blank", 'quote"d', "100%", "$HOME", "back\\slash", "uml\u00e4ut"])
def test_any_path_is_one_word_to_systemd(name: str) -> None:
    """Blanks, quotes, percent and dollar signs in a home's path are escaped as unit files ask for it."""
    line = directives(unit_text(Path("/srv") / name, "/usr/bin/python3", None))["ExecStart"]
    words = shlex.split(line.replace("%%", "%").replace("$$", "$"))
    assert words == ["/usr/bin/python3", "-m", "dagdeck", "--home", f"/srv/{name}", "engine", "run"]


def test_what_no_unit_can_hold_is_refused() -> None:
    """A line break in a path would begin another setting."""
    with pytest.raises(ValueError, match="control characters"):
        quoted("/srv/a\nExecStart=/bin/evil")


def test_two_homes_of_one_name_have_two_units() -> None:
    """The unit's name holds the home's name and a mark of its path."""
    assert unit_name(Path("/a/etl")) != unit_name(Path("/b/etl"))
    assert unit_name(Path("/a/my etl")).startswith("dagdeck-my-etl-")


def test_a_service_is_installed_asked_and_removed(
    systemd: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Installing writes, enables and starts; a second time changes nothing; removing stops and takes the unit away."""
    cli = Cli(capsys)
    done = cli("--home", home, "service", "install")
    assert done.code == 0, done.err
    assert "enable-linger" in done.err
    name = unit_name(home)
    assert systemd.read_text().splitlines() == ["--user daemon-reload", f"--user enable --now {name}"]
    assert cli("--home", home, "service", "install", "--json").json["changed"] is False
    assert cli("--home", home, "service", "status").code == 1
    (service.LINGER / pwd.getpwuid(os.getuid()).pw_name).touch()
    status = cli("--home", home, "service", "status", "--json")
    assert status.code == 0 and status.json["enabled"] and status.json["lingers"]
    removed = cli("--home", home, "service", "uninstall", "--json")
    assert not Path(removed.json["removed"]).exists()
    assert systemd.read_text().splitlines()[-2:] == [f"--user disable --now {name}", "--user daemon-reload"]
    assert cli("--home", home, "service", "uninstall").code == 5


def test_without_systemd_the_other_ways_are_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, with the exact commands for a supervisor and for cron."""
    monkeypatch.setattr(service, "SYSTEMD", home / "nowhere")
    said = Cli(capsys)("--home", home, "service", "install")
    assert said.code == 5
    assert f"--home {home} engine run" in said.err and "@reboot" in said.err
    assert "unless it ends with 0, 2, 3 or 5" in " ".join(said.err.split())


def test_what_systemd_says_is_passed_on(
    systemd: Path, home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """When systemctl fails, its words are the error."""
    (tmp_path / "tools" / "systemctl").write_text("#!/bin/sh\necho Failed to connect to bus >&2\nexit 1\n")
    said = Cli(capsys)("--home", home, "service", "install")
    assert said.code == 1
    assert "Failed to connect to bus" in said.err
