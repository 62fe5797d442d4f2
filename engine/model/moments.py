"""Moments and durations: integer microseconds UTC inside, ISO 8601 with `Z` at the borders."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

Micros: TypeAlias = int
"""Microseconds: a moment (since 1970-01-01T00:00Z) or a duration, as the name beside it says."""

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> Micros:
    """The moment of an aware datetime. Raises ValueError on a naive one: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"datetime {moment!r} has no time zone")
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(moment: Micros, zone: str = "UTC") -> datetime:
    """The aware datetime of a moment, in an IANA zone."""
    utc = _EPOCH + timedelta(microseconds=moment)
    return utc if zone == "UTC" else utc.astimezone(ZoneInfo(zone))


def to_iso(moment: Micros) -> str:
    """ISO 8601 in UTC, with microseconds only where there are some: `2026-11-22T01:00:00Z`."""
    return to_datetime(moment).isoformat().replace("+00:00", "Z")


def to_local(moment: Micros, zone: str) -> str:
    """For people: what a clock in the zone shows, a whole day as its date: `2026-11-22`, `2026-11-22 06:00`."""
    local = to_datetime(moment, zone).replace(tzinfo=None)
    if local.time() in (time.min, time.max):
        return local.date().isoformat()
    return local.isoformat(" ", "seconds" if local.second else "minutes")


def from_iso(text: str, zone: str = "UTC") -> Micros:
    """The moment of ISO 8601 text; naive text is read in `zone`. Raises ValueError when it is not a date or time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return from_datetime(moment)


def compact(moment: Micros) -> str:
    """The form used in run ids: `20261122T010000Z`."""
    return to_datetime(moment).strftime("%Y%m%dT%H%M%SZ").rjust(16, "0")


def seconds(duration: timedelta) -> float:
    """A timedelta in seconds."""
    return duration.total_seconds()
