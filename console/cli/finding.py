"""What `dagdeck doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, a `note` that an operator should know, or `wrong`."""

    verdict: str
    what: str
    text: str
    remedy: str = ""
    """What to do about it."""
