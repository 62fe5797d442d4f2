"""What kind of file system a home stands on. SQLite's locks, and ours, do not hold over a network."""

from __future__ import annotations

import os
import re
from pathlib import Path

_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|afs|ceph|glusterfs|lustre|beegfs|orangefs|ncpfs|davfs2?"
    r"|fuse\.(sshfs|s3fs|davfs2|glusterfs|ceph|gcsfuse|rclone|goofys|juicefs|nfs.*)"
)
_ESCAPE = re.compile(r"\\(\d{3})")


def kind_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The type of the file system that holds a path, as the kernel calls it; None where nobody says."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    real = os.path.realpath(path)
    best, kind = -1, None
    for line in lines:
        before, _, after = line.partition(" - ")
        place = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), before.split()[4])
        inside = real == place or real.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= best:  # of two on one place the later one is on top
            best, kind = len(place), after.split()[0]
    return kind


def is_network(kind: str | None) -> bool:
    """Whether a file system of this type is another machine's."""
    return kind is not None and _NETWORK.fullmatch(kind) is not None
