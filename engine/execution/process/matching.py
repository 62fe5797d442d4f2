"""Searches regular expressions of retry rules in what a shell task said: `match LOG`, the question on standard input.

In a process of its own, which can be ended: an expression may take for ever, and an engine must not.
"""

from __future__ import annotations

import json
import os
import re
import sys

_LAST_BYTES = 16 * 1024


def main(arguments: list[str]) -> int:
    """Reads `[line, [expression or null, …]]`; prints the JSON list of the places of those that are found."""
    line, expressions = json.load(sys.stdin)
    text = f"{line or ''}\n{_end_of(arguments[0])}"
    print(json.dumps([at for at, wanted in enumerate(expressions) if wanted and re.search(wanted, text, re.MULTILINE)]))
    return 0


def _end_of(log: str) -> str:
    try:
        with open(log, "rb") as source:
            source.seek(max(0, os.fstat(source.fileno()).st_size - _LAST_BYTES))
            return source.read(_LAST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
