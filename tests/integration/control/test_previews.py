"""Previews say exactly what a command would touch, in pages, for a while."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.support.engine import Site

pytestmark = pytest.mark.processes


async def test_a_preview_lists_exactly_the_rows_that_the_command_changes(site: Site) -> None:
    """State now, state then, and whether a process is killed, row by row; the command then changes those, no others."""
    run_id = await site.trigger("held")
    await site.state(run_id, "waits", "running")
    select = p.Selector(run_ids=[run_id], task_ids=["waits"])
    async with site.client() as client:
        shown = await client.preview("clear", select, {"downstream": True})
        assert [(row.task_id, row.state, row.becomes, row.kills) for row in shown.rows] == [
            ("waits", "running", "none", True),
            ("after", "none", "none", False),
        ]
        assert (shown.total, shown.counts, shown.kills, shown.more) == (2, {"running": 1, "none": 1}, 1, None)
        assert shown.sentence == f"2 task instances of {run_id}, 1 process killed"
        assert shown.seq == site.value("SELECT max(seq) FROM event")
        done = await client.command(
            "clear", select, {"downstream": True}, preview_id=shown.preview_id, seen_seq=shown.seq
        )
        assert done.changed == 2
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert len(site.attempts(run_id, "waits")) == 2


async def test_a_preview_changes_nothing(site: Site) -> None:
    """However often something is looked at, no event is written and no command recorded."""
    run_id = await site.trigger("quick")
    assert await site.over(run_id) == "success"
    async with site.client() as client:
        before = site.value("SELECT max(seq) FROM event")
        for verb, args in (("clear", {}), ("rerun", {}), ("mark", {"state": "failed"})):
            tasks = [] if verb == "rerun" else ["one"]
            await client.preview(verb, p.Selector(run_ids=[run_id], task_ids=tasks), args)
        await client.preview("trigger", p.Selector(dag_ids=["quick"]))
        await client.preview("stop", p.Selector(), {"kill": True})
        assert site.value("SELECT max(seq) FROM event WHERE kind <> 'engine'") <= before
    assert site.value("SELECT count(*) FROM command") == 1


async def test_a_long_preview_comes_in_pages(site: Site) -> None:
    """200 rows at a time, each with a token for the next page; together they are every row once."""
    run_id = await site.trigger("wide")
    assert await site.over(run_id) == "failed"
    async with site.client() as client:
        page = await client.preview("rerun", p.Selector(run_ids=[run_id]), {"failed": True})
        assert (page.total, page.counts) == (451, {"failed": 1, "upstream_failed": 450})
        assert page.reopens == 1
        names, sizes = [row.task_id for row in page.rows], [len(page.rows)]
        while page.more is not None:
            page = await client.more(page)
            names += [row.task_id for row in page.rows]
            sizes.append(len(page.rows))
    assert sizes == [200, 200, 51]
    assert names == ["first", *(f"leaf{number:03}" for number in range(450))]


async def test_pages_of_a_preview_that_never_was_are_refused(site: Site) -> None:
    """An unknown preview, or a token that is none, has expired as far as anybody knows."""
    async with site.client() as client:
        shown = await client.preview("trigger", p.Selector(dag_ids=["quick"]))
        for preview_id, more in (
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "200"),
            (shown.preview_id, "next"),
            (shown.preview_id, ""),
        ):
            with pytest.raises(CommandRefused, match="expired"):
                await client.more(p.Preview(0, preview_id, 0, "trigger", "", 0, more=more))
