"""Other users of the machine: what is theirs, and what they run."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or folder becomes somebody else's: really for root; who cannot do that becomes somebody else himself, as
    far as this process can tell.
    """
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: NOBODY)


def identity() -> dict[str, Any]:
    """Arguments with which a subprocess is somebody else; none where that takes to be root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def interpreter() -> str:
    """A Python that another user may run."""
    return shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
