"""The engine's own log: JSON lines, ASCII-escaped, so that nothing a file name says can reach a terminal raw."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.typing import FilteringBoundLogger

_STANDARD_ERROR = 2


class LineFile:
    """Appends to a descriptor. A full disk is no reason to stop: what it refuses is counted, and told once it fits."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._lost = 0

    def write(self, text: str) -> None:
        """Writes one text, or drops it."""
        lost = f'\n{{"event": "log_lines_lost", "count": {self._lost}}}\n' if self._lost else ""
        try:
            os.write(self._handle, (lost + text).encode("ascii", "backslashreplace"))
            self._lost = 0
        except OSError:
            self._lost += 1

    def flush(self) -> None:
        """Nothing is held back."""


def open_log(path: Path | None) -> FilteringBoundLogger:
    """A logger that appends to a file (0600), or writes to standard error in the foreground. It never raises."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    stream = LineFile(_STANDARD_ERROR if path is None else os.open(path, flags, 0o600))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(cast(Any, stream)),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
