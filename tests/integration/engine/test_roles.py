"""Roles and read-only connections at a real engine: it refuses, whatever the screen would have allowed."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused, connect
from tests.integration.engine.conftest import MakeSite

pytestmark = pytest.mark.processes

DAGS = {
    "one.py": """
        @dag()
        def one():
            shell("only", "true")
    """
}
ONE = p.Selector(dag_ids=["one"])


async def test_a_viewer_looks_and_changes_nothing(make_site: MakeSite) -> None:
    """With `others = "viewer"` previews are answered, commands are refused by name, and nothing has moved."""
    site = await make_site(DAGS, '[roles]\nothers = "viewer"')
    await site.start()
    async with site.client() as client:
        assert client.welcome.role == "viewer"
        assert (await client.preview("trigger", ONE, {})).total == 1
        with pytest.raises(CommandRefused, match="trigger needs the role operator") as refused:
            await client.command("trigger", ONE, {})
    assert refused.value.code == "role"
    assert site.value("SELECT count(*) FROM run") == 0


async def test_a_read_only_connection_is_refused_by_the_engine(make_site: MakeSite) -> None:
    """A connection that says so at its greeting changes nothing; another one of the same person does."""
    site = await make_site(DAGS)
    await site.start()
    async with connect(site.home, "console", read_only=True) as client:
        assert client.welcome.role == "viewer"
        with pytest.raises(CommandRefused, match="--read-only"):
            await client.command("trigger", ONE, {})
    assert await site.over(await site.trigger("one")) == "success"
