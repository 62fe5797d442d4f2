"""Where messages go: web addresses by httpx, commands as processes. Nothing here is ever waited for by the loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from engine.observe.processes import Failed, run_process

SECONDS = 30.0
"""How long a command, or an address, may take."""
_TRIES = 3
_BETWEEN = 1.0
"""Seconds before the second try; twice as many before the third."""
_LAST_WORDS = 300


class Undelivered(Exception):
    """A message did not arrive; the text says why. It never holds the address, which may be a secret."""


async def call_address(method: str, url: str, body: bytes | None = None, key: str = "") -> None:
    """One request, tried again on failures of the connection and on answers that ask for it. No redirects are followed.

    `key` is the same for each try of one message, so that the other side can tell. Raises Undelivered.
    """
    import httpx  # on first use: most engines never call anybody

    headers = {"Content-Type": "application/json", "Idempotency-Key": key} if body is not None else {}
    problem = ""
    for attempt in range(_TRIES):
        try:
            # One limit for all of it: httpx begins its own anew with each byte that arrives.
            async with (
                asyncio.timeout(SECONDS / _TRIES),
                httpx.AsyncClient(timeout=SECONDS / _TRIES, trust_env=False, follow_redirects=False) as client,
                client.stream(method, url, content=body, headers=headers) as answer,
            ):
                code = answer.status_code
        except Exception as error:  # whatever an address makes of its call: its name alone is told
            problem = type(error).__name__
        else:
            if code < 300:
                return
            problem = f"answered {code}"
            if code < 500 and code not in (408, 425, 429):
                break
        if attempt + 1 < _TRIES:
            await asyncio.sleep(_BETWEEN * 2**attempt)
    raise Undelivered(problem)


async def run_command(command: tuple[str, ...], message: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Runs a command that reads the message as JSON; after half a minute it is killed. Raises Undelivered."""
    data = json.dumps(message).encode() + b"\n"
    try:
        code, said = await run_process(command, seconds=SECONDS, given=data, environment=environment)
    except Failed as error:
        raise Undelivered(str(error)) from error
    if code != 0:
        words = " ".join(said[-_LAST_WORDS:].decode(errors="replace").split())  # it stands in one line of a header
        raise Undelivered(f"{command[0]} ended with {code}{': ' + words if words else ''}")
