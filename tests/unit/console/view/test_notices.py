"""What the engine has to say of itself stands above the DAGs, all of it, on the narrowest screen too."""

from __future__ import annotations

from dataclasses import replace

from console.model.link import LinkState
from console.view.notices import near, notices
from console.view.overview import Overview
from console.view.spans import plain
from tests.support.console import link, scene


def test_a_long_reason_is_shown_whole() -> None:
    """The header cuts what is too long; the overview has every word, within eighty cells, before anything else."""
    reason = "/srv/etl/state.db was removed while the engine runs. " + "Nothing is started or changed any more. " * 4
    known = link().gauges
    assert known is not None
    told = replace(known, degraded=reason, warning="disk: 900 MB free, 3 %; D (`dagdeck prune`)")
    found = scene(link=link(gauges=told))
    lines = [plain(line) for line in notices(found)]
    assert " ".join(" ".join(lines).split()) == (
        "degraded: /srv/etl/state.db was removed while the engine runs. "
        + "Nothing is started or changed any more. " * 4
        + "disk: 900 MB free, 3 %; D (`dagdeck prune`)"
    )
    assert max(map(len, lines)) < 80
    rows = Overview(found)
    assert [plain(rows.row(index, 80)).strip() for index in range(len(lines))] == [line.strip() for line in lines]
    assert all(rows.key(index) is None for index in range(len(lines)))


def test_a_store_that_cannot_be_read_says_all_of_it() -> None:
    """What is wrong with the store, and the ways out, stand above the last picture of it, and once."""
    trouble = "/srv/etl/state.db: the store is damaged (x). " + "Put a backup in its place, or salvage. " * 4
    found = scene()
    for link_now in (link(state=LinkState.DOWN), found.link):
        torn = replace(found, link=link_now, snapshot=replace(found.snapshot, trouble=trouble))
        lines = [plain(line).strip() for line in notices(torn)]
        assert " ".join(lines) == trouble.strip()
        assert max(map(len, lines)) < 78
    known = link().gauges
    assert known is not None
    said = replace(torn, link=link(gauges=replace(known, degraded=trouble)))
    assert " ".join(plain(line).strip() for line in notices(said)) == f"degraded: {trouble.strip()}"


def test_a_well_engine_says_nothing() -> None:
    """No reason and no warning: no lines. In the header the home's own path is taken out of what is said."""
    assert notices(scene()) == []
    assert near("/srv/etl/state.db, /srv/etl2/state.db", "/srv/etl") == "state.db, /srv/etl2/state.db"


def test_words_that_change_all_day_leave_nothing_behind() -> None:
    """How much is free changes every few seconds: the overview keeps the lines of the moment alone."""
    known, rows, sizes = link().gauges, None, set()
    assert known is not None
    for free in range(50):
        rows = Overview(scene(link=link(gauges=replace(known, warning=f"disk: {free} MB free"))), rows)
        assert plain(rows.row(0, 80)).strip() == f"disk: {free} MB free"
        sizes.add(len(rows._cache))
    assert sizes == {1}
