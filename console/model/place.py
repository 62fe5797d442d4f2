"""Where an operator is: a view, and what it shows. Places are what back and forward go through, and have addresses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.model.keys import UNMAPPED

if TYPE_CHECKING:
    from console.model.targets import Target


ABOUT_A_DAG = frozenset({"dag", "grid", "calendar", "durations", "run", "task", "log", "source"})
"""Views that show nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """A view by its id, and what it is about; fields that do not apply are None."""

    view: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = UNMAPPED
    attempt: int | None = None
    filter: str = ""
    """What its rows are filtered by."""
    sort: str | None = None
    """What its rows are sorted by, empty for their own order; None leaves that as it is."""
    at: int | None = None
    """Of a log: the byte at which the line that is meant begins."""

    @classmethod
    def of(cls, view: str, target: Target) -> Place:
        """The view of what the cursor stands on."""
        return cls(view, target.dag_id, target.run_id, target.task_id, target.map_index, target.attempt)

    @property
    def address(self) -> str:
        """The place as text for people to send each other: `log/trades_us@20261122T011000Z/load[3]?attempt=2`."""
        from urllib.parse import quote, urlencode

        parts = [self.view]
        if subject := self.run_id or self.dag_id:
            parts.append(subject)
            if self.task_id:
                parts.append(self.task_id + ("" if self.map_index == UNMAPPED else f"[{self.map_index}]"))
        more = {"attempt": self.attempt, "filter": self.filter or None, "sort": self.sort or None, "at": self.at}
        asked = urlencode({name: value for name, value in more.items() if value is not None}, quote_via=quote, safe=":")
        path = "/".join(quote(part, safe="@~[]:+") for part in parts)
        return f"{path}?{asked}" if asked else path


def parse_address(text: str) -> Place:
    """The place that an address names. Whether its view, DAG and run are there is for the reader to see.

    Raises ValueError saying what cannot be read.
    """
    from urllib.parse import parse_qsl, unquote

    path, _, asked = text.strip().partition("?")
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if not parts[0] or len(parts) > 3 or not all(parts):
        raise ValueError(f"{text!r} is no address: one reads VIEW/DAG or VIEW/RUN/TASK, as the console copies it")
    subject = parts[1] if len(parts) > 1 else None
    dag_id, sign, _ = (subject or "").partition("@")
    task_id, map_index = _task(parts[2]) if len(parts) > 2 else (None, UNMAPPED)
    if dag_id == "" and parts[0] in ABOUT_A_DAG:
        raise ValueError(f"{text!r} is no address: {parts[0]} is about a DAG or a run, as in {parts[0]}/my_dag")
    more = dict(parse_qsl(asked, keep_blank_values=True))
    unknown = sorted(more.keys() - {"attempt", "filter", "sort", "at"})
    if unknown:
        raise ValueError(f"{text!r} is no address: it cannot have {unknown[0]!r}")
    return Place(
        parts[0], dag_id or None, subject if sign else None, task_id, map_index,
        _number(text, more.get("attempt")), more.get("filter", ""), more.get("sort"), _number(text, more.get("at")),
    )  # fmt: skip


def read_address(text: str, views: Collection[str]) -> Place:
    """The place that an address or its short form means: a DAG, a run, or RUN/TASK without a view before it.

    Raises ValueError saying what cannot be read, or that there is no such view.
    """
    place = parse_address(text)
    if place.view in views:
        return place
    if "@" in place.view:
        return parse_address(f"run/{text.strip().strip('/')}")
    if place.dag_id is not None:
        raise ValueError(f"there is no view {place.view!r}; there are {', '.join(views)}")
    return parse_address(f"dag/{text.strip().strip('/')}")


def _task(name: str) -> tuple[str, int]:
    from engine.model.ids import split_name

    task_id, index = split_name(name)
    return task_id, UNMAPPED if index is None else index


def _number(address: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(f"{address!r} is no address: {text!r} is not a number")
    return int(text)
