"""One home with a running engine for each module, and the DAGs that commands are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.engine import Site, Sites, closing

DAGS = {
    "control.py": """
        from dagdeck import Param

        @dag(params={"rows": Param(3, type="integer", minimum=0), "who": Param("me")}, max_active_runs=100)
        def quick():
            shell("one", "true") >> shell("two", "true")

        @dag(max_active_runs=100)
        def held():
            shell("waits", "until test -e $DAGDECK_HOME/release; do sleep 0.02; done") >> shell("after", "true")

        @dag(schedule="0 6 * * *", timezone="Europe/Berlin", start_date="2024-01-01", max_active_runs=100)
        def daily():
            shell("only", "true")

        @dag(timezone="Asia/Tokyo", max_active_runs=100)
        def tokyo():
            shell("only", "true")

        with DAG("wide"):
            first = shell("first", "false")
            for number in range(450):
                first >> shell(f"leaf{number:03}", "true")
    """,
    "texts.py": """
        from dagdeck import Param

        @dag(params={"text": Param("plain")})
        def texts():
            shell("say", 'printf %s "$DAGDECK_PARAM_TEXT" > $DAGDECK_HOME/said')
    """,
}


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    """A home that knows the DAGs, with a running engine."""
    with closing(await sites.make(DAGS)) as made:
        await made.start()
        yield made
