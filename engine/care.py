"""What `dagdeck.toml` says about years: how long things are kept, and who is told of failures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

GB = 1_000_000_000
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in days or parts of one. 0 days or bytes is without limit."""

    log_days: float = 30
    log_bytes: int = 20 * GB
    """Of all attempt directories together."""
    run_days: float = 365
    event_days: float = 90
    audit_days: float = 0
    at: int = 3 * 60
    """When it is pruned: minutes after midnight in the home's zone."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a message goes: a command, which reads it as JSON on its standard input, or a web address."""

    command: tuple[str, ...] = ()
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """Who hears of failed runs, and how often."""

    default: Channel | None = None
    dags: Mapping[str, Channel] = field(default_factory=dict)
    """By glob of DAG ids; the first that fits is used."""
    gather: float = 10.0
    """Seconds after a failure in which others join its message."""
    apart: float = 300.0
    """Seconds between two messages of one channel: what fails meanwhile is one message."""

    def channel(self, dag_id: str) -> Channel | None:
        """Where failures of a DAG are told; None: nowhere."""
        for pattern, channel in self.dags.items():
            if fnmatchcase(dag_id, pattern):
                return channel
        return self.default


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """An address that is asked for again and again while the engine is well, so that its silence tells of its death."""

    url: str
    every: float = 60.0
    """Seconds."""


def retention_of(raw: Mapping[str, Any]) -> Retention:
    """Reads `[retention]`. Raises ValueError naming the key and what is allowed."""
    known = {"log_days", "log_gb", "run_days", "event_days", "audit_days"}
    _only("retention", raw, known | {"at"})
    for key in known & raw.keys():
        value = raw[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100_000:
            raise ValueError(f"retention.{key} = {value!r} should be a number, 0 for no limit")
    default = Retention()
    return Retention(
        log_days=raw.get("log_days", default.log_days),
        log_bytes=round(raw.get("log_gb", default.log_bytes / GB) * GB),
        run_days=raw.get("run_days", default.run_days),
        event_days=raw.get("event_days", default.event_days),
        audit_days=raw.get("audit_days", default.audit_days),
        at=_minutes(raw.get("at", "03:00")),
    )


def telling_of(raw: Mapping[str, Any]) -> Telling:
    """Reads `[on_failure]`. Raises ValueError naming the key and what is allowed."""
    _only("on_failure", raw, {"command", "webhook", "gather_seconds", "apart_seconds", "dags"})
    dags = raw.get("dags", {})
    if not isinstance(dags, dict) or not all(isinstance(table, dict) for table in dags.values()):
        raise ValueError('on_failure.dags should hold a table for each DAG, as [on_failure.dags."trades_*"]')
    for pattern, table in dags.items():
        _only(f"on_failure.dags.{pattern}", table, {"command", "webhook"})
    return Telling(
        default=_channel("on_failure", raw),
        dags={pattern: _channel(f"on_failure.dags.{pattern}", table) or Channel() for pattern, table in dags.items()},
        gather=_seconds("on_failure.gather_seconds", raw.get("gather_seconds", 10), 0),
        apart=_seconds("on_failure.apart_seconds", raw.get("apart_seconds", 300), 0),
    )


def heartbeat_of(url: str | None, every: object) -> Heartbeat | None:
    """Reads `heartbeat_url` and `heartbeat_seconds`. Raises ValueError."""
    seconds = _seconds("heartbeat_seconds", every, 1)
    return Heartbeat(_address("heartbeat_url", url), seconds) if url is not None else None


def _channel(where: str, raw: Mapping[str, Any]) -> Channel | None:
    command, webhook = raw.get("command", []), raw.get("webhook")
    if not isinstance(command, list) or not all(isinstance(word, str) and "\0" not in word for word in command):
        raise ValueError(f'{where}.command should be a list of words, such as ["/usr/local/bin/page", "etl"]')
    if command and not command[0].startswith("/"):
        raise ValueError(f"{where}.command: {command[0]!r} should be an absolute path")
    if webhook is not None:
        _address(f"{where}.webhook", webhook)
    return Channel(tuple(command), webhook) if command or webhook is not None else None


def _address(where: str, url: object) -> str:
    try:
        parts = urlsplit(url) if isinstance(url, str) and len(url) <= 2000 else None
        right = parts is not None and parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that there is none of, half an address in brackets
        right = False
    if not right:
        raise ValueError(f"{where} = {url!r} should be an address that begins with https:// or http://")
    return str(url)


def _only(where: str, raw: Mapping[str, Any], known: set[str]) -> None:
    for key in raw:
        if key not in known:
            raise ValueError(f"unknown setting {where}.{key}; known are {', '.join(sorted(known))}")


def _seconds(where: str, value: object, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 86_400:
        raise ValueError(f"{where} = {value!r} should be seconds between {least:g} and 86400")
    return float(value)


def _minutes(value: object) -> int:
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'retention.at = {value!r} should be a time of day, such as "03:00"')
    return int(found[1]) * 60 + int(found[2])
