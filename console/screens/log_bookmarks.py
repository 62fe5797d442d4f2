"""Which of the bookmarks that are kept are lines of one log. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.place import parse_address
from console.model.targets import Target


def lines_kept(addresses: Iterable[str], shown: Target) -> dict[int, str]:
    """The addresses of bookmarked lines of the log that is shown, by the bytes at which the lines begin."""
    found: dict[int, str] = {}
    wanted = (shown.run_id, shown.task_id, shown.map_index, shown.attempt)
    for address in addresses:
        try:
            place = parse_address(address)
        except ValueError:
            continue  # the file is a person's to write to
        here = (place.run_id, place.task_id, place.map_index, place.attempt)
        if place.view == "log" and place.at is not None and here == wanted:
            found[place.at] = address
    return found
