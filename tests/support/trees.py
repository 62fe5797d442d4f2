"""Looking through the folders of a home that is being worked on: what vanishes meanwhile is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def everything_in(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The folder and all that lies below it, with what the system says of each. Links are not followed."""
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths += [Path(folder) / name for name in (*folders, *files)]
    for path in paths:
        try:
            yield path, path.lstat()
        except FileNotFoundError:
            continue


def contents_of(path: Path) -> bytes:
    """A file's bytes; none when it has gone."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
