"""Holds by real engines: what is kept from starting, what goes on, and that no restart forgets one."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from engine.store import reads_home
from engine.store.reader import Reader
from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

DAGS = {
    "held.py": """
        @dag()
        def team_a():
            shell("first", "until test -e $DAGDECK_HOME/release; do sleep 0.02; done") >> shell("second", "true")

        @dag()
        def team_b():
            shell("only", "true", pool="narrow")

        @dag()
        def other():
            shell("only", "true")
    """
}


async def hold(site: Site, verb: str = "hold", **args: object) -> p.Done:
    """Holds or releases."""
    return await site.command(verb, p.Selector(), args)


async def test_what_runs_goes_on_and_nothing_new_starts_until_the_release(make_site: MakeSite) -> None:
    """Under a hold of everything a running task ends and its downstream waits with the code `hold`; a killed and
    restarted engine still holds; a release lets it start."""
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    run_id = await site.trigger("team_a")
    await until(lambda: site.tasks(run_id)["first"] == "running", "the first runs")
    await hold(site)
    (site.home.root / "release").touch()
    await until(lambda: site.tasks(run_id) == {"first": "success", "second": "scheduled"}, "the second waits")
    await until(lambda: "hold" in waiting_for(site, run_id, "second"), "its code says so")
    await site.crash()
    await site.start()
    assert site.tasks(run_id)["second"] == "scheduled"
    with pytest.raises(CommandRefused, match="on hold already, for at least as long: by"):
        await hold(site)
    await hold(site, "release")
    assert await site.over(run_id) == "success"
    with pytest.raises(CommandRefused, match="nothing to release"):
        await hold(site, "release")


async def test_a_pool_or_some_dags_can_be_held_alone(make_site: MakeSite) -> None:
    """A hold of a pool and one of a glob of DAGs leave all others alone, and each is released by its name."""
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    await hold(site, scope="pool", pattern="narrow")
    await hold(site, scope="dag", pattern="team_a*")
    pooled, matched, free = [await site.trigger(name) for name in ("team_b", "team_a", "other")]
    assert await site.over(free) == "success"
    assert (site.tasks(pooled)["only"], site.run_state(matched)) == ("scheduled", "queued")
    await hold(site, "release", scope="pool", pattern="narrow")
    assert await site.over(pooled) == "success"
    assert site.run_state(matched) == "queued"


async def test_nobody_shortens_the_hold_of_another(make_site: MakeSite) -> None:
    """A hold that ends sooner than one that stands is refused with its note; one that lasts longer stands beside it,
    and is taken back alone."""
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    await site.command("hold", p.Selector(), {"for": "1h"}, note="do not touch")
    with pytest.raises(CommandRefused, match=r"for at least as long: by .* do not touch"):
        await hold(site, **{"for": "20s"})
    await hold(site)
    with Reader(site.home.database) as reader:
        assert [(row.note, row.until is None) for row in reads_home.holds(reader)] == [
            ("do not touch", False),
            (None, True),
        ]
        await site.command("undo", p.Selector())
        assert [row.note for row in reads_home.holds(reader)] == ["do not touch"]


async def test_a_hold_for_a_time_ends_by_itself(make_site: MakeSite) -> None:
    """After its time it is over without anybody's doing, and the feed says so."""
    site = await make_site(DAGS, "[pools]\nnarrow = 1")
    await site.start()
    await hold(site, **{"for": "1s"})
    run_id = await site.trigger("other")
    assert await site.over(run_id) == "success"
    with Reader(site.home.database) as reader:
        assert reads_home.holds(reader) == []
    assert site.rows("SELECT to_state FROM event WHERE kind = 'hold'") == [("held",), ("released",)]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"scope": "moon"}, "the scope is one of all, pool, dag"),
        ({"scope": "pool"}, "a pattern belongs to"),
        ({"scope": "all", "pattern": "x"}, "a pattern belongs to"),
        ({"scope": "pool", "pattern": "absent"}, "there is no pool absent"),
        ({"for": "soon"}, "not a duration such as 30m"),
        ({"for": "9000d"}, "up to a year"),
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused(site: Site, args: dict[str, object], words: str) -> None:
    """Scope, pattern and time are checked, each with what would work."""
    with pytest.raises(CommandRefused, match=words):
        await hold(site, **args)


def waiting_for(site: Site, run_id: str, task_id: str) -> str:
    """The stored codes of what a task waits for."""
    ((codes,),) = site.rows(
        "SELECT t.blockers FROM task_instance t JOIN run r ON r.id = t.run WHERE r.run_id = ? AND t.task_id = ?",
        run_id,
        task_id,
    )
    return str(codes)
