"""What every view shows, word for word, on a home with a failure and on one without DAGs.

`python -m tests.support.tour` writes the kept texts anew; the difference is what a change did to the screens.
"""

from __future__ import annotations

import asyncio

import pytest

from console.actions.views import VIEWS
from tests.support.tour import EMPTY, KEPT, ORDINARY, SIZES, Tour, furnish, kept

SHOWN = sorted(path.relative_to(KEPT).with_suffix("").as_posix() for path in KEPT.rglob("*.txt"))
Stops = dict[str, str]


@pytest.fixture(scope="module")
def stops(tmp_path_factory: pytest.TempPathFactory) -> Stops:
    """All stops of all tours, by the names under which they are kept."""
    found: Stops = {}
    for situation in (ORDINARY, EMPTY):
        filled = asyncio.run(furnish(tmp_path_factory.mktemp(situation) / "home", situation))
        for size in SIZES:
            for stop, text in asyncio.run(Tour(filled, size).go()).items():
                found[kept(situation, size, stop).relative_to(KEPT).with_suffix("").as_posix()] = text
    return found


@pytest.mark.parametrize("name", SHOWN)
def test_a_view_shows_what_it_showed(stops: Stops, name: str) -> None:
    """The same home at the same moment gives the same screen; no line is wider than the terminal."""
    assert stops[name] == (KEPT / f"{name}.txt").read_text(encoding="utf-8")


def test_every_view_has_a_stop(stops: Stops) -> None:
    """A view that is added is kept, too, and none is kept that is gone."""
    assert sorted(stops) == SHOWN
    assert {name.rpartition("/")[2] for name in stops} >= set(VIEWS)


def test_a_home_without_faults_warns_of_nothing_but_its_engine(stops: Stops) -> None:
    """On an empty home no sign of a failed or retried task stands anywhere."""
    for name, text in stops.items():
        if name.startswith(EMPTY) and name.rpartition("/")[2] in VIEWS:
            assert not {"✘", "↻", "↯"} & set(text), name
