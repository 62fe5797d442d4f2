"""Starts the stage program in a pseudo terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.pty import PtyProgram

_ROOT = str(Path(__file__).resolve().parents[2])


def stage(
    mode: str, *arguments: str, size: tuple[int, int] = (100, 30), env: Mapping[str, str] | None = None
) -> PtyProgram:
    """The stage program in one of its modes; use it as a context manager."""
    command = [sys.executable, "-m", "tests.support.stage_program", mode, *arguments]
    return PtyProgram(command, size=size, env=env, cwd=_ROOT)
