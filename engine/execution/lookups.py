"""Secrets of attempts, looked up off the loop just before their processes start."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from engine.connections import ConnectionUnusable, Resolved
from engine.model.attempt_files import AttemptStatus

Wanted: TypeAlias = Mapping[str, Mapping[str, Any]]
Resolve: TypeAlias = Callable[[Wanted], Resolved]

SECONDS = 30.0
"""How long an attempt waits for its secrets: a locked keyring may ask a person who is not there."""


def not_configured(wanted: Wanted) -> Resolved:
    """For executors that were given no way to look anything up. Raises ConnectionUnusable."""
    raise ConnectionUnusable(f"connection {next(iter(wanted))}: nothing looks connections up here")


async def look_up(resolve: Resolve, wanted: Wanted) -> dict[str, Any] | AttemptStatus:
    """What the attempt is to be given; or how it has ended because that cannot be had, for good or for now."""
    names = f"connection {', '.join(wanted)}"
    try:
        found = await asyncio.wait_for(_asked(resolve, wanted), SECONDS)
    except ConnectionUnusable as problem:
        return _failed("permanent", str(problem))
    except TimeoutError:
        text = f"{names}: its secrets were not to be had within {SECONDS:g} s: is a keyring locked?"
        return _failed("infrastructure", text)
    except Exception as problem:  # whatever a keyring makes of it; its text may hold the secret
        return _failed("infrastructure", f"{names}: its secrets cannot be looked up: {type(problem).__name__}")
    return {"connections": found.values, "secrets": found.secrets}


def _failed(kind: str, error: str) -> AttemptStatus:
    return AttemptStatus(1, "engine", outcome="failed", failure_class=kind, error=error)


def _asked(resolve: Resolve, wanted: Wanted) -> asyncio.Future[Resolved]:
    """What a thread of its own finds. The engine's other threads are few, and its end waits for them."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Resolved] = loop.create_future()

    def told(found: Resolved | None, problem: Exception | None) -> None:
        if answer.done():
            return
        if problem is not None:
            answer.set_exception(problem)
        elif found is not None:
            answer.set_result(found)

    def ask() -> None:
        found: Resolved | None = None
        problem: Exception | None = None
        try:
            found = resolve(wanted)
        except Exception as error:
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(told, found, problem)

    threading.Thread(target=ask, name="secrets", daemon=True).start()
    return answer
