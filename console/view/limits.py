"""Pools, circuit breakers, questions to people and the host, one line each. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from console.figures import bytes_, countdown, duration
from console.model.limits import BreakerCard, LimitsCard, PoolCard, QuestionCard
from console.model.link import Gauges
from console.view import host
from console.view.sorting import Order
from console.view.spans import ACCENT, BAD, DIM, LIVE, TEXT, WARN, Line, Spans, crop
from console.view.words import run_words, sign
from engine.model.moments import Micros

Row = tuple[Hashable, Spans]
_NAMES = 24
_BAR = 12
_UTC: Mapping[str, str] = MappingProxyType({})
"""No zones are known: dates are told in UTC."""


def rows(
    card: LimitsCard,
    now: Micros,
    width: int,
    gauges: Gauges | None = None,
    zones: Mapping[str, str] = _UTC,
    order: Order[Any] | None = None,
) -> list[Row]:
    """A line each under headings; what nothing is to be said of is left out. `gauges` are the engine's, if it is up,
    `zones` those of the DAGs by their ids."""
    lines: list[Row] = []
    if card.questions:
        lines.append(_heading("waits for a person", width))
        for q in card.questions:
            spans = _question(q, now, zones.get(q.dag_id, "UTC"))
            lines.append((("ask", q.run_id, q.task_id, q.map_index), crop(spans, width)))
        lines.append((None, ()))
    lines.append(_heading(f"{'pool':<{_NAMES}}  taken/slots          wanted  held by", width, order))
    pools = card.pools if order is None else order.of(card.pools, now)
    lines += [(("pool", pool.name), crop(_pool(pool, now), width)) for pool in pools]
    if card.breakers:
        lines.append((None, ()))
        lines.append(_heading(f"{'breaker':<{_NAMES}}  state      failures  then", width, order))
        breakers = card.breakers if order is None else order.of(card.breakers, now)
        lines += [(("breaker", each.name), crop(_breaker(each, now), width)) for each in breakers]
    if gauges is not None:
        lines.append((None, ()))
        lines.append(_heading(f"{'engine':<{_NAMES}}  taken/all", width))
        lines += [(("engine", name), crop(spans, width)) for name, spans in _engine(gauges)]
        lines += [(None, ()), _heading(f"{'host and engine':<{_NAMES}}  now", width)]
        lines += [(key, crop(spans, width)) for key, spans in host.rows(gauges)]
    return lines


def _heading(words: str, width: int, order: Order[Any] | None = None) -> Row:
    titles: Spans = ((f" {words}", DIM),)
    return None, crop(titles if order is None else order.titled(titles), width)


def _pool(pool: PoolCard, now: Micros) -> Spans:
    full = pool.slots >= 0 and pool.used >= pool.slots
    token = WARN if full and pool.wanted else TEXT
    line = Line().gap(1).cell(pool.name, _NAMES, TEXT, cut="middle").gap(2)
    line.add(_bar(pool.used, pool.slots), LIVE if pool.used else DIM).gap(1)
    line.figure(f"{pool.used}/{'∞' if pool.slots < 0 else pool.slots}", 8, token)
    line.figure(str(pool.wanted) if pool.wanted else "", 7, token).gap(2)
    for part, part_token in _holders(pool, now):
        line.add(part, part_token)
    return line.done()


def _engine(gauges: Gauges) -> Iterator[tuple[str, Spans]]:
    """The limits of the whole engine: its slots, and what the guard of the host's memory sees."""
    full = gauges.slots_used >= gauges.slots
    line = Line().gap(1).cell("slots", _NAMES, TEXT).gap(2)
    line.add(_bar(gauges.slots_used, gauges.slots), LIVE if gauges.slots_used else DIM).gap(1)
    line.figure(f"{gauges.slots_used}/{gauges.slots}", 8, WARN if full and gauges.queued else TEXT)
    yield "slots", line.done()
    if gauges.memory is not None:
        left, total, least = gauges.memory
        low = left < least
        line = Line().gap(1).cell("memory", _NAMES, TEXT).gap(2)
        line.add(_bar(total - left, total), BAD if low else LIVE).gap(1)
        words = f"{bytes_(total - left)}/{bytes_(total)}"
        line.figure(words, max(8, len(words)), BAD if low else TEXT)
        if low:
            line.add(f"   {bytes_(left)} left: starts need {bytes_(least)}", BAD)
        elif least:
            line.add(f"   starts need {bytes_(least)} left", DIM)
        yield "memory", line.done()


def _bar(used: int, of: int) -> str:
    if of <= 0:
        return "·" * _BAR
    filled = min(_BAR, max(0, -(-used * _BAR // of)))
    return "█" * filled + "·" * (_BAR - filled)


def _holders(pool: PoolCard, now: Micros) -> Iterator[tuple[str, str]]:
    for number, holder in enumerate(pool.holders[:3]):
        if number:
            yield ", ", DIM
        yield holder.name, TEXT
        slots = f" ×{holder.slots}" if holder.slots > 1 else ""
        if holder.due is not None:
            slots += f" {sign('up_for_retry')[0]} {countdown(holder.due, now)}"
        since = f" {duration(max(now - holder.since, 0), tenths=False)}" if holder.since is not None else ""
        yield f"{slots}{since}", DIM
    if not pool.holders and pool.slots == 0:
        yield "stopped: nothing of it starts", WARN


def _breaker(each: BreakerCard, now: Micros) -> Spans:
    token = {"open": BAD, "half_open": WARN}.get(each.state, DIM)
    line = Line().gap(1).cell(each.name, _NAMES, TEXT, cut="middle").gap(2)
    line.cell(each.state.replace("_", " "), 9, token).gap(2).figure(str(each.failures), 8, TEXT).gap(2)
    for part, part_token in _next(each, now):
        line.add(part, part_token)
    if each.last_error and each.state != "closed":
        line.add(f"  {each.last_error}", DIM)
    return line.done()


def _next(each: BreakerCard, now: Micros) -> Iterator[tuple[str, str]]:
    if each.state == "open" and each.until is None:
        by = f" by {each.by}" if each.by else ""
        note = f": {each.note}" if each.note else ""
        yield f"held open{by}{note}", WARN
    elif each.until is not None:
        yield f"probe in {countdown(each.until, now)}", TEXT
    elif each.state == "half_open":
        yield ("its probe runs" if each.probing else "a probe goes out"), TEXT


def _question(asked: QuestionCard, now: Micros, zone: str) -> Spans:
    name = asked.task_id if asked.map_index < 0 else f"{asked.task_id}[{asked.map_index}]"
    line = Line().add(" ? ", WARN).add(f"{asked.dag_id}/{name}", f"{ACCENT} bold")
    line.add(f"  {run_words(asked.run_id, now, zone)}  ", DIM)
    line.add(f"{asked.message or 'an answer'}  ", TEXT).add(" / ".join(asked.options), DIM)
    line.add(f"  for {duration(max(now - asked.asked_at, 0), tenths=False)}", DIM)
    if asked.due is not None:
        then = asked.default or "fails"
        line.add(f"  {then} in {countdown(asked.due, now)}", WARN)
    return line.done()


def title(width: int) -> tuple[Spans, Spans]:
    """What this is."""
    return crop(((" pools, breakers, approvals, host", f"{TEXT} bold"),), width), ()


def facts(card: LimitsCard | None) -> Spans:
    """How much there is."""
    if card is None:
        return ()
    counts = {state: sum(each.state == state for each in card.breakers) for state in ("open", "half_open")}
    words = f"{len(card.pools)} pool{'s' if len(card.pools) != 1 else ''}"
    parts: list[tuple[str, str]] = [(words, DIM)]
    for state, count in counts.items():
        if count:
            words = f", {count} breaker{'s' if count != 1 else ''} {state.replace('_', ' ')}"
            parts.append((words, BAD if state == "open" else WARN))
    if card.questions:
        parts.append((f", {len(card.questions)} to answer", WARN))
    return tuple(parts)
