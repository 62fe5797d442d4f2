"""`dagdeck backfill` and `dagdeck dags gaps` against a real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.config import Home
from tests.support.cli import Answer, dagdeck
from tests.support.homes import a_home, until

pytestmark = pytest.mark.processes

DAGS = {
    "daily.py": """
        from dagdeck import dag, shell

        @dag(schedule="@daily", start_date="2024-01-01", end_date="2024-01-10", max_active_runs=4)
        def daily():
            shell("load", "test $DAGDECK_DS != 2024-01-04 || test -e $DAGDECK_HOME/mended") >> shell("check", "true")
    """,
}


@pytest.fixture
def home() -> Iterator[Home]:
    """A home with a DAG whose data is in the past."""
    with a_home(DAGS, 'name = "past"\n') as made:
        assert dagdeck("--home", made.root, "engine", "start").code == 0
        yield made


def test_a_range_is_planned_run_and_mended(home: Home) -> None:
    """Gaps name the range, a dry run lists each date, failures show, and what failed runs again at one command."""

    def ask(*words: object) -> Answer:
        return dagdeck("--home", home.root, *words)

    until(lambda: "daily" in ask("dags", "list").out, "the DAG is known")
    (gap,) = ask("dags", "gaps", "--json").json
    assert (gap["first"], gap["runs"], gap["why"]) == ("2024-01-01T00:00:00Z", 10, "catchup")
    plan = ask("backfill", "create", "daily", "--gaps", "--order", "newest", "--dry-run", "--json").json
    assert [row["run_id"] for row in plan["rows"]][::9] == ["daily@20240110T000000Z", "daily@20240101T000000Z"]
    made = ask("backfill", "create", "daily", "--gaps", "--order", "newest", "--yes", "--json").json

    def now() -> dict[str, object]:
        found: dict[str, object] = ask("backfill", "show", made["backfill"], "--json").json
        return found

    until(lambda: now()["state"] == "completed", "it is complete")
    assert (now()["done"], now()["failed"], now()["success"]) == (10, 1, 9)
    assert ask("dags", "gaps", "--json").json == []
    (home.root / "mended").touch()
    assert "1 date of backfill 1 again" in ask("backfill", "retry", made["backfill"], "--yes").out
    until(lambda: now()["success"] == 10, "what failed has run again")
    listed = ask("backfill", "list", "daily")
    assert "completed" in listed.out
    for words, code, text in (
        (("cancel", made["backfill"]), 5, "nothing to cancel"),
        (("pause", 99), 4, "no backfill 99"),
        (("create", "daily"), 2, "--from and --to"),
        (("create", "daily", "--gaps"), 5, "no gaps"),
    ):
        answer = ask("backfill", *words, "--yes")
        assert (answer.code, text in answer.err) == (code, True), answer
