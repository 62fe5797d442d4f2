"""The secrets of this process's attempt: given to its task, and kept out of what is said of how it ended."""

from __future__ import annotations

from typing import Any

from engine.authoring import connections
from engine.execution.process.redact import Redaction, secrets_of
from engine.execution.process.results import ResultInvalid
from engine.model.attempt_files import AttemptStatus


class Keeper:
    """Takes what the process was started with. Its standard output and error already go through a guard."""

    def __init__(self, given: Any) -> None:
        self._redaction = Redaction(secrets_of(given))
        connections.give(given["connections"])

    def vet(self, result: bytes) -> bytes:
        """A result that holds no secret. Raises ResultInvalid."""
        if self._redaction.finds(result):
            raise ResultInvalid("what it returned holds a secret of one of its connections: results are kept and shown")
        return result

    def clean(self, status: AttemptStatus | None) -> AttemptStatus | None:
        """How it ended, without secrets."""
        if status is not None and status.error is not None:
            status.error = self._redaction.text(status.error)
        return status
