"""The engine as a service: the unit's text, and what is asked of systemd."""

from __future__ import annotations

import configparser
import os
import pwd
import shlex
from pathlib import Path

import pytest

from console.cli import service, spawning
from console.cli import systemd as machine
from console.cli.init import make_home
from console.cli.units import quoted, unit_name, unit_text
from tests.support.cli import Cli

STUB = """#!/bin/sh
here={here}
case "$*" in
  *is-enabled*) exit 0;;
  *" show "*|show*) cat "$here/shown";;
  *" start "*|start*) echo "$@" >> "$here/calls"; cat "$here/after" > "$here/shown"; exit $(cat "$here/code");;
  *) echo "$@" >> "$here/calls";;
esac
exit 0
"""
RUNS = "ActiveState=active\nResult=success\nMainPID=77\nStatusText=\n"
RESTS = "ActiveState=inactive\nResult=success\nMainPID=0\nStatusText=\n"
REFUSED = "ActiveState=failed\nResult=exit-code\nMainPID=0\nStatusText=the store is damaged = {bad}\n"


class Stub:
    """A machine that systemd runs, as far as these verbs can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("tools", "run", "linger", "units", "config"):
            (folder / name).mkdir()
        self.script(STUB.format(here=folder))
        self.how(RESTS)
        self.after_a_start(RUNS)

    def script(self, text: str) -> None:
        """What systemctl is."""
        (self.folder / "tools" / "systemctl").write_text(text)
        (self.folder / "tools" / "systemctl").chmod(0o755)

    def how(self, shown: str) -> None:
        """What it says of the unit."""
        (self.folder / "shown").write_text(shown)

    def after_a_start(self, shown: str, code: int = 0) -> None:
        """What it says once the unit was started, and how the start ends."""
        (self.folder / "after").write_text(shown)
        (self.folder / "code").write_text(str(code))

    def take(self) -> list[str]:
        """What it was told to do since the last time."""
        calls = self.folder / "calls"
        found = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return found


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """systemctl, and the places that systemd has."""
    folder = tmp_path / "systemd"
    folder.mkdir()
    stub = Stub(folder)
    monkeypatch.setattr(machine, "SYSTEMD", folder / "run")
    monkeypatch.setattr(machine, "LINGER", folder / "linger")
    monkeypatch.setattr(machine, "SYSTEM_UNITS", folder / "units")
    monkeypatch.setenv("PATH", f"{folder / 'tools'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    return stub


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
    assert unit["Type"] == "notify"
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
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Installing writes, enables and starts; a second time changes nothing; removing stops and takes the unit away."""
    cli = Cli(capsys)
    done = cli("--home", home, "service", "install")
    assert done.code == 0, done.err
    assert "enable-linger" in done.err
    name = unit_name(home)
    said = systemd.take()
    assert [line for line in said if "daemon-reload" not in line] == [f"--user enable {name}", f"--user start {name}"]
    assert cli("--home", home, "service", "install", "--json").json["changed"] is False
    assert cli("--home", home, "service", "status").code == 1
    (machine.LINGER / pwd.getpwuid(os.getuid()).pw_name).touch()
    status = cli("--home", home, "service", "status", "--json")
    assert status.code == 0 and status.json["enabled"] and status.json["lingers"]
    removed = cli("--home", home, "service", "uninstall", "--json")
    assert not Path(removed.json["removed"]).exists()
    assert systemd.take()[-2:] == [f"--user disable --now {name}", "--user daemon-reload"]
    assert cli("--home", home, "service", "uninstall").code == 5


def test_an_engine_that_refuses_is_no_service_that_was_installed(
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own reason is the error and stays to be asked for, with what to type once it is gone; the next installation
    starts it in spite of systemd's count of failures.
    """
    cli = Cli(capsys)
    systemd.after_a_start(REFUSED, code=1)
    said = cli("--home", home, "service", "install")
    assert said.code == 1 and "the store is damaged = {bad}" in said.err
    asked = cli("--home", home, "service", "status")
    assert asked.code == 1
    assert "failed (exit-code)" in asked.out and "the store is damaged = {bad}" in asked.out
    assert f"systemctl --user start {unit_name(home)}" in asked.out
    systemd.take()
    systemd.after_a_start(RUNS)
    assert cli("--home", home, "service", "install").code == 0
    assert f"--user reset-failed {unit_name(home)}" in systemd.take()


def test_an_engine_that_runs_is_left_and_how_the_service_takes_over_is_said(
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was started by hand has to stop first; one of the unit as it was before is started again. Both lines can
    be typed as they are said.
    """
    cli = Cli(capsys)
    monkeypatch.setattr(service, "engine_pid", lambda _home: 4711)
    by_hand = cli("--home", home, "service", "install")
    assert f"`systemctl --user start {unit_name(home)}`" in by_hand.out and "by hand" in by_hand.out
    assert not any(" start " in line for line in systemd.take())
    assert "by hand" in cli("--home", home, "service", "status").out
    systemd.how(RUNS.replace("77", "4711"))
    assert "systemctl" not in cli("--home", home, "service", "install").out
    (systemd.folder / "config" / "systemd" / "user" / unit_name(home)).write_text("of another installation")
    moved = cli("--home", home, "service", "install")
    assert f"`systemctl --user restart {unit_name(home)}`" in moved.out


def test_a_unit_of_the_machine_is_roots_and_waits_for_the_disk(
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for by `--system` once and known from then on; it is begun once the home's disk is there."""
    cli = Cli(capsys)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cli("--home", home, "service", "install", "--system").code == 5
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    done = cli("--home", home, "service", "install", "--system")
    assert done.code == 0 and "linger" not in done.err
    text = (systemd.folder / "units" / unit_name(home)).read_text()
    assert directives(text)["RequiresMountsFor"] == f'"{home}"'
    assert systemd.take()[-1] == f"start {unit_name(home)}"
    assert cli("--home", home, "service", "status", "--json").json["lingers"]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused = cli("--home", home, "service", "uninstall")
    assert refused.code == 5 and "root" in refused.err
    assert not any("disable" in line for line in systemd.take())


def test_the_systemd_of_an_account_is_found_without_a_login(
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`sudo -u` does not say where it is: the folder that systemd makes for an account is tried. Where none runs,
    nothing is written and what starts one is said.
    """
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(machine, "RUNTIME", tmp_path)
    systemd.script('#!/bin/sh\ntest -n "$XDG_RUNTIME_DIR" && exit 0\necho Failed to connect to bus >&2\nexit 1\n')
    refused = Cli(capsys)("--home", home, "service", "install")
    assert refused.code == 1 and "loginctl enable-linger" in refused.err
    assert not list((systemd.folder / "config").rglob("*.service"))
    (tmp_path / str(os.geteuid())).mkdir()
    assert Cli(capsys)("--home", home, "service", "install").code == 0


def test_who_starts_by_hand_what_a_service_looks_after_is_told(
    systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`engine start` starts it, and says what brings it back under its service."""
    cli = Cli(capsys)
    cli("--home", home, "service", "install")
    monkeypatch.setattr(spawning, "start_engine", lambda _home: "ready")
    said = cli("--home", home, "engine", "start")
    assert said.code == 0
    assert f"systemctl --user start {unit_name(home)}" in said.err


def test_without_systemd_the_other_ways_are_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, with the exact commands for a supervisor and for cron."""
    monkeypatch.setattr(machine, "SYSTEMD", home / "nowhere")
    said = Cli(capsys)("--home", home, "service", "install")
    assert said.code == 5
    assert f"--home {home} engine run" in said.err and "@reboot" in said.err
    assert "unless it ends with 0, 2, 3 or 5" in " ".join(said.err.split())


def test_what_systemd_says_is_passed_on(systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When systemctl fails, its words are the error."""
    systemd.script("#!/bin/sh\necho Access denied >&2\nexit 1\n")
    said = Cli(capsys)("--home", home, "service", "install")
    assert said.code == 1
    assert "Access denied" in said.err


def test_a_home_has_one_service(systemd: Stub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the machine has a unit of a home, its owner gets none of his own beside it."""
    (systemd.folder / "units" / unit_name(home)).write_text("a unit of the machine")
    refused = Cli(capsys)("--home", home, "service", "install")
    assert refused.code == 5 and str(systemd.folder / "units") in refused.err
    assert systemd.take() == []
