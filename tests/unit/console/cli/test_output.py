"""What a command prints: aligned, coloured only on a terminal, and never a raw control character."""

from __future__ import annotations

import json

import pytest

from console.cli.output import Column, complain, emit_json, facts, paint, table


def test_columns_align_by_cells_not_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Wide characters take two cells, and figures stand to the right."""
    table([Column("name"), Column("n", right=True), Column("end")], [("日本", 7, "a"), ("x", 1000, "b")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["name     n  end", "日本     7  a", "x     1000  b"]


def test_names_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in a cell are made visible, also in errors and in JSON."""
    hostile = "a\x1b]52;c;eA==\x07\x9b2J\u202eb"
    table([Column("name")], [(hostile,)])
    facts([("name", hostile)])
    emit_json({"name": hostile})
    complain(f"no task {hostile}")
    out, err = capsys.readouterr()
    for text in (out, err):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert json.loads(out[out.index("{") :]) == {"name": hostile}


def test_there_is_no_colour_in_a_pipe() -> None:
    """Where standard output is no terminal, text is as it is."""
    assert paint("failed", "red", bold=True) == "failed"


def test_facts_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Names whose value is None are not printed."""
    facts([("owner", None), ("file", "a.py")])
    assert capsys.readouterr().out == "file  a.py\n"
