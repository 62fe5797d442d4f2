"""The table of actions: every verb of the engine is in it, and its command lines exist."""

from __future__ import annotations

import click

from console.cli.main import root
from docs.actions import LINES, actions
from engine.control.verbs import VERBS


def test_every_verb_of_the_engine_stands_in_the_table() -> None:
    """One row each, with what it does."""
    assert set(LINES) == set(VERBS)
    rows = actions().splitlines()[2:]
    assert len(rows) == len(VERBS)
    assert all(row.rstrip(" |")[-1] in ".)" or "Argument" not in row for row in rows)


def test_every_command_line_of_the_table_exists() -> None:
    """Each names a verb of `dagdeck`."""
    for lines in LINES.values():
        for line in lines:
            command: click.Command | None = root
            for word in line.split():
                assert isinstance(command, click.Group), line
                command = command.get_command(click.Context(command), word)
            assert command is not None, line


def test_the_verbs_that_are_most_needed_have_keys() -> None:
    """Keys of the console, in the row of their verb."""
    rows = {row.split("|")[3].strip(): row.split("|")[1] for row in actions().splitlines()[2:]}
    for line, key in (("undo", "`u`"), ("clear", "`c`"), ("mark", "`m`"), ("hold", "`H`"), ("inbox resolve", "`O`")):
        assert key in rows[f"`dagdeck {line}`"], line
