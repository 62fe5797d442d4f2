"""Every expression at changes of clocks all over the world, against the table of minutes."""

from __future__ import annotations

import random

from tests.support.minute_table import CASES, MinuteTable, some_changes

SHARE = 10


def test_points_around_changes_of_clocks_are_those_of_the_minutes() -> None:
    """Around one in ten of all changes from 1990 to 2037, drawn by a printed seed, no point of any expression is
    missing, doubled or out of order, and intervals touch.
    """
    seed = random.randrange(1_000_000)
    changes = some_changes(SHARE, seed)
    print(f"seed {seed}: {len(changes)} changes of clocks")
    tables = (MinuteTable(change) for change in changes)
    faults = [fault for table in tables for asked in CASES for fault in table.faults(asked)]
    assert not faults, f"seed {seed}: {faults[:10]}"
