"""Homes for the engine's integration tests, and the DAGs that most of them use."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping

import pytest

from tests.support.engine import Site, Sites

DAGS = {
    "plain.py": """
        @task
        def make():
            note("begin")
            return {"n": 7}

        @task
        def double(data):
            note("begin")
            return data["n"] * 2

        @task
        def large():
            return "x" * 200_000

        @task
        def measure(text):
            return len(text)

        @dag()
        def results():
            doubled = double(make())
            shell("check", NOTE + 'note begin; test "$N" = 14', env={"N": doubled})
            measure(large())

        @dag()
        def steps():
            shell("first", "true") >> shell("fails", "test -e $DAGDECK_HOME/repaired") >> shell("last", "true")

        @dag(max_active_runs=1)
        def hold():
            @task
            def python():
                note("begin")
                until_exists("release")
                note("end")
            shell("script", NOTE + 'note begin; until test -e $DAGDECK_HOME/release; do sleep 0.02; done; note end')
            python() >> shell("after", NOTE + "note begin")
    """,
    "stubborn.py": """
        import signal

        def ignore_sigterm():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note("begin")
            time.sleep(600)

        @dag()
        def stubborn():
            task(task_id="python", grace="10m")(ignore_sigterm)()
            shell("script", "trap '' TERM; " + NOTE + "note begin; sleep 600", grace="10m")

        @dag()
        def timed():
            task(task_id="python", grace="300ms", execution_timeout="500ms")(ignore_sigterm)()
            shell("family", NOTE + "note begin; setsid sleep 600 & sleep 600", execution_timeout="500ms", grace="5s")
    """,
    "again.py": """
        @task(retries=3, retry_delay="600ms", retry_exponential_backoff=True)
        def third_time(try_number):
            note("begin")
            if try_number < 3:
                raise ConnectionError("db-1:5432 refused")

        @task(retries=1, retry_delay="3s")
        def once_more(try_number):
            note("begin")
            if try_number == 1:
                raise RuntimeError("not yet")

        @task(retries=1, retry_delay="1h")
        def much_later(try_number):
            note("begin")
            if try_number == 1:
                raise RuntimeError("not yet")

        @task(retries=5)
        def hopeless():
            raise PermanentError("no such table")

        def tell(context):
            note("called-" + context["task_id"] if context.get("task_id") else "called-dag")

        @dag()
        def backoff():
            third_time()

        @dag()
        def soon():
            once_more()

        @dag()
        def later():
            much_later() >> shell("after", "true")

        @dag(on_failure_callback=tell)
        def hopeless_dag():
            hopeless()

        @dag(on_success_callback=tell)
        def called():
            shell("only", "true")
    """,
}

MakeSite = Callable[..., Awaitable[Site]]


@pytest.fixture
def make_site(sites: Sites) -> Iterator[MakeSite]:
    """Makes homes that are gone, with all their processes, after the test."""
    made: list[Site] = []

    async def make(dags: Mapping[str, str] | None = DAGS, config: str = "", deep: int = 0) -> Site:
        site = sites.bare(config) if dags is None else await sites.make(dags, config, deep)
        made.append(site)
        return site

    yield make
    for site in made:
        site.clear()
        shutil.rmtree(site.root, ignore_errors=True)


@pytest.fixture
async def site(make_site: MakeSite) -> Site:
    """A home that knows the DAGs, with a running engine."""
    made = await make_site()
    await made.start()
    return made
