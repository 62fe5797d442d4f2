"""Long looks at a home, in processes of their own, so that they cost the engine's loop nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 6 * 3600.0


class ChildFailed(Exception):
    """The process ended badly; the text is its last word."""


async def prune_files(root: Path, *, dry_run: bool) -> dict[str, Any]:
    """What `engine.upkeep.pruning` tells of a home. Raises ChildFailed."""
    command = [sys.executable, "-m", "engine.upkeep.pruning", "--home", str(root), *(["--dry-run"] if dry_run else [])]
    return await asyncio.to_thread(_run, command)


def _run(command: list[str]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ChildFailed(str(error)) from error
    if done.returncode != 0:
        raise ChildFailed((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    told: dict[str, Any] = json.loads(done.stdout)
    return told
