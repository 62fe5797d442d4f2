"""What every view shows, word for word, on a home with a failure and on one without DAGs.

`python -m tests.support.tour` writes the kept texts anew; the difference is what a change did to the screens.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.actions.views import VIEWS
from tests.support.tour import EMPTY, KEPT, ORDINARY, PICTURES, SIZES, SMALL, Tour, furnish, kept

SHOWN = sorted(path.relative_to(KEPT).with_suffix("").as_posix() for path in KEPT.rglob("*.txt"))
TOURS = {kept(situation, size, "x").parent.name: (situation, size) for situation in (ORDINARY, EMPTY) for size in SIZES}


class Stops:
    """The stops of each tour, by the names under which they are kept. A tour is made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, dict[str, str]] = {}
        self._pictures: dict[str, dict[str, str]] = {}

    def pictures(self, situation: str) -> dict[str, str]:
        """Those of the situation's small screens."""
        small = kept(situation, SMALL, "x").parent.name
        self.of(small)
        return self._pictures[small]

    def of(self, tour: str) -> dict[str, str]:
        """One tour's."""
        if tour not in self._found:
            situation, size = TOURS[tour]
            filled = asyncio.run(furnish(self._folder / tour / "home", situation))
            made = Tour(filled, size)
            stops = asyncio.run(made.go())
            self._pictures[tour] = made.pictures
            self._found[tour] = {
                kept(situation, size, stop).relative_to(KEPT).with_suffix("").as_posix(): text
                for stop, text in stops.items()
            }
        return self._found[tour]


@pytest.fixture(scope="module")
def stops(tmp_path_factory: pytest.TempPathFactory) -> Stops:
    """All tours of this module."""
    return Stops(tmp_path_factory.mktemp("tours"))


@pytest.mark.parametrize("name", SHOWN)
def test_a_view_shows_what_it_showed(stops: Stops, name: str) -> None:
    """The same home at the same moment gives the same screen; no line is wider than the terminal."""
    assert stops.of(name.partition("/")[0])[name] == (KEPT / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("situation", [ORDINARY, EMPTY])
def test_a_view_looks_as_it_looked(stops: Stops, situation: str) -> None:
    """The same home at the same moment has the same colours, too; a picture of each stop is kept, and of no other."""
    found = stops.pictures(situation)
    there = {path.stem: path.read_text(encoding="utf-8") for path in (PICTURES / situation).glob("*.svg")}
    assert sorted(found) == sorted(there)
    assert [name for name in found if found[name] != there[name]] == []


@pytest.mark.parametrize("tour", TOURS)
def test_every_view_has_a_stop(stops: Stops, tour: str) -> None:
    """A view that is added is kept, too, and none is kept that is gone."""
    found = stops.of(tour)
    assert sorted(found) == [name for name in SHOWN if name.partition("/")[0] == tour]


def test_all_views_are_seen_on_some_tour() -> None:
    """No view is left out of the tours."""
    assert {name.rpartition("/")[2] for name in SHOWN} >= set(VIEWS)


@pytest.mark.parametrize("tour", [tour for tour in TOURS if tour.startswith(EMPTY)])
def test_a_home_without_faults_warns_of_nothing_but_its_engine(stops: Stops, tour: str) -> None:
    """On an empty home no sign of a failed or retried task stands anywhere."""
    for name, text in stops.of(tour).items():
        if name.rpartition("/")[2] in VIEWS:
            assert not {"✘", "↻", "↯"} & set(text), name
