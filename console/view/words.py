"""How states, moments and waits read in words and signs, the same in every view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.figures import clock, coarse, countdown, date, duration, took
from console.glyphs import INTENT, glyph, token
from console.model.figures import FASTER, SLOWER, trend
from console.view.spans import DIM, TEXT, WARN, Spans
from console.view.spans import INTENT as INTENT_TOKEN
from engine.model.moments import DAY, MINUTE, SECOND, Micros, from_iso, to_datetime

if TYPE_CHECKING:
    from console.model.dags import LiveTask
    from console.model.intents import Intent
from console.model.runs import Mention, TaskCard

MENTION_FOR: Micros = 5 * MINUTE

_PAST = {
    "clear": "cleared",
    "rerun": "rerun",
    "mark": "marked",
    "kill": "stopped",
    "retry": "retried",
    "recover": "run again",
    "cancel": "cancelled",
    "trigger": "triggered",
    "pause": "paused",
    "resume": "resumed",
}

_BLOCKERS = {
    "retry_at": "retry",
    "depends_on_past": "the run before",
    "dag_paused": "DAG is paused",
    "dag_broken": "file to be mended",
    "run_paused": "run is paused",
    "run_queued": "run is queued",
    "run_after": "its time",
    "hold": "hold",
    "degraded": "engine degraded",
    "max_active_runs": "active runs of the DAG",
    "max_active_tasks_per_dag": "active tasks of the DAG",
    "max_active_tasks_per_run": "active tasks of the run",
    "max_active_tis_per_task": "other runs of this task",
    "engine_slots": "engine slots",
    "disk": "free disk",
    "memory_guard": "free memory",
    "draining": "engine draining",
}


def until_words(at: Micros, now: Micros, zone: str = "UTC") -> str:
    """A future moment: `03:10  55m` within a day, `1 Dec  06:00` after it; `due` once it has passed."""
    if at <= now:
        return f"{clock(at, zone, seconds=False)}  due"
    if at - now < DAY:
        return f"{clock(at, zone, seconds=False)}  {coarse(at - now)}"
    return f"{date(at, zone)}  {clock(at, zone, seconds=False)}"


def took_words(value: Micros) -> str:
    """How long something took."""
    return took(value)


def usual_words(value: Micros) -> str:
    """A percentile: tenths only where they say something."""
    return took_words(value) if value < 10 * SECOND else duration(value, tenths=False)


def ago_words(then: Micros, now: Micros) -> str:
    """How long ago as of the last full minute, so that a calm screen is still: `<1m`, `41m`, `2h46m`, `3d04h`."""
    age = now // MINUTE * MINUTE - then
    return coarse(age) if age >= MINUTE else "<1m"


def moment_words(at: Micros, now: Micros, zone: str = "UTC") -> str:
    """A past moment: the time of day within a day, else day and time."""
    if abs(now - at) < DAY:
        return clock(at, zone, seconds=False)
    return f"{date(at, zone)} {clock(at, zone, seconds=False)}"


def logical_words(at: Micros, zone: str = "UTC") -> str:
    """A logical date, absolute: `2026-11-22 01:10`; seconds only where there are some."""
    moment = to_datetime(at, zone)
    return moment.strftime("%Y-%m-%d %H:%M" if at % MINUTE == 0 else "%Y-%m-%d %H:%M:%S").rjust(16, "0")


def run_words(run_id: str, now: Micros, zone: str = "UTC") -> str:
    """A run without its DAG: its logical date as short as it can be told, and the tail of a run made by hand.

    `16:10` within a day, `21 Nov 16:10`, `8 Jan 2012 08:00`, `16:22:23 ~4cmfkn`; in another zone than UTC, in which
    the moments beside it are told, with that zone's short name: `17:10 CET`.
    """
    name = run_id.partition("@")[2] or run_id
    stamp, tilde, tail = name.partition("~")
    try:
        at = from_iso(stamp)
    except ValueError:
        return name
    moment = to_datetime(at, zone)
    words = clock(at, zone, seconds=bool(moment.second))
    if abs(now - at) >= DAY:
        year = f" {moment.year}" if moment.year != to_datetime(now, zone).year else ""
        words = f"{date(at, zone)}{year} {words}"
    named = moment.tzname() if zone != "UTC" else None
    return " ".join(part for part in (words, named, tilde + tail) if part)


def interval_words(start: Micros, end: Micros, zone: str = "UTC") -> str:
    """A data interval, as short as it can be told: `01:10–02:10`, `21 Nov 2026`, `21 Nov 23:30 – 22 Nov 00:30`."""
    first, last = to_datetime(start, zone), to_datetime(end, zone)
    if start >= end:
        return logical_words(start, zone)
    if first.date() == last.date():
        return f"{clock(start, zone, seconds=False)}–{clock(end, zone, seconds=False)}"
    if (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0):
        if end - start <= DAY + 2 * 60 * MINUTE:
            return f"{date(start, zone)} {first.year}"
        return f"{date(start, zone)} – {date(end - SECOND, zone)} {first.year}"
    return (
        f"{date(start, zone)} {clock(start, zone, seconds=False)} – {date(end, zone)} {clock(end, zone, seconds=False)}"
    )


def blocker_words(blockers: Sequence[str], upstream: Sequence[str] = ()) -> str:
    """What an instance waits for: the tasks above it by name, limits by what they limit."""
    words: list[str] = []
    for code in blockers:
        kind, _, name = code.partition(":")
        if kind == "upstream":
            words.append(", ".join(upstream) if upstream else "upstream")
        elif kind == "depends_on_past":
            words.append(f"the run before{f', {name}' if name else ''}")
        elif name:
            words.append(f"{kind} {name}")
        else:
            words.append(_BLOCKERS.get(kind, kind.replace("_", " ")))
    return ", then ".join(word for word in words if word)


def task_words(task: TaskCard, now: Micros) -> str:
    """A task instance's state beside its glyph: only what the glyph does not say."""
    match task.state:
        case "up_for_retry":
            return _retry_words(task.attempt + 1, task.epoch_start, task.max_tries, task.retry_at, now)
        case "success" if task.tries > 1:
            return f"after {task.tries} tries"
        case "failed" if task.tries > 1:
            return f"failed after {task.tries} tries"
        case "killing" | "running" if task.reason == "unkillable":
            return f"unkillable > {task.then_state}" if task.then_state else "unkillable"
        case "killing":
            return f"killing > {task.then_state}" if task.then_state else "killing"
        case "success" | "none":
            return ""
        case "up_for_reschedule":
            return "waiting"
        case _:
            return task.state.replace("_", " ")


def _retry_words(number: int, epoch_start: int, tries: int | None, at: Micros | None, now: Micros) -> str:
    of = f" of {tries}" if tries else ""
    when = "" if at is None else f" in {countdown(at, now)}" if at > now else " now"
    return f"try {number - epoch_start}{of}{when}"


def live_words(task: LiveTask, now: Micros, *, compact: bool = False) -> Spans:
    """What one live task of a run does, for the overview: its name, and how long or until when."""
    name = task.task_id
    if task.state in ("running", "killing"):
        if task.started_at is None:
            return ((name, TEXT),)
        elapsed = now - task.started_at
        words: Spans = ((name, TEXT), (f" {duration(elapsed, tenths=False)}", TEXT))
        return (*words, *over_usual(elapsed, task.p95)) if task.state == "running" else (*words, (" killing", WARN))
    if task.state == "up_for_retry":
        if compact:
            of = f"/{task.max_tries}" if task.max_tries else ""
            left = "" if task.retry_at is None else f" {countdown(task.retry_at, now)}"
            return ((name, TEXT), (f" {task.attempt + 1 - task.epoch_start}{of}{left}", WARN))
        tries = _retry_words(task.attempt + 1, task.epoch_start, task.max_tries, task.retry_at, now)
        return ((name, TEXT), (f", {tries}", WARN))
    if task.state == "queued":
        return ((name, TEXT), (" starts", DIM))
    waits = blocker_words(task.blockers)
    return ((name, TEXT), (f" waits for {waits}" if waits else " waits", DIM))


def over_usual(elapsed: Micros, p95: Micros | None) -> Spans:
    """`  1.8× p95` once a running task takes clearly longer than it usually does."""
    if not p95 or elapsed < p95 * 1.1 or elapsed < 5 * SECOND:
        return ()
    return ((f"  {int(elapsed / p95 * 10) / 10:.1f}× p95", WARN),)


def trend_words(took: Sequence[Micros], *, short: bool = False) -> Spans:
    """Whether the last ten took clearly longer, or less, than those before; nothing while there are too few."""
    ratio = trend(took)
    if ratio is None:
        return ()
    if ratio > SLOWER:
        return ((f"{ratio:.1f}× slower" if short else f"slower of late, {ratio:.1f}×", WARN),)
    return (("faster of late" if ratio < FASTER else "steady", DIM),)


def sign(state: str) -> tuple[str, str]:
    """A state's glyph as a span."""
    return glyph(state), token(state)


def intent_words(intent: Intent | None) -> Spans:
    """What was asked for, after the true state: `  ⟶ kill requested`."""
    return () if intent is None else ((f"  {INTENT} {intent.words}", INTENT_TOKEN),)


def mention_words(mention: Mention | None, now: Micros) -> Spans:
    """`cleared by ops2 02:12`, for five minutes."""
    if mention is None or not 0 <= now - mention.at < MENTION_FOR:
        return ()
    done = _PAST.get(mention.verb, mention.verb)
    return ((f"{done} by {mention.who} {clock(mention.at, seconds=False)}", "accent"),)


def counts_words(counts: Mapping[str, int]) -> Spans:
    """Task instances by state, as signs: `5✓ 1↻ 2.`; nothing that is zero."""
    order = (
        "success", "running", "killing", "up_for_retry", "failed", "upstream_failed", "skipped", "cancelled", "queued",
        "scheduled", "deferred", "up_for_reschedule", "awaiting_input", "none", "removed",
    )  # fmt: skip
    spans: list[tuple[str, str]] = []
    for state in (*order, *(state for state in counts if state not in order)):
        if counts.get(state):
            if spans:
                spans.append((" ", DIM))
            spans.append((str(counts[state]), TEXT))
            spans.append(sign(state))
    return tuple(spans)
