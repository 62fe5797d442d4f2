"""The host and the engine's share of it: one line for each figure, live as long as the engine tells them. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from console.figures import bytes_
from console.model.link import Gauges
from console.view.spans import BAD, DIM, LIVE, TEXT, WARN, Line, Spans
from engine.model.host import HostFigures

Row = tuple[Hashable, Spans]
NAMES = 24
BAR = 12
LOW_DISK = 500 * 1024 * 1024
"""Below this the engine starts nothing."""
_LONG_WAL = 256 * 1024 * 1024
_SLOW_LOOP = 100.0
"""Milliseconds that the engine's loop may be late before it is said."""


def rows(gauges: Gauges) -> Iterator[Row]:
    """What the engine says of its host and of itself."""
    if gauges.host is not None:
        yield from ((("host", name), spans) for name, spans in _host(gauges.host))
    yield from ((("process", name), spans) for name, spans in _engine(gauges))


def bar(share: float) -> str:
    """A share from 0 to 1 as a bar; anything above nothing has a cell."""
    filled = max(0, min(BAR, -int(-share * BAR // 1)))
    return "█" * filled + "·" * (BAR - filled)


def _line(name: str, share: float | None, figure: str, rest: str, token: str = TEXT) -> tuple[str, Spans]:
    line = Line().gap(1).cell(name, NAMES, TEXT).gap(2)
    line.cell("" if share is None else bar(share), BAR, token if token != TEXT else LIVE).gap(1)
    return name, line.figure(figure, 8, token).gap(2).add(rest, DIM).done()


def _host(host: HostFigures) -> Iterator[tuple[str, Spans]]:
    load = "" if host.load is None else f", load {host.load:.2f}"
    cores = f"{host.cores} core{'s' if host.cores != 1 else ''}"
    yield _line("processor", host.cpu_percent / 100, f"{host.cpu_percent:.0f}%", f"of {cores}{load}")
    used = 1 - host.disk_free / max(host.disk_total, 1)
    token = BAD if host.disk_free < LOW_DISK else WARN if used > 0.95 else TEXT
    words = f"free of {bytes_(host.disk_total)} at the home"
    yield _line("disk", used, bytes_(host.disk_free), words, token)


def _engine(gauges: Gauges) -> Iterator[tuple[str, Spans]]:
    lag = gauges.loop_lag_ms
    words = "late at worst in a second"
    yield _line("loop lag", None, f"{lag:.1f}ms", words, WARN if lag > _SLOW_LOOP else TEXT)
    yield _line("engine processor", None, f"{gauges.cpu_percent:.0f}%", "of a core, tasks not counted")
    yield _line("engine memory", None, bytes_(gauges.rss_bytes), "resident, tasks not counted")
    host = gauges.host
    if host is not None:
        most, have = host.most_descriptors, host.descriptors
        if have is not None:
            share = None if most is None else have / max(most, 1)
            token = WARN if share is not None and share > 0.8 else TEXT
            words = "open" if most is None else f"open of {most} allowed"
            yield _line("descriptors", share, str(have), words, token)
        wal = f"and {bytes_(host.wal_bytes)} write-ahead log"
        token = WARN if host.wal_bytes > _LONG_WAL else TEXT
        yield _line("store", None, bytes_(host.store_bytes), wal, token)
    people = ", ".join(gauges.attached)
    yield _line("consoles", None, str(len(gauges.attached)), people)
