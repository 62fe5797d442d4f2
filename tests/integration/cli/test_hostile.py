"""What a store, a home's name and path, and logs hold of foreign text: no verb that lists sends it raw anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import click
import pytest

from console.cli.main import root
from tests.support.attacks import EVIL, foreign
from tests.support.cli import Cli
from tests.support.poison import poison
from tests.support.pty import PtyProgram
from tests.support.source import PROJECT
from tests.support.tour import EVIL as HOSTILE
from tests.support.tour import furnish

RUN, DAG = "trades_us@latest", "trades_us"
TOLD: dict[str, tuple[str, ...]] = {
    "dags list": (), "dags show": (DAG,), "dags versions": (DAG,), "dags graph": (DAG,), "dags source": (DAG,),
    "dags diff": (DAG,), "dags gaps": (), "runs list": (), "runs show": (RUN,), "runs report": (RUN,),
    "runs trash": (), "tasks": (RUN,), "logs": (RUN, "load"), "why": (RUN, "report"), "inbox list": (), "stats": (),
    "audit": (), "connections list": (), "breakers list": (), "approvals": (), "pools list": (), "holds": (),
    "backfill list": (), "backfill show": ("1",), "engine status": (), "doctor": (), "verify": (),
    "service status": (), "dags validate": (),
}  # fmt: skip
"""Every verb that tells what others wrote, with what it is asked."""
ELSEWHERE = {
    "dags delete", "dags pause", "dags resume", "runs delete", "runs restore", "runs wait", "inbox claim",
    "inbox release", "inbox resolve", "connections check", "breakers hold", "breakers reset", "breakers trip",
    "pools remove", "pools resize", "open", "trigger", "rerun", "clear", "mark", "retry", "answer", "kill", "stack",
    "cancel", "prioritize", "recover", "pause", "resume", "undo", "hold", "release", "backfill cancel",
    "backfill create", "backfill pause", "backfill resume", "backfill retry", "engine acknowledge", "engine drain",
    "engine run", "engine start", "engine stop", "service install", "service uninstall", "init", "demo", "test",
    "schedule", "backup", "restore", "salvage", "prune", "reset-terminal",
}  # fmt: skip
"""Verbs that change something or need an engine."""
NO_JSON = {"runs report", "logs"}
AS_IT_IS = {"dags source"}
"""What gives a file to a pipe as it is."""

SILENT = {"stats", "runs list", "dags gaps", "dags graph", "connections list", "service status"}
"""What shows ids, codes and figures alone."""


def verbs(group: click.Group, before: str = "") -> set[str]:
    """All verbs there are."""
    found: set[str] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found |= verbs(command, f"{before}{name} ") if isinstance(command, click.Group) else {f"{before}{name}"}
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose store, settings, folder, DAG files and logs are full of attacks."""
    path = tmp_path_factory.mktemp("hostile") / os.fsdecode(b"h\x1b]0;x\x07[bold]\xe2\x80\xae\xff")
    filled = asyncio.run(furnish(path, HOSTILE))
    assert poison(filled.home.database) > {"run.note", "pool.name", "command.message"}
    name = json.dumps(EVIL.replace("\x7f", ""), ensure_ascii=False)
    filled.home.config.write_text(f'name = {name}\n[connections.db]\nuri = "x://\\u001b]0;x\\u0007"\n', "utf-8")
    dags = filled.home.dags
    dags.mkdir(mode=0o700)
    (dags / os.fsdecode(b"a\x1b[2J[bold]\n\xff.py")).write_text("raise ValueError('\\x1b]0;x\\x07[bold]\\u202e')\n")
    return path


def asked(home: Path) -> list[list[str]]:
    """All command lines."""
    return [[*verb.split(), *args, "--home", str(home)] for verb, args in TOLD.items()]


def test_every_verb_is_known_here() -> None:
    """A new verb is either told below or belongs to those that list nothing."""
    assert verbs(root) == TOLD.keys() | ELSEWHERE
    assert not TOLD.keys() & ELSEWHERE


def test_no_listing_puts_sequences_into_a_pipe(home: Path, cli: Cli) -> None:
    """Text goes out as text, and JSON stays JSON of ASCII letters, whatever is in the store."""
    silent = []
    for verb, args in TOLD.items():
        answer = cli(*verb.split(), *args, "--home", home)
        assert answer.code in (0, 1, 3), (verb, answer)
        if verb not in AS_IT_IS:
            assert foreign(answer.out.encode()) == foreign(answer.err.encode()) == b"", verb
            assert "\x1b" not in answer.out + answer.err, verb
        if "bold" not in answer.out + answer.err:
            silent.append(verb)
        if verb not in NO_JSON:
            told = cli(*verb.split(), *args, "--json", "--home", home)
            assert told.out.isascii() and told.json is not None, verb
    assert set(silent) == SILENT


@pytest.mark.pty
def test_no_listing_sends_sequences_to_a_terminal(home: Path) -> None:
    """On a terminal the same goes out with the sixteen colours of words that are the console's own, and no more."""
    program = "import json, sys; from console.cli.main import run\nfor line in json.loads(sys.argv[1]): run(line)\n"
    with PtyProgram([sys.executable, "-c", program, json.dumps(asked(home))], size=(100, 30), cwd=PROJECT) as terminal:
        terminal.wait()
        sent = bytes(terminal.raw)
        assert foreign(sent) == b"" and sent.count(b"[bold]") > 40
        assert b"console/cli" not in sent, "a traceback of the command line itself"
        assert b"\x1b[38;" not in sent and b"\x1b[2J" not in sent and b"H\x1b[" not in sent
