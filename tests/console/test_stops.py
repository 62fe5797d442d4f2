"""What every view shows, word for word and colour for colour, on a home with a failure and on one without DAGs.

`python -m tests.support.tour` writes the kept texts and pictures anew; the difference is what a change did to them.
"""

from __future__ import annotations

import asyncio
from difflib import unified_diff
from pathlib import Path

import pytest

from console.actions.views import VIEWS
from tests.support.tour import EMPTY, KEPT, ORDINARY, PICTURES, SIZES, SMALL, Tour, furnish, kept

TOURS = [(situation, size) for situation in (ORDINARY, EMPTY) for size in SIZES]


# One test for each tour, however much there is to compare: tests on several processes would each make it again.
@pytest.mark.parametrize(
    ("situation", "size"), TOURS, ids=lambda value: value if isinstance(value, str) else str(value[0])
)
def test_every_stop_shows_what_it_showed(tmp_path: Path, situation: str, size: tuple[int, int]) -> None:
    """The same home at the same moment gives the same screens, one of every view; without DAGs none shows a failure."""
    tour = Tour(asyncio.run(furnish(tmp_path / "home", situation)), size)
    found = asyncio.run(tour.go())
    _same(found, kept(situation, size, "x").parent, "txt")
    if size == SMALL:
        _same(tour.pictures, PICTURES / situation, "svg")
    if situation == EMPTY:
        assert [name for name in found if name in VIEWS and {"✘", "↻", "↯"} & set(found[name])] == []


def _same(found: dict[str, str], folder: Path, ending: str) -> None:
    there = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob(f"*.{ending}")}
    other = [name for name in found if found[name] != there.get(name, "")]
    differences = [
        line
        for name in other[:3]
        for line in unified_diff(
            there.get(name, "").splitlines(), found[name].splitlines(), name, "now", lineterm="", n=0
        )
    ]
    assert not other, "\n".join([f"{folder.name}: {', '.join(other)}", *differences[:60]])
    assert sorted(there) == sorted(found)


def test_all_views_are_seen_on_some_tour() -> None:
    """No view is left out of the tours."""
    assert {path.stem for path in KEPT.rglob("*.txt")} >= set(VIEWS)
