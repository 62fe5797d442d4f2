"""Who is at the other end: what the kernel attests, what survives sudo, and what is only claimed."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass, field
from pathlib import Path

_NO_LOGIN = 4294967295
_PTS = range(136, 144)
"""Major numbers of pseudo terminals."""


@dataclass(slots=True)
class Actor:
    """The person behind a connection."""

    uid: int
    """Of the peer process, attested by the kernel."""
    login_uid: int | None
    """Of the login session, which survives sudo; None where the system does not keep it."""
    claimed: dict[str, str] = field(default_factory=dict)
    """What the client says; kept, and marked as claimed."""

    seen: dict[str, str] = field(default_factory=dict)
    """Where the kernel sees the peer: `host` and `terminal`, such as `pts/3`; without a terminal a script."""

    @property
    def user(self) -> str:
        """The name of the login where it is known, else the claimed one marked with `?`, else of the account."""
        if self.login_uid is not None:
            return user_name(self.login_uid)
        claimed = self.claimed.get("SUDO_USER")
        return f"{claimed}?" if claimed else user_name(self.uid)

    @property
    def name(self) -> str:
        """What is written beside what this person did."""
        return self.user


def identify(pid: int, uid: int) -> Actor:
    """The actor of a peer process."""
    try:
        login = int(Path(f"/proc/{pid}/loginuid").read_text())
    except (OSError, ValueError):
        login = _NO_LOGIN
    return Actor(uid, None if login == _NO_LOGIN else login, seen=_place(pid))


def _place(pid: int) -> dict[str, str]:
    """The host, and the terminal that a process belongs to."""
    found = {"host": socket.gethostname()}
    try:
        number = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4])
    except (OSError, ValueError, IndexError):
        return found
    if os.major(number) in _PTS:
        found["terminal"] = f"pts/{os.minor(number)}"
    elif number:
        found["terminal"] = f"tty{os.minor(number)}"
    return found


def user_name(uid: int) -> str:
    """The account's name, or `uid 1234` where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
