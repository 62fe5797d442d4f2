"""Structured log lines, JSON objects and logfmt, as columns: time, level, message, then the other fields. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise

from console.text import cell_len, cut_end, sanitise
from console.view.spans import ACCENT, BAD, DIM, TEXT, WARN, Line, Spans

LONGEST = 20_000
"""Characters of a line beyond which it is not taken apart."""
_TIMES = ("ts", "time", "timestamp", "@timestamp", "t")
_LEVELS = ("level", "severity", "lvl", "levelname", "log_level")
_MESSAGES = ("msg", "message", "event", "text")
_TIME, _LEVEL, _MESSAGE = 12, 8, 36
_LEAST, _MOST = 22, 60
"""Cells of the message's column on a narrow screen and on a wide one."""
_PAIR = re.compile(r'([A-Za-z_@][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')
_CLOCK = re.compile(r"(\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?")
_LOUD = {"error": BAD, "fatal": BAD, "critical": BAD, "panic": BAD, "warning": WARN, "warn": WARN}


def fields_of(line: str) -> Mapping[str, str] | None:
    """The fields of a structured line, in its order; None when it is plain text."""
    text = line.strip()
    if len(text) > LONGEST:
        return None
    if text.startswith("{"):
        return _json(text)
    if "=" not in text:
        return None
    return _logfmt(text)


def _json(text: str) -> Mapping[str, str] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


def _logfmt(text: str) -> Mapping[str, str] | None:
    """Only where pairs make up the whole line, or follow a level and words as log libraries write them."""
    pairs = list(_PAIR.finditer(text))
    if len(pairs) < 2:
        return None
    between = text[: pairs[0].start()] + "".join(text[a.end() : b.start()] for a, b in pairwise(pairs))
    if (between + text[pairs[-1].end() :]).strip():
        return None
    return {pair[1]: _unquoted(pair[2]) for pair in pairs}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') and len(value) > 1 else value


def columns(line: str, room: int | None = None) -> Spans | None:
    """A structured line as columns; None when it is plain text.

    In `room` cells a long message ends where the other fields begin, so that they are in sight; they are followed by
    the rest of it.
    """
    found = fields_of(line)
    if found is None:
        return None
    left = dict(found)
    time, level, message = (_take(left, names) for names in (_TIMES, _LEVELS, _MESSAGES))
    if not message and not level:
        return None
    row = Line()
    row.cell(_clock(time), _TIME, DIM).gap(2)
    loud = _LOUD.get(level.lower(), "")
    row.cell(sanitise(level.lower()), _LEVEL, loud or DIM).gap(2)
    words = sanitise(message)
    fields = Line()
    for key, value in left.items():
        fields.add(f"{sanitise(key)}=", DIM)
        fields.add(sanitise(value), ACCENT if key in ("error", "exception") else TEXT).gap(1)
    rest = None if room is None else room - row.width
    wide = _MESSAGE if rest is None else max(_LEAST, min(rest * 9 // 20, _MOST))
    start, shown = row.width, words
    if left and rest is not None and cell_len(words) + 1 + fields.width > rest:
        shown = cut_end(words, wide)
    row.add(shown, loud or TEXT).pad(start + wide).gap(2)
    for text, token in fields.done():
        row.add(text, token)
    return row.done() if shown == words else row.gap(1).add(f"…{words[len(shown) - 1 :]}", loud or DIM).done()


def _take(fields: dict[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in fields:
            return fields.pop(name)
    return ""


def _clock(time: str) -> str:
    """The time of day with milliseconds, as far as it can be read."""
    found = _CLOCK.search(time)
    if found is None:
        return sanitise(time)
    return f"{found[1]}.{found[2][:3].ljust(3, '0')}" if found[2] else found[1]
