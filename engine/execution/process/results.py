"""Task results as JSON: what a task returned must come back equal, or the attempt fails and says where it does not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from engine.model.attempt_files import MAX_RESULT_BYTES

_DEEPEST = 200
"""Levels of lists and objects inside each other. Interpreters differ in what they can read: this one all can."""
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[\[{]+|[\]}]+")


class ResultInvalid(Exception):
    """The returned value is not JSON, or too large. The text names the place in the value."""


def encode(value: Any) -> bytes:
    """The bytes of `result.json` for a value that is not None.

    Raises ResultInvalid when the value would not survive the round trip (tuples may become lists) or is over 64 MB.
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        plain = "\\ud" not in text and not _is_deep(text) and json.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        plain = False
    if not plain:
        _walk(value, "result", 0)
        try:
            text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as problem:
            raise ResultInvalid(f"result: {problem}") from None
    if len(text) > MAX_RESULT_BYTES:
        raise ResultInvalid(f"result: {len(text)} bytes as JSON; {MAX_RESULT_BYTES} at most")
    return text.encode()


def _is_deep(text: str) -> bool:
    """Whether JSON is nested deeper than is allowed; almost always the number of its brackets says that it is not."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for run in _BRACKETS.findall(_TEXTS.sub("", text)):
        depth += len(run) if run[0] in "[{" else -len(run)
        if depth > _DEEPEST:
            return True
    return False


def _walk(value: Any, path: str, depth: int) -> None:
    if value is None or isinstance(value, bool | int):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ResultInvalid(f"{path}: {'NaN' if math.isnan(value) else 'infinity'} has no place in JSON")
    elif isinstance(value, str):
        _check_text(value, path)
    elif depth >= _DEEPEST:
        raise ResultInvalid(f"{path}: nested deeper than {_DEEPEST} levels, or circular")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _walk(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ResultInvalid(f"{path}: key {_shown(key)} is {_kind(key)}, not text")
            _check_text(key, f"{path}: key {_shown(key)}")
            _walk(item, f"{path}[{_shown(key)}]", depth + 1)
    else:
        raise ResultInvalid(f"{path}: {_kind(value)} is not JSON; return text, numbers, lists or dicts with text keys")


def _check_text(value: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ResultInvalid(f"{path}: text with half of a surrogate pair has no place in JSON") from None


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _shown(key: object) -> str:
    """A key as in code, in double quotes and short."""
    text = json.dumps(key) if isinstance(key, str) else repr(key)
    return text if len(text) <= 60 else text[:59] + "…"
