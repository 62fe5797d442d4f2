"""From what a person types to one run: `DAG@latest`, `DAG@-1`, `DAG@2026-11-22T01`, a run id or its unique prefix."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.model.moments import Micros, from_datetime
from engine.store.errors import Ambiguous, NotFound
from engine.store.reader import Reader

_SHOWN = 5
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?(Z)?\Z")
_LAST = "\U0010ffff"


class RunRef(NamedTuple):
    """A run that has been found: the store's key and the whole run id."""

    id: int
    run_id: str


def resolve_run(reader: Reader, text: str) -> RunRef:
    """The run that `text` names.

    A date without zone is read in the DAG's zone and may be shortened to an hour or a day, if one run alone lies in
    it. Raises NotFound, or Ambiguous naming some of the runs that it could mean.
    """
    with reader.snapshot():
        exact = reader.one("run", "run_by_run_id", {"run_id": text})
        if exact is not None:
            return RunRef._make(exact)
        dag_id, at, point = text.partition("@")
        zone = reader.one("run", "dag_timezone", {"dag_id": dag_id}) if at else None
        if zone is not None:
            if point == "latest" or re.fullmatch(r"-\d{1,9}", point):
                return _by_age(reader, dag_id, 0 if point == "latest" else -int(point))
            span = _span(point, str(zone[0]))
            if span is not None:
                return _only(_between(reader, dag_id, span), text)
        return _only(_by_prefix(reader, text), text)


def _by_age(reader: Reader, dag_id: str, offset: int) -> RunRef:
    row = reader.one("run", "newest_run_of_dag", {"dag_id": dag_id, "offset": offset})
    if row is None:
        older = "" if offset == 0 else f" {offset} before the latest"
        raise NotFound(f"DAG {dag_id} has no run{older}")
    return RunRef._make(row)


def _between(reader: Reader, dag_id: str, span: tuple[Micros, Micros]) -> list[RunRef]:
    values = {"dag_id": dag_id, "start": span[0], "end": span[1], "count": _SHOWN + 1}
    return [RunRef._make(row) for row in reader.all("run", "runs_between", values)]


def _by_prefix(reader: Reader, prefix: str) -> list[RunRef]:
    if not prefix:
        return []
    values = {"prefix": prefix, "after": prefix + _LAST, "count": _SHOWN + 1}
    return [RunRef._make(row) for row in reader.all("run", "runs_by_prefix", values)]


def _only(found: list[RunRef], text: str) -> RunRef:
    if not found:
        raise NotFound(f"no run answers to {text!r}")
    if len(found) > 1:
        names = [ref.run_id for ref in found[:_SHOWN]]
        more = ", …" if len(found) > _SHOWN else ""
        raise Ambiguous(f"{text!r} could be {', '.join(names)}{more}", names)
    return found[0]


def _span(point: str, zone: str) -> tuple[Micros, Micros] | None:
    """The stretch of time that a shortened date means, or None when it is no date."""
    parts = _DATE.match(point)
    if parts is None:
        return None
    year, month, day, hour, minute, second, utc = parts.groups()
    try:
        start = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        length = timedelta(seconds=1) if second else timedelta(minutes=1) if minute else timedelta(hours=1)
        tz = ZoneInfo("UTC" if utc else zone)
        end = start + (length if hour else timedelta(days=1))
        return from_datetime(start.replace(tzinfo=tz)), from_datetime(end.replace(tzinfo=tz))
    except (ValueError, OverflowError):
        return None
