"""Running the command line: inside this process where that is enough, as a process of its own where it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from tests.support.source import PROJECT


@dataclass(frozen=True)
class Answer:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Cli:
    """The command line, called in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Answer:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Answer(code, out, err)


def dagdeck(*arguments: object, cwd: Path | None = None, timeout: float = 60.0, **environment: str) -> Answer:
    """The command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "dagdeck", *map(str, arguments)],
        cwd=cwd or PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
