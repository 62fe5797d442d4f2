"""One home with a running engine for the reading and changing verbs of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.home import Home
from tests.support.homes import a_home, run_engine

DAGS = {
    "etl.py": """
        import time
        from dagdeck import Param, dag, shell, task

        @task
        def extract(params):
            print("reading \\x1b]52;c;eA==\\x07 \\x1b[2J and more")
            return {"rows": params["rows"]}

        @task
        def load(data):
            print(f"stored {data['rows']} rows")

        @dag(params={"rows": Param(3, type="integer", minimum=0)}, tags=["plain"], owner="ops", runbook="go/etl")
        def etl():
            \"\"\"Two steps.\"\"\"
            load(extract())

        @task(retries=1, retry_delay="1h")
        def call():
            raise ConnectionError("db-1:5432 refused")

        @dag(schedule="0 6 * * *", timezone="Europe/Berlin", start_date="2024-01-01", catchup=False)
        def shaky():
            call() >> shell("after", "echo never")

        @dag()
        def broken():
            shell("fails", "echo no; exit 3") >> shell("after", "echo never")

        @task
        def talks():
            raise ValueError("word " * 60 + "the very end")

        @dag()
        def wordy():
            talks()

        @dag()
        def slow():
            shell("sleeps", "echo started; sleep 60") >> shell("after", "echo done")
    """,
    "wrong.py": "from dagdeck import dag\nraise RuntimeError('half written')\n",
}
IDS = {"etl", "shaky", "broken", "slow", "wordy"}


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home with a running engine."""
    with a_home(DAGS, 'name = "etl-01"\n') as made:
        run_engine(made, IDS)
        yield made
