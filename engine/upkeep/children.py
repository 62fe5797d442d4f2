"""Long looks at a home, in processes of their own, so that they cost the engine's loop nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from engine.observe.processes import Failed, run_process

_SECONDS = 6 * 3600.0


class ChildFailed(Exception):
    """The process ended badly; the text is its last word."""


async def prune_files(root: Path, *, dry_run: bool) -> dict[str, Any]:
    """What `engine.upkeep.pruning` tells of a home. Raises ChildFailed."""
    command = [sys.executable, "-m", "engine.upkeep.pruning", "--home", str(root), *(["--dry-run"] if dry_run else [])]
    try:
        code, said = await run_process(command, seconds=_SECONDS, folder=Path(__file__).parents[2])
        if code == 0:
            told: dict[str, Any] = json.loads(said)
            return told
    except (Failed, ValueError) as error:
        raise ChildFailed(str(error)) from error
    words = said.decode(errors="replace").strip() or f"exit code {code}"
    raise ChildFailed(words.splitlines()[-1])
