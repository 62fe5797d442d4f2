"""Lists of dates as files: a date, a range of dates or a day of every year to a line; what follows it is its name."""

from __future__ import annotations

import re
from datetime import date

_WORD = re.compile(r"[^\s,;]+")
_DATES = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?|(\d{2}-\d{2})")


def is_file(text: str) -> bool:
    """Whether a text of a list of dates names a file: dates have no letters."""
    return any(character.isalpha() for character in text)


def dates_in(text: str, name: str) -> list[str]:
    """The dates of a file: the first word of each line, as `2026-12-25`, `2026-12-24..2027-01-01` or `12-25`.

    Lines that are empty or begin with `#` say nothing. Raises ValueError naming the file, the line and what is wrong.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        word = _WORD.search(line.partition("#")[0])
        if word is not None:
            _check(word[0], f"{name}, line {number}")
            found.append(word[0])
    return found


def _check(text: str, where: str) -> None:
    match = _DATES.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        for day in filter(None, (match[1], match[2], match[3] and f"2000-{match[3]}")):
            date.fromisoformat(day)
    except ValueError:
        raise ValueError(
            f"{where}: {text[:40]!a} is not a date such as 2026-12-25, 2026-12-24..2027-01-01 or 12-25"
        ) from None
