"""Which previews are kept, and for how long."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.plans import Refusal
from engine.control.previews import MOST_ROWS, Previews
from engine.model.moments import SECOND

ROW = p.Effect("flow", "flow@1", "load", -1, "failed", "none")


def kept(previews: Previews, name: str, rows: int, now: int) -> p.Preview:
    return previews.keep(p.Preview(1, name, 1, "clear", "", rows), [ROW] * rows, now)


def can_be_read(previews: Previews, page: p.Preview, now: int) -> bool:
    try:
        previews.page(p.AskMore(2, page.preview_id, page.more or "0"), now)
    except Refusal:
        return False
    return True


def test_a_preview_is_read_page_by_page_until_it_expires() -> None:
    """Every row comes once, under the id of each question; after five minutes nothing is said of it any more."""
    previews = Previews()
    first = kept(previews, "a", 450, 0)
    second = previews.page(p.AskMore(7, "a", str(first.more)), 300 * SECOND)
    third = previews.page(p.AskMore(8, "a", str(second.more)), 300 * SECOND)
    assert [len(page.rows) for page in (first, second, third)] == [200, 200, 50]
    assert (second.id, third.id, third.more) == (7, 8, None)
    assert not can_be_read(previews, first, 300 * SECOND + 1)


def test_what_has_expired_is_forgotten_with_the_next_preview() -> None:
    """An engine that is asked for previews for weeks keeps those of the last minutes and no others."""
    previews = Previews()
    for minute in range(100):
        kept(previews, str(minute), 300, minute * 60 * SECOND)
    assert len(previews._kept) == 6
    assert previews._rows == 6 * 300


def test_large_previews_make_room_for_newer_ones() -> None:
    """Together they have so many rows at most; the newest is kept however large it is."""
    previews = Previews()
    pages = [kept(previews, str(number), MOST_ROWS // 4, number) for number in range(6)]
    assert [can_be_read(previews, page, 10) for page in pages] == [False, False, True, True, True, True]
    largest = kept(previews, "largest", 2 * MOST_ROWS, 10)
    assert can_be_read(previews, largest, 10)
    assert not any(can_be_read(previews, page, 10) for page in pages)


@pytest.mark.parametrize("rows", [0, 1, 200])
def test_what_fits_on_one_page_is_not_kept(rows: int) -> None:
    """Nothing more will be asked of it."""
    previews = Previews()
    assert kept(previews, "short", rows, 0).more is None
    assert not previews._kept
