"""The engine's own log: JSON lines, ASCII-escaped, so that nothing a file name says can reach a terminal raw."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger


def open_log(path: Path | None) -> FilteringBoundLogger:
    """A logger that appends to a file (0600 by the engine's umask), or writes to standard error in the foreground."""
    stream: TextIO = sys.stderr if path is None else open(path, "a", encoding="ascii", buffering=1)  # noqa: SIM115 - open for life
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
