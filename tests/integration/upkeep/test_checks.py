"""`verify` and `doctor`: each thing that can be wrong is found, named, and told how to be put right."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli import doctor_host, systemd
from console.cli.units import unit_name
from engine.app import _vet
from engine.execution.directory import path_of
from engine.home import Home, HomeError
from engine.store.errors import StoreDamaged
from engine.store.migrations import open_store
from engine.upkeep.evidence import Problem, verify
from engine.upkeep.filesystem import is_network, kind_of
from tests.support.cli import Cli
from tests.support.damage import PAGE, overwrite, root_page
from tests.support.kept_home import BUNDLE
from tests.support.store import look, tamper


def found(home: Home, *, engine_runs: bool = True) -> list[Problem]:
    """What verify finds."""
    return list(verify(home, engine_runs=engine_runs))


def newest(home: Home, where: str) -> Path:
    """The directory of the newest attempt that fits."""
    [(attempt,)] = look(home.database, f"SELECT max(id) FROM attempt WHERE {where}")
    return Path(path_of(str(home.attempts), attempt))


def change_status(home: Home) -> None:
    status = newest(home, "outcome = 'success'") / "status"
    status.write_bytes(status.read_bytes().replace(b'"code":0', b'"code":7'))


def tear_status(home: Home) -> None:
    (newest(home, "outcome = 'success'") / "status").write_bytes(b'{"v":1,"co')


def break_a_page(home: Home) -> None:
    overwrite(home.database, root_page(home.database, "run_ended"), os.urandom(PAGE))


def take_result(home: Home) -> None:
    next(home.attempts.glob("*/*/result.json")).unlink()


HARMS: dict[str, tuple[Callable[[Home], Any], str, str]] = {
    "page": (break_a_page, "file", "salvage"),
    "rows": (lambda home: tamper(home.database, "UPDATE task_instance SET attempt = 9 WHERE id = 1"), "rows", "backup"),
    "audit": (
        lambda home: tamper(
            home.database, "DROP TRIGGER command_is_kept", "UPDATE command SET user = 'nobody' WHERE number = 1"
        ),
        "audit", "by hand",
    ),
    "state": (
        lambda home: tamper(
            home.database,
            "UPDATE task_instance SET state = 'scheduled' WHERE state = 'none' AND task_id = 'load'"
            " AND run IN (SELECT id FROM run WHERE state = 'running')",
        ),
        "state", "restart",
    ),
    "status": (change_status, "evidence", "committed"),
    "torn": (tear_status, "evidence", "committed"),
    "gone": (lambda home: (newest(home, "outcome = 'success'") / "status").unlink(), "evidence", "committed"),
    "result": (take_result, "result", "clear"),
    "bundle": (lambda home: shutil.rmtree(home.versions / BUNDLE), "bundle", "save the DAG file"),
}  # fmt: skip


def test_a_sound_home_has_no_problem(home: Home) -> None:
    """Nothing is found where nothing is wrong."""
    assert found(home) == []


def test_a_failure_that_a_retry_rule_skipped_is_no_contradiction(home: Home) -> None:
    """Its status says how the process ended, its row what the task's rule made of that; any other skip needs a 0."""
    (newest(home, "outcome = 'success'") / "status").write_bytes(b"v1 1\n")
    attempt = newest(home, "outcome = 'success'").name
    tamper(home.database, f"UPDATE attempt SET outcome = 'skipped', reason = 'retry_rule' WHERE id = '{attempt}'")
    assert [each for each in found(home) if each.rule == "evidence"] == []
    tamper(home.database, f"UPDATE attempt SET reason = 'skip_requested' WHERE id = '{attempt}'")
    assert "its status says 1" in next(each.text for each in found(home) if each.rule == "evidence")


def test_a_torn_status_of_an_attempt_that_was_lost_is_no_contradiction(home: Home) -> None:
    """A disk that was full when the attempt ended leaves an empty status: the store says lost, and that fits."""
    attempt = newest(home, "outcome = 'failed'")
    (attempt / "status").write_bytes(b"")
    tamper(home.database, f"UPDATE attempt SET reason = 'lost' WHERE id = '{attempt.name}'")
    assert [each for each in found(home) if each.rule == "evidence"] == []


@pytest.mark.parametrize("harm", HARMS)
def test_each_contradiction_is_named_with_its_remedy(home: Home, harm: str) -> None:
    """What is wrong is said in words that name it, under the rule it breaks, with what would repair it."""
    do, rule, remedy = HARMS[harm]
    do(home)
    problems = found(home)
    assert problems
    assert {(each.verdict, each.rule) for each in problems} == {("wrong", rule)}, problems
    assert all(each.text and remedy in each.remedy for each in problems)


def test_what_ended_meanwhile_is_no_contradiction(home: Home) -> None:
    """Without an engine, an attempt that has ended or died since is a note: the next engine books it."""
    path = newest(home, "state <> 'ended'")
    assert [(each.verdict, "lost" in each.text) for each in found(home, engine_runs=False)] == [("note", True)]
    (path / "status").write_bytes(b"v1 0\n")
    [note] = found(home, engine_runs=False)
    assert (note.verdict, "has ended" in note.text, "books it" in note.remedy) == ("note", True, True)
    assert found(home, engine_runs=True) == []


def test_the_verb_shows_remedies_and_says_it_by_its_exit_code(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """`dagdeck verify` exits with 1 when something is wrong, and with 0 for notes alone."""
    cli = Cli(capsys)
    assert cli("--home", home.root, "verify").code == 0
    change_status(home)
    said = cli("--home", home.root, "verify")
    assert said.code == 1 and "its status says 7" in said.out and "committed" in said.out
    assert [each["rule"] for each in cli("--home", home.root, "verify", "--json").json["problems"]] == [
        "evidence", "evidence",
    ]  # fmt: skip


MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 0:20 / /srv rw - nfs4 filer:/srv rw
24 23 8:2 / /srv/lo\\040cal rw shared:1 - xfs /dev/sdb rw
25 22 0:30 / /mnt/ssh rw - fuse.sshfs host: rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/etc", "ext4", False),
        ("/srv/etl", "nfs4", True),
        ("/srv/lo cal/etl", "xfs", False),
        ("/mnt/ssh", "fuse.sshfs", True),
    ],
)
def test_the_file_system_of_a_path_is_the_nearest_mount(tmp_path: Path, path: str, kind: str, network: bool) -> None:
    """Mounts within mounts, and blanks in their names, are read as the kernel writes them."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert kind_of(Path(path), mounts) == kind
    assert is_network(kind) is network


def test_an_engine_refuses_a_network_file_system(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks do not hold nothing is started."""
    _vet(home)
    monkeypatch.setattr("engine.app.kind_of", lambda _path: "nfs4")
    with pytest.raises(HomeError, match="nfs4, a network file system"):
        _vet(home)


class Doctor:
    """What doctor says of a home, by what it looked at."""

    def __init__(self, cli: Cli, home: Home) -> None:
        answer = cli("--home", home.root, "doctor", "--json")
        self.code = answer.code
        self.findings: list[dict[str, Any]] = answer.json

    def of(self, what: str) -> list[tuple[str, str, str]]:
        """Verdict, text and remedy of the findings about one thing."""
        return [(f["verdict"], f["text"], f["remedy"] or "") for f in self.findings if f["what"] == what]


@pytest.fixture
def doctor(home: Home, capsys: pytest.CaptureFixture[str]) -> Callable[[], Doctor]:
    """Asks it."""
    return lambda: Doctor(Cli(capsys), home)


def test_every_finding_that_is_not_well_has_a_remedy(home: Home, doctor: Callable[[], Doctor]) -> None:
    """Whatever is wrong, or worth a note, comes with what to do; the exit code tells wrong from well."""
    home.root.chmod(0o750)
    os.truncate(home.database, 20_000)
    seen = doctor()
    assert seen.code == 1
    assert [f for f in seen.findings if f["verdict"] == "wrong" and not f["remedy"] and f["what"] != "store"] == []
    [(verdict, text, _)] = seen.of("store")
    assert verdict == "wrong" and "dagdeck salvage" in text
    assert seen.of("private")[0][2] == f"chmod -R go= {home.root}"


def test_a_page_that_was_overwritten_is_found_before_an_engine_refuses_it(
    home: Home, doctor: Callable[[], Doctor]
) -> None:
    """With no engine on the home every page of the store is read, as an engine does when it starts."""
    [(verdict, text, _)] = doctor().of("store")
    assert verdict == "ok" and "every page is sound" in text
    overwrite(home.database, root_page(home.database, "event_by_command"), bytes(PAGE))
    seen = doctor()
    [(verdict, text, _)] = seen.of("store")
    assert seen.code == 1
    assert verdict == "wrong" and "the store is damaged" in text
    with pytest.raises(StoreDamaged):
        open_store(home.database, "a boot")


@pytest.fixture
def left_over(home: Home) -> Iterator[int]:
    """A process of an attempt that is over."""
    [(attempt,)] = look(home.database, "SELECT max(id) FROM attempt WHERE state = 'ended'")
    environment = {"DAGDECK_ATTEMPT_ID": attempt, "DAGDECK_HOME": str(home.root), "PATH": "/usr/bin:/bin"}
    child = subprocess.Popen(["sleep", "60"], env=environment)
    deadline = time.monotonic() + 40
    while b"sleep" not in Path(f"/proc/{child.pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline
    yield child.pid
    child.kill()
    child.wait()


def test_what_attempts_left_behind_is_named(home: Home, doctor: Callable[[], Doctor], left_over: int) -> None:
    """Processes of attempts that are over, directories without a row, stores moved aside, half backups."""
    (home.attempts / "20261101" / "01KKKKKKKKKKKKKKKKKKKKKKKK").mkdir(parents=True)
    home.database.with_name("state.db.damaged-x").touch()
    (home.backups / "x.partial").mkdir(parents=True)
    seen = doctor()
    [(_, text, remedy)] = seen.of("left over")
    assert str(left_over) in text and remedy.startswith(f"kill {left_over}")
    texts = " ".join(text for _, text, _ in seen.of("directories"))
    assert "01KKKKKKKKKKKKKKKKKKKKKKKK" in texts and "damaged-x" in texts and "x.partial" in texts


def test_a_process_that_a_restored_store_does_not_know_is_named(
    home: Home, doctor: Callable[[], Doctor], left_over: int
) -> None:
    """What began after the backup runs on, and nobody waits for it: doctor names it, and how it ends."""
    [(attempt,)] = look(home.database, "SELECT max(id) FROM attempt WHERE state = 'ended'")
    tamper(home.database, f"UPDATE attempt SET id = '{'0' * 26}' WHERE id = '{attempt}'")
    [(_, text, remedy)] = doctor().of("left over")
    assert f"process {left_over} (" in text and "does not know" in text
    assert remedy.startswith(f"kill {left_over}, unless")


def test_a_clock_that_was_set_back_is_found(home: Home, doctor: Callable[[], Doctor]) -> None:
    """A store whose last event is still to come tells of it."""
    tamper(home.database, f"UPDATE event SET at = {int((time.time() + 3600) * 1e6)} WHERE seq > 3")
    [(verdict, text, remedy)] = doctor().of("clock")
    assert verdict == "wrong" and "in the future" in text and remedy


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that systemd runs, with no unit and no account that lingers; `shown` is what systemctl shows."""
    monkeypatch.setattr(systemd, "SYSTEMD", tmp_path)
    monkeypatch.setattr(systemd, "LINGER", tmp_path)
    monkeypatch.setattr(systemd, "SYSTEM_UNITS", tmp_path)
    tool = tmp_path / "systemctl"
    tool.write_text(f'#!/bin/sh\ncase "$*" in *is-enabled*) exit 0;; *) cat {tmp_path}/shown;; esac\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_limits_and_lingering_are_told(
    doctor: Callable[[], Doctor], machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few open files, an account that does not linger, no service: each with the command that changes it."""
    monkeypatch.setattr(doctor_host, "_FILES_NEEDED", 10**9)
    seen = doctor()
    assert seen.of("open files")[0][0] == "wrong"
    assert "enable-linger" in seen.of("lingering")[0][2]
    assert "service install" in seen.of("service")[0][2]


def test_open_files_are_those_of_the_engine_that_runs(
    doctor: Callable[[], Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a terminal may open says nothing about a service."""
    with subprocess.Popen(["sleep", "60"]) as engine:
        resource.prlimit(engine.pid, resource.RLIMIT_NOFILE, (500, 500))
        monkeypatch.setattr(doctor_host, "engine_pid", lambda _home: engine.pid)
        [(verdict, text, remedy)] = doctor().of("open files")
        engine.kill()
    assert verdict == "wrong" and text == "500 allowed to the engine" and "LimitNOFILE" in remedy


@pytest.mark.parametrize(
    ("shown", "pid", "verdict", "word"),
    [
        ("ActiveState=failed\nResult=exit-code\nStatusText=slots is no number\n", None, "wrong", "slots is no number"),
        ("ActiveState=failed\nResult=start-limit-hit\n", None, "wrong", "start-limit-hit"),
        ("ActiveState=inactive\nMainPID=0\n", 1, "note", "by hand"),
        ("ActiveState=active\nMainPID=1\n", 1, "ok", "starts with the machine"),
    ],
)
def test_a_service_that_does_not_do_its_work_is_found(
    home: Home, doctor: Callable[[], Doctor], machine: Path, monkeypatch: pytest.MonkeyPatch,
    shown: str, pid: int | None, verdict: str, word: str,
) -> None:  # fmt: skip
    """One that failed, with the engine's reason; one beside which an engine was started by hand."""
    (machine / "shown").write_text(shown)
    (machine / unit_name(home.root)).write_text("a unit of the machine")
    monkeypatch.setattr(doctor_host, "engine_pid", lambda _home: pid)
    [(found, text, remedy)] = doctor().of("service")
    assert found == verdict and word in text
    assert ("systemctl start" in remedy) == (verdict != "ok")


def test_root_who_looks_at_somebody_elses_home_is_told_once(
    home: Home, doctor: Callable[[], Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home of one owner is well owned, whoever looks; a file of somebody else in it is not."""
    me = pwd.getpwuid(os.getuid())
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(Path, "lstat", lambda path: _owned_by(os.lstat(path), 4 if path == home.database else 3))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: me)
    findings = doctor().of("owner")
    assert [verdict for verdict, _, _ in findings] == ["note", "wrong"]
    assert "sudo -u" in findings[0][2] and str(home.database) in findings[1][1]


def _owned_by(found: os.stat_result, uid: int) -> os.stat_result:
    return os.stat_result([*found[:4], uid, *found[5:10]])


def test_a_link_is_as_private_as_what_it_leads_to(cli: Cli, home: Home, tmp_path: Path) -> None:
    """The doctor does not take attempts that were moved to a larger disk, with a link in their place, for open ones."""
    moved = home.attempts.rename(tmp_path / "attempts")
    home.attempts.symlink_to(moved)
    moved.chmod(0o700)

    def private() -> str:
        found = cli("--home", home.root, "doctor", "--json").json
        return next(str(one["text"]) for one in found if one["what"] == "private")

    assert str(home.attempts) not in private()
    moved.chmod(0o755)
    assert f"{home.attempts} (755)" in private()
