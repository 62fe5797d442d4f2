"""The secrets of this process's attempt: given to its task, and kept out of what is said of how it ended."""

from __future__ import annotations

import json
from typing import Any

from engine.authoring import breakers, connections
from engine.execution.process.redact import Redaction, secrets_of
from engine.execution.process.results import ResultInvalid
from engine.model.attempt_files import AttemptStatus
from engine.model.states import FailureClass, Reason


class Keeper:
    """Takes what the process was started with. Its standard output and error already go through a guard."""

    def __init__(self, given: Any) -> None:
        self._redaction = Redaction(secrets_of(given))
        breakers.clean = self._redaction.text
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
        if status is not None and self._redaction.finds(json.dumps(status.failed_keys).encode()):
            status.failed_keys, status.exceptions, status.retry_after = None, None, None
            status.error = "what it left undone holds a secret of one of its connections: keys are kept and shown"
            status.failure_class, status.reason = FailureClass.PERMANENT.value, Reason.RESULT_INVALID.value
        return status
