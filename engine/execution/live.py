"""What the executor keeps in memory of an attempt, and by which way it is started."""

from __future__ import annotations

from typing import Any

from engine.execution import directory as files
from engine.execution.port import LaunchOrder


class Live:
    """An attempt that has been launched or adopted and whose end has not been delivered."""

    __slots__ = ("asked", "began", "claim", "group", "launched", "measured", "path", "secrets", "since")

    def __init__(self, path: str, group: tuple[str, ...], since: float) -> None:
        self.path = path
        self.group = group
        """How to start it: `shell`, or `cold` with an interpreter, or `host` with a bundle; empty when adopted."""
        self.began = self.since = since
        """When it was launched or last looked at, by the monotonic clock."""
        self.launched = 0
        """When, in microseconds of the system's wall clock; the files' own times are coarser. 0 when adopted."""
        self.claim: files.Claim | None = None
        self.measured: list[Any] = []
        self.secrets: dict[str, Any] | None = None
        """What it is to be given when it is started; forgotten once it has begun."""
        self.asked = False
        """Whether somebody asked for its end."""


def group_of(order: LaunchOrder) -> tuple[str, ...]:
    """Attempts of one group are started by the same process."""
    spec = order.spec
    if spec.kind == "shell":
        return ("shell",)
    if order.cold:
        return ("cold", order.python)
    return ("host", order.python, spec.bundle or "", spec.file or "")
