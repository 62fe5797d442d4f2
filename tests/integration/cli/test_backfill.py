"""`dagdeck backfill` and `dagdeck dags gaps` against a real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.home import Home
from tests.support.cli import Answer, Cli, dagdeck
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


def test_a_range_is_planned_run_and_mended(home: Home, cli: Cli) -> None:
    """Gaps name the range, a dry run lists each date, failures show, and what failed runs again at one command."""

    def ask(*words: object) -> Answer:
        return cli("--home", home.root, *words)

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
    said = ask("why", made["backfill"]).out
    assert said.startswith(f"backfill {made['backfill']} of daily: completed")
    assert "2024-01-04T00:00:00Z failed: `dagdeck why daily@20240104T000000Z`" in said
    assert f"nothing: it is over; `dagdeck backfill retry {made['backfill']}` runs what failed again" in said
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


def test_why_a_backfill_waits_and_was_stopped(home: Home, cli: Cli) -> None:
    """Who holds what it waits for or paused it, what failures stopped it, and which date is next."""

    def ask(*words: object) -> Answer:
        return cli("--home", home.root, *words)

    def why() -> dict[str, str]:
        return {each["code"]: each["text"] for each in ask("why", 1, "--json").json["reasons"]}

    until(lambda: "daily" in ask("dags", "list").out, "the DAG is known")
    assert ask("dags", "pause", "daily", "--note", "moving", "--yes").code == 0
    words = ("create", "daily", "--from", "2024-01-03", "--to", "2024-01-06", "--max-active", 1, "--stop-after", 1)
    assert ask("backfill", *words, "--yes").code == 0
    found = why()
    assert found["dag_paused"].startswith("daily: it is paused by ") and "moving" in found["dag_paused"]
    assert found["next"].startswith("2024-01-03T00:00:00Z starts, of 4 dates that are left, as soon as that is over")
    assert ask("backfill", "pause", 1, "--note", "tired", "--yes").code == 0
    paused, _, created = why()["state"].partition("; ")
    assert paused.startswith("it is paused, by ") and paused.endswith("ago (tired)") and "asked for it" in created
    assert ask("backfill", "resume", 1, "--yes").code == 0
    assert ask("dags", "resume", "daily", "--yes").code == 0
    until(lambda: "stopped" in ask("backfill", "show", 1, "--json").json["state"], "a failure stops it")
    found = why()
    assert found["state"].startswith("1 runs of it failed, and it stops after 1: since ")
    assert found["next"].startswith("nothing of it starts, 2 dates are left: `dagdeck backfill resume 1` goes on")
    assert ask("why", 99).code == 4
