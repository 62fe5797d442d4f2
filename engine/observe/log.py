"""The engine's own log: JSON lines, ASCII-escaped, so that nothing a file name says can reach a terminal raw."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.typing import FilteringBoundLogger

_STANDARD_ERROR = 2


class LineFile:
    """Appends to descriptors. A full disk is no reason to stop: what one refuses is counted, and told once it fits."""

    def __init__(self, *handles: int) -> None:
        self._lost = dict.fromkeys(handles, 0)

    def write(self, text: str) -> None:
        """Writes one text, or drops it."""
        for handle, count in self._lost.items():
            lost = f'\n{{"event": "log_lines_lost", "count": {count}}}\n' if count else ""
            try:
                os.write(handle, (lost + text).encode("ascii", "backslashreplace"))
                self._lost[handle] = 0
            except OSError:
                self._lost[handle] += 1

    def flush(self) -> None:
        """Nothing is held back."""


def open_log(path: Path, *, aloud: bool = False) -> FilteringBoundLogger:
    """A logger that appends to a file (0600), and says everything on standard error too if `aloud`. It never raises."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    stream = LineFile(handle, _STANDARD_ERROR) if aloud else LineFile(handle)
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
