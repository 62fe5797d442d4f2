"""Errors of one cause: what is left of an error without what is particular to one occurrence."""

from __future__ import annotations

import re
from hashlib import sha256

_PARTICULAR = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|[0-9]+")


def cause(error: str) -> str:
    """The error without what is particular to one occurrence: numbers, addresses, hashes. An exit code is not."""
    return error if error.startswith("exit code ") else _PARTICULAR.sub("#", error)


def cause_key(signature: str) -> str:
    """A short name of a cause, for command lines."""
    return sha256(signature.encode()).hexdigest()[:8]
