"""Reading a home whose engine was killed while a run was under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from console.cli.main import root
from console.cli.session import Session
from engine.home import Home
from engine.model.dag import ApprovalSpec, DagSpec, ParamSpec, TaskSpec
from tests.support.cli import Cli
from tests.support.console_store import NOW, FilledHome, task
from tests.support.store import tamper


async def _fill(root: Path) -> Home:
    filled = FilledHome(root)
    await filled.open()
    names = ("fetch", "shape.rows", "shape.late.sums")
    tasks = [replace(task(name), group=name.rpartition(".")[0] or None) for name in names]
    form = {"rows": ParamSpec(7), "env": ParamSpec("prod", schema={"enum": ["dev", "prod"]})}
    await filled.put_dag(DagSpec("sales", "sales.py", tasks, params=form))
    sign = TaskSpec("sign", "approval", approval=ApprovalSpec(options=["yes", "no"], params={"why": ParamSpec("")}))
    await filled.put_dag(DagSpec("close", "close.py", [task("sums"), sign]))
    waits = await filled.start("close", NOW - 7_200_000_000)
    await filled.claim(waits, "sums")
    await filled.end(waits, "sums")
    over = await filled.start("sales", NOW - 7_200_000_000)
    await filled.play(over)
    memory = await filled.start("sales", NOW - 3_600_000_000)
    await filled.claim(memory, "fetch")
    await filled.claim(memory, "shape.rows")
    await filled.end(memory, "shape.rows", code=1, error="no such column")
    await filled.close()
    return filled.home


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home: one run is over, of the other one task runs and one has failed. No engine has ended in order."""
    home = asyncio.run(_fill(tmp_path_factory.mktemp("left") / "home"))
    home.root.chmod(0o700)
    tamper(
        home.database,
        "UPDATE attempt SET outcome = 'timeout', failure_class = 'timeout', error = 'timed out after 3 s',"
        " duration = NULL, ended_at = started_at + 3100000 WHERE outcome = 'failed'",
        "INSERT INTO backfill VALUES (1, 'sales', 'running', 0, 1, 'oldest', 1, 'none', 0, 'ada', 1, '{}', '[]', 0,"
        " NULL, NULL, NULL, 0, NULL, NULL, NULL)",
        "INSERT INTO pool VALUES ('default', 8, NULL, 8, 0, 0)",
        "INSERT INTO breaker VALUES ('db', 'closed', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '[]')",
    )
    return home


@pytest.mark.parametrize(
    "verb",
    [
        ("runs", "list"),
        ("runs", "show", "sales@latest"),
        ("tasks", "sales@latest"),
        ("why", "sales"),
        ("why", "sales@latest"),
        ("why", "sales@latest", "fetch"),
        ("dags", "list"),
        ("backfill", "list"),
        ("backfill", "show", "1"),
    ],
)
def test_what_is_under_way_comes_with_a_word_that_no_engine_runs(cli: Cli, left: Home, verb: tuple[str, ...]) -> None:
    """It stands on standard error, once, says when the engine was last seen, and leaves the JSON clean."""
    answer = cli("--home", left.root, *verb, "--json")
    assert answer.code == 0 and answer.json
    assert answer.err.startswith("no engine runs: last seen ") and answer.err.count("\n") == 1
    assert "02:14:07 UTC (dagdeck engine start)" in cli("--home", left.root, *verb).err


def test_what_is_over_needs_no_engine(cli: Cli, left: Home) -> None:
    """Where nothing that is shown is under way, nothing is said."""
    for verb in (("runs", "list", "--state", "success"), ("runs", "show", "sales@-1"), ("tasks", "sales@-1")):
        assert cli("--home", left.root, *verb).err == ""


def test_a_task_group_is_explained_task_by_task(cli: Cli, left: Home) -> None:
    """Groups within it included; what is neither a task nor a group is still unknown."""
    lines = cli("--home", left.root, "why", "sales@latest", "shape").out.splitlines()
    assert lines[0].endswith(" shape: 2 tasks: 1 failed, 1 scheduled")
    assert "  shape.rows: failed" in lines and "    no such column" in lines
    assert "  shape.late.sums: scheduled" in lines
    found = cli("--home", left.root, "why", "sales@latest", "shape.late", "--json").json
    assert found["group"] == "shape.late" and [each["task_id"] for each in found["tasks"]] == ["shape.late.sums"]
    assert cli("--home", left.root, "why", "sales@latest", "shap").code == 4


def test_a_negative_number_of_slots_is_explained(cli: Cli, left: Home) -> None:
    """It is taken for a number and not for an option; -1 stands for no limit, as it always does."""
    answer = cli("pools", "resize", "default", "-3", "--yes", "--home", left.root)
    assert answer.code == 2 and "-3 is not a number of slots: 0 or more, or 'unlimited'" in answer.err
    assert cli("pools", "resize", "default", "-1", "--yes", "--home", left.root).code == 3, "only the engine is missing"


def test_a_timeout_is_said_once(cli: Cli, left: Home) -> None:
    """With how long the attempt took, as of every other outcome."""
    assert "  try 1: timeout after 3.1s\n" in cli("--home", left.root, "why", "sales@latest", "shape.rows").out


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        (["dags", "show", "sa"], ["sales"]),
        (["runs", "show", "sa"], ["sales@latest"]),
        (["logs", "sales@latest", "shape."], ["shape.rows", "shape.late.sums"]),
        (["mark", "sales@latest", "fetch", "s"], ["shape.rows", "shape.late.sums", "success", "skipped"]),
        (["retry", "nosuch@latest", ""], []),
        (["why", "sa"], ["sales", "sales@latest"]),
        (["why", "sales@latest", "shape."], ["shape.rows", "shape.late.sums"]),
        (["runs", "restore", "sa"], []),
        (["trig"], ["trigger"]),
        (["trigger", "sales", "--param", ""], ["rows=", "env="]),
        (["trigger", "--like", "sales@latest", "--param", "env=d"], ["env=dev"]),
        (["backfill", "create", "sales", "--param", "rows="], ["rows=7"]),
        (["answer", "close@latest", ""], ["sign"]),
        (["answer", "close@latest", "sign", "n"], ["no"]),
        (["answer", "close@latest", "sign", "yes", "--param", ""], ["why="]),
        (["pools", "resize", "def"], ["default"]),
        (["pools", "resize", "default", "u"], ["unlimited"]),
        (["hold", "--pool", ""], ["default"]),
        (["breakers", "trip", ""], ["db"]),
    ],
)
def test_a_shell_completes_names(left: Home, line: list[str], completions: list[str]) -> None:
    """Verbs, DAGs, runs of a DAG, tasks of a run; what cannot be read completes to nothing."""
    complete = ShellComplete(root, {"obj": Session(str(left.root))}, "dagdeck", "_DAGDECK_COMPLETE")
    found = [each.value for each in complete.get_completions(line[:-1], line[-1])]
    assert found[: len(completions)] == completions
    assert bool(found) == bool(completions)


def test_a_shell_completes_the_keys_of_causes(cli: Cli, left: Home) -> None:
    """Those that the inbox lists."""
    complete = ShellComplete(root, {"obj": Session(str(left.root))}, "dagdeck", "_DAGDECK_COMPLETE")
    keys = [each["key"] for each in cli("--home", left.root, "inbox", "--json").json]
    assert keys and [each.value for each in complete.get_completions(["inbox", "claim"], "")] == keys


def test_a_shell_completes_nothing_without_a_home(tmp_path: Path) -> None:
    """And does not complain."""
    complete = ShellComplete(root, {"obj": Session(str(tmp_path))}, "dagdeck", "_DAGDECK_COMPLETE")
    assert complete.get_completions(["dags", "show"], "") == []


def test_a_home_without_a_store_says_what_makes_one(cli: Cli, tmp_path: Path) -> None:
    """Whoever triggers or looks before the first start of an engine is given the command that starts it."""
    assert cli("init", tmp_path / "new").code == 0
    for verb in (("trigger", "hello", "--yes"), ("runs", "list")):
        answer = cli("--home", tmp_path / "new", *verb)
        assert answer.code == 4 and f"dagdeck --home {tmp_path / 'new'} engine start" in answer.err
