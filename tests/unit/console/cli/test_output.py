"""What a command prints: aligned, coloured only on a terminal, and never a raw control character."""

from __future__ import annotations

import json
import sys

import click
import pytest

from console.cli import output
from console.cli.output import Column, complain, emit_json, facts, narrowed, paint, say, table


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


def test_what_nobody_has_cleaned_is_made_visible_at_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was forgotten elsewhere goes out harmless, bytes that are no text included; colours go on a
    terminal only."""
    say(f"{paint('failed', 'red')} a\x1b]0;x\x07\u202e\udcff\nb")
    assert capsys.readouterr().out == "failed a^[]0;x^G\\u202e\\udcff\nb\n"
    monkeypatch.setattr(output, "colourful", lambda: True)
    say(f"{paint('failed', 'red')} a\x1b[2J")
    assert capsys.readouterr().out == "\x1b[31mfailed\x1b[0m a^[[2J\n"


def test_there_is_no_colour_in_a_pipe() -> None:
    """Where standard output is no terminal, text is as it is."""
    assert paint("failed", "red", bold=True) == "failed"


def test_facts_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Names whose value is None are not printed."""
    facts([("owner", None), ("file", "a.py")])
    assert capsys.readouterr().out == "file  a.py\n"


@pytest.mark.parametrize(
    ("widths", "room", "fitting"),
    [
        ([20, 10, 200], 300, [20, 10, 200]),
        ([20, 10, 200], 100, [20, 10, 66]),
        ([200, 10, 100], 150, [68, 10, 68]),
        ([200, 10], 40, [48, 10]),
        ([], 80, []),
    ],
)
def test_the_widest_columns_give_way(widths: list[int], room: int, fitting: list[int]) -> None:
    """The others stay as they are, and no column is cut below what an ordinary id takes."""
    assert narrowed(widths, room) == fitting


def test_one_long_name_does_not_widen_all_rows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal its middle is cut out; in a pipe it stays whole."""
    columns = [Column("dag"), Column("state"), Column("note")]
    rows = [("d" * 199 + "e", "active", ""), ("etl", "active", "n" * 100)]
    table(columns, rows)
    assert rows[0][0] in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table(columns, rows)
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert lines[1].startswith("dddd") and "…" in lines[1] and lines[1].endswith("de  active")
    assert [line.index("a" if at else "s") for at, line in enumerate(lines)] == [50, 50, 50]
    assert lines[2].endswith("n" * 100)
