"""Whether what a listing shows goes on: without an engine nothing that it says is under way is looked after."""

from __future__ import annotations

from collections.abc import Iterable

from console.cli.output import warn
from console.cli.reading import Reader, SessionLine, last_session
from engine.home import Home
from engine.model.moments import Micros, to_iso
from engine.model.states import TERMINAL_RUN

_DAY = 10
"""Characters of a date in ISO 8601."""


def mention_idleness(home: Home, store: Reader, run_states: Iterable[str], now: Micros) -> None:
    """One line on standard error when a run that is shown is not over and no engine runs."""
    if all(state in TERMINAL_RUN for state in run_states):
        return
    # Imported on first use: most listings show what is over, and do without the link to the engine.
    from console.cli.link import engine_pid

    if engine_pid(home) is None:
        warn(f"{idleness(last_session(store), now)} (dagdeck engine start)")


def mention_hold(store: Reader, runs: Iterable[int], now: Micros) -> bool:
    """Says on standard error what hold or pause a task of these runs waits for; whether there was one to tell of."""
    # Imported on first use: listings explain nothing.
    from console.cli.explaining import held

    found = held(store, runs, now)
    for text in found:
        warn(text)
    return bool(found)


def idleness(last: SessionLine | None, now: Micros) -> str:
    """Since when no engine runs. One that was killed could not say when: it was last seen a few seconds before."""
    if last is None:
        return "no engine runs: none ever did"
    if last.ended_at is not None:
        return f"no engine runs since {_moment(last.ended_at, now)}"
    return f"no engine runs: last seen {_moment(max(last.last_seen_at, last.started_at), now)}"


def _moment(moment: Micros, now: Micros) -> str:
    """`15:12:03 UTC`, with the day before it where that is not today."""
    text, today = to_iso(moment), to_iso(now)[:_DAY]
    day, clock = text[:_DAY], text[_DAY + 1 :][:8]
    return f"{clock} UTC" if day == today else f"{day} {clock} UTC"
