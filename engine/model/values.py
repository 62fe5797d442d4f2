"""What a JSON value is. A room of its own, so that the small processes load no more than they use."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict with text keys."""
