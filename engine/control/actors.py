"""Who is at the other end: what the kernel attests, what survives sudo, and what is only claimed."""

from __future__ import annotations

import pwd
from dataclasses import dataclass, field
from pathlib import Path

_NO_LOGIN = 4294967295


@dataclass(slots=True)
class Actor:
    """The person behind a connection."""

    uid: int
    """Of the peer process, attested by the kernel."""
    login_uid: int | None
    """Of the login session, which survives sudo; None where the system does not keep it."""
    claimed: dict[str, str] = field(default_factory=dict)
    """What the client says; kept, and marked as claimed."""

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
    return Actor(uid, None if login == _NO_LOGIN else login)


def user_name(uid: int) -> str:
    """The account's name, or `uid 1234` where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
