"""The frame of the command line: exit codes, errors as sentences, lazy verbs, one spelling of the shared options."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from console.actions.registry import ACTIONS
from console.cli.homes import home_of_command
from console.cli.main import VERBS, root
from engine.control.verbs import VERBS as ENGINE_VERBS
from tests.support.cli import Cli
from tests.support.source import PROJECT


def commands(group: click.Group, context: click.Context) -> list[tuple[str, click.Command]]:
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name} {inner}", each) for inner, each in commands(command, context)]
        else:
            found.append((name, command))
    return found


def test_an_unknown_verb_is_a_usage_error(cli: Cli) -> None:
    """A verb that does not exist ends with exit code 2 and a sentence."""
    answer = cli("lsit")
    assert answer.code == 2
    assert "lsit" in answer.err
    assert answer.out == ""


def test_without_a_home_the_command_names_init_and_demo(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no home stands, a verb that needs one ends with exit code 3 and says how to make one."""
    monkeypatch.chdir(tmp_path)
    answer = cli("runs", "list")
    assert answer.code == 3
    assert "dagdeck init" in answer.err
    assert "dagdeck demo" in answer.err


def test_a_folder_that_is_no_home_is_named(cli: Cli, tmp_path: Path) -> None:
    """--home with a folder that is no home says so, with exit code 3."""
    answer = cli("--home", tmp_path, "runs", "list")
    assert answer.code == 3
    assert str(tmp_path) in answer.err


def test_hostile_text_in_an_argument_reaches_the_terminal_only_made_visible(cli: Cli) -> None:
    """Control characters in what the user typed are shown, not sent."""
    answer = cli("schedule", "* * * * *", "--from", "a\x1b[2J\x9b")
    assert answer.code == 2
    assert not {"\x1b", "\x9b"} & set(answer.err)
    assert "[2J" in answer.err


def test_a_fault_of_the_program_tells_foreign_text_only_made_visible() -> None:
    """The traceback of what nobody foresaw goes to the terminal, too: its message holds no control characters there."""
    program = (
        "import console.cli.main as m\n"
        "def fault(*a, **k): raise ValueError('x\\x1b]0;pwned\\x07\\u202e\\udc80\\nnext')\n"
        "m.root.main = fault\n"
        "m.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: x^[]0;pwned^G\\u202e\\udc80\nnext\n" in done.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    """A closed pipe, as after `| head`, is no error worth a word: the exit code is that of SIGPIPE."""
    heard, told = os.pipe()
    os.close(heard)
    command = [sys.executable, "-u", "-m", "dagdeck", "schedule", "* * * * *"]
    done = subprocess.run(command, cwd=PROJECT, stdout=told, stderr=subprocess.PIPE, text=True, check=False)
    os.close(told)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("name", VERBS)
def test_the_list_of_verbs_says_what_the_verbs_say(name: str) -> None:
    """A verb's line in the list is loaded from nowhere but the table, and its code has a help text of its own."""
    verb = VERBS[name]
    command = getattr(import_module(verb.module), verb.attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help
    assert verb.summary.endswith(".")


def test_every_verb_explains_itself_and_its_options() -> None:
    """Each verb and each option has a help text."""
    context = click.Context(root)
    for name, command in commands(root, context):
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "kind":
                assert option.help, f"{name} {option.opts}"


@pytest.mark.parametrize(
    "name", ["trigger", "rerun", "clear", "mark", "retry", "kill", "cancel", "dags pause", "dags resume", "engine stop"]
)
def test_changing_verbs_can_be_tried_and_told_not_to_ask(name: str) -> None:
    """Every changing verb has --dry-run, --yes, --note and --json."""
    command = dict(commands(root, click.Context(root)))[name]
    options = {spelling for option in command.params for spelling in option.opts}
    assert {"--dry-run", "--yes", "--note", "--json", "--home"} <= options


@pytest.mark.parametrize(
    "name",
    [
        "dags list",
        "dags show",
        "dags graph",
        "dags validate",
        "runs list",
        "runs show",
        "runs wait",
        "tasks",
        "why",
        "stats",
        "audit",
        "pools list",
        "approvals",
        "breakers list",
        "connections list",
        "connections check",
        "engine status",
        "doctor",
        "verify",
        "schedule",
    ],
)
def test_reading_verbs_speak_json(name: str) -> None:
    """Every reading verb has --json."""
    command = dict(commands(root, click.Context(root)))[name]
    assert "--json" in {spelling for option in command.params for spelling in option.opts}


def test_an_engine_is_known_by_its_command_line() -> None:
    """The home of a running engine is read from its arguments; other programs have none."""
    assert home_of_command(["python", "-m", "engine", "--home", "/srv/etl", "--detach", ""]) == Path("/srv/etl")
    assert home_of_command(["python", "-m", "engineering", "--home", "/srv/etl"]) is None
    assert home_of_command(["vi", "engine"]) is None


def test_everything_the_engine_can_be_asked_for_has_a_verb_of_that_name() -> None:
    """Each verb of the control socket, and each changing action of the console, is a verb of the command line."""
    found = [name.split() for name, _ in commands(root, click.Context(root))]
    names = {words[-1] for words in found} | {"_".join(words) for words in found}
    assert set(ENGINE_VERBS) <= names
    assert {action.verb for action in ACTIONS if action.verb is not None} <= names


@pytest.mark.parametrize("group", ["breakers", "inbox", "pools"])
def test_a_group_alone_lists(cli: Cli, tmp_path: Path, group: str) -> None:
    """Without a verb, with options or not, it is its list; a verb that there is none of is said so; help is help."""
    (tmp_path / "dagdeck.toml").touch()
    home = ("--home", tmp_path)
    assert cli(group, *home).err == cli(group, "list", *home).err != ""
    assert cli(group, "--json", *home).err == cli(group, *home, "list", "--json").err != ""
    assert "No such command 'nothing'" in cli(group, "nothing", *home).err
    assert f"dagdeck {group} [OPTIONS] COMMAND" in cli(group, "--help").out
