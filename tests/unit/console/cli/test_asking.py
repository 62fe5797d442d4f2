"""The question before a change: who is asked what, and what counts as yes."""

from __future__ import annotations

import io

import pytest

from console.cli.changing import MANY, confirm
from console.cli.errors import CliError, Exit, Refused
from console.cli.trigger import parse_param


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def ask(monkeypatch: pytest.MonkeyPatch, answer: str, total: int, *, production: bool) -> str:
    """Asks with this answer typed, and returns the question."""
    shown = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", shown)
    confirm(total, production=production)
    return shown.getvalue()


@pytest.mark.parametrize("answer", ["y\n", "yes\n", "Y\n"])
def test_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """A few rows are confirmed by y."""
    assert "[y/N]" in ask(monkeypatch, answer, 3, production=False)


@pytest.mark.parametrize("answer", ["\n", "n\n", "", "yess\n", "3\n"])
def test_anything_else_is_no(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Enter alone, an end of input and a wrong word change nothing."""
    with pytest.raises(Refused):
        ask(monkeypatch, answer, 3, production=False)


@pytest.mark.parametrize(("total", "production"), [(MANY + 1, False), (2, True)])
def test_many_rows_and_production_want_the_number(
    monkeypatch: pytest.MonkeyPatch, total: int, production: bool
) -> None:
    """Above 100 rows, and for more than one in a production home, y is not enough: the number is typed."""
    assert str(total) in ask(monkeypatch, f"{total}\n", total, production=production)
    with pytest.raises(Refused):
        ask(monkeypatch, "y\n", total, production=production)


def test_where_nobody_can_be_asked_it_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal there is no question; the error names --yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(CliError, match="--yes") as caught:
        confirm(1, production=False)
    assert caught.value.code is Exit.USAGE


def test_a_param_is_taken_as_it_is_typed() -> None:
    """The value is everything after the first sign; what it means is the DAG's affair."""
    assert parse_param("query=a=b") == ("query", "a=b")
    assert parse_param("empty=") == ("empty", "")
    with pytest.raises(CliError, match="K=V"):
        parse_param("nothing")
