"""Where messages go: web addresses by httpx, commands as processes. Nothing here is ever waited for by the loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

SECONDS = 30.0
"""How long a command, or an address, may take."""
_TRIES = 3
_LAST_WORDS = 2000


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
            async with (
                httpx.AsyncClient(timeout=SECONDS / _TRIES, trust_env=False, follow_redirects=False) as client,
                client.stream(method, url, content=body, headers=headers) as answer,
            ):
                code = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            problem = type(error).__name__
        else:
            if code < 300:
                return
            problem = f"answered {code}"
            if code < 500 and code not in (408, 425, 429):
                break
        if attempt + 1 < _TRIES:
            await asyncio.sleep(2.0**attempt)
    raise Undelivered(problem)


async def run_command(command: tuple[str, ...], message: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Runs a command that reads the message as JSON; after half a minute it is killed. Raises Undelivered."""
    data = json.dumps(message).encode() + b"\n"
    await asyncio.to_thread(_run, command, data, dict(environment))


def _run(command: tuple[str, ...], data: bytes, environment: dict[str, str]) -> None:
    # Files and not pipes: a grandchild that keeps a pipe open would keep us waiting.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(data)
        given.seek(0)
        try:
            child = subprocess.Popen(
                command, stdin=given, stdout=said, stderr=said, env=environment, start_new_session=True, cwd="/"
            )
        except OSError as error:
            raise Undelivered(f"{command[0]}: {error.strerror}") from error
        try:
            code = child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise Undelivered(f"{command[0]} had not ended after {SECONDS:.0f} s and was killed") from None
        if code != 0:
            said.seek(0)
            words = said.read(_LAST_WORDS).decode(errors="replace").strip()
            raise Undelivered(f"{command[0]} ended with {code}{': ' + words if words else ''}")
