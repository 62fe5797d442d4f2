"""Previews that clients page through: kept for as long as they hold, and never more of them than memory should."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from engine.control import protocol as p
from engine.control.plans import Refusal
from engine.model.moments import SECOND, Micros

MOST_ROWS = 100_000
"""Rows of all kept previews together, but for the newest, which is always kept."""


class _Kept(NamedTuple):
    preview: p.Preview
    rows: list[p.Effect]
    expires: Micros


class Previews:
    """The newest previews by their id, oldest first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._rows = 0

    def keep(self, preview: p.Preview, rows: list[p.Effect], now: Micros) -> p.Preview:
        """Keeps a preview for five minutes, or until newer ones need its room; gives its first page."""
        if len(rows) > p.PREVIEW_ROWS:
            self._forget(now, MOST_ROWS - len(rows))
            self._kept[preview.preview_id] = _Kept(preview, rows, now + p.PREVIEW_SECONDS * SECOND)
            self._rows += len(rows)
        return _page(preview, rows, 0)

    def page(self, asked: p.AskMore, now: Micros) -> p.Preview:
        """The next rows of a preview. Raises Refusal when it has expired."""
        shown = self._kept.get(asked.preview_id)
        if shown is None or shown.expires < now or not asked.more.isdecimal():
            raise Refusal("stale", "this preview has expired: look again")
        return _page(msgspec.structs.replace(shown.preview, id=asked.id), shown.rows, int(asked.more))

    def _forget(self, now: Micros, room: int) -> None:
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if oldest.expires >= now and self._rows <= room:
                return
            self._kept.popitem(last=False)
            self._rows -= len(oldest.rows)


def _page(preview: p.Preview, rows: list[p.Effect], start: int) -> p.Preview:
    end = start + p.PREVIEW_ROWS
    return msgspec.structs.replace(preview, rows=rows[start:end], more=str(end) if end < len(rows) else None)
