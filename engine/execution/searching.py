"""Which retry rules find their regular expression in what an attempt said: asked of a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence

from engine.execution.process import spawn
from engine.model.attempt_files import LOG

_SECONDS = 5.0


async def search(path: str, line: str | None, expressions: Sequence[str | None]) -> tuple[int, ...]:
    """Places of the expressions that are found in the error's line or in the last lines of the log below `path`.

    Raises SearchFailed when that cannot be said, for instance because an expression takes too long.
    """
    try:
        return await asyncio.to_thread(_search, path, line, list(expressions))
    except RuntimeError as problem:  # the host lets nobody start a thread now
        raise SearchFailed(f"the regular expressions of its retry rules could not be searched: {problem}") from problem


class SearchFailed(Exception):
    """The expressions could not be searched; the text says why."""


def _search(path: str, line: str | None, expressions: list[str | None]) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-X", "utf8", spawn.BOOTSTRAP, "match", f"{path}/{LOG}"],
            input=json.dumps([line, expressions]).encode(),
            capture_output=True,
            timeout=_SECONDS,
            env=spawn.base_environment(),
            check=True,
        )
        return tuple(json.loads(answer.stdout))
    except subprocess.TimeoutExpired:
        raise SearchFailed(f"the regular expressions of its retry rules took longer than {_SECONDS:g} s") from None
    except (OSError, subprocess.CalledProcessError, ValueError) as problem:
        raise SearchFailed(f"the regular expressions of its retry rules could not be searched: {problem}") from None
