"""The written form of schedules, five cron fields or a name such as @daily: checked and rewritten in plain numbers."""

import difflib
import re
from dataclasses import dataclass
from typing import NoReturn

from engine.timetable.errors import ScheduleError, quoted

MAX_LENGTH = 200
PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\w+))?", re.ASCII)
_HINTS = {
    "?": "write '*' for any day",
    "#": "the n-th weekday of a month cannot be written; name days of the month or days of the week",
    "~": "random times are refused because a restart would move them; write the number",
}
_LETTERS = {
    "h": "hashed times are refused because they differ between systems; write the number",
    "r": "random times are refused because a restart would move them; write the number",
    "l": "the last day cannot be written; with the interval kind, '0 0 1 * *' covers each whole month",
    "w": "the nearest working day cannot be written; name days of the week, such as mon-fri",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields: its name, the values it has, the largest number that may be written, and its words."""

    name: str
    low: int
    high: int
    largest: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """The number that digits or a word stand for; None if the text is neither."""
        if text.isdigit():
            return int(text) if len(text) <= 4 else None
        return self.words.index(text) + self.low if text in self.words else None

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        text = f"{self.low} to {self.largest}"
        if self.words:
            text += f" or {self.words[0]} to {self.words[-1]}"
        return text if self.largest == self.high else f"{text} ({self.low} and {self.largest} are Sunday)"


FIELDS = (
    Field("minute", 0, 59, 59),
    Field("hour", 0, 23, 23),
    Field("day of month", 1, 31, 31),
    Field("month", 1, 12, 12, tuple(name[:3].lower() for name in MONTHS)),
    Field("day of week", 0, 6, 7, tuple(name[:3].lower() for name in WEEKDAYS)),
)


def refuse(expression: str, what: str) -> NoReturn:
    """Raise ScheduleError for a whole expression."""
    raise ScheduleError(f"schedule {quoted(expression)}: {what}")


def plain_fields(expression: str) -> tuple[str, ...]:
    """The five fields in numbers, each a list of forms that every reader of cron takes the same way.

    A field that restricts nothing is `*`. Raises ScheduleError for what is not in the dialect.
    """
    places = _split(expression)
    return tuple(_plain(expression, field, *place) for field, place in zip(FIELDS, places, strict=True))


def _split(expression: str) -> list[tuple[str, int]]:
    """The five fields in lower case, each with the place of its first character, counted from 1."""
    if len(expression) > MAX_LENGTH:
        refuse(expression, f"is {len(expression)} characters long; at most {MAX_LENGTH} are read, so shorten it")
    for at, character in enumerate(expression):
        if character != "\t" and not " " <= character <= "~":
            refuse(expression, f"character {at + 1} is {character!a}; use plain ASCII, spaces and tabs only")
    lowered = expression.lower()
    if lowered.strip().startswith("@"):
        return [(text, 1) for text in _preset(expression, lowered.strip()).split()]
    found = [(match.group(), match.start() + 1) for match in re.finditer(r"\S+", lowered)]
    order = ", ".join(field.name for field in FIELDS)
    if not found:
        refuse(expression, f"is empty; write five fields ({order}) or a name such as @daily")
    if len(found) != len(FIELDS):
        surplus = "; seconds and years cannot be written, so take their field out" if len(found) > len(FIELDS) else ""
        refuse(expression, f"has {len(found)} fields; exactly five are read ({order}){surplus}")
    return found


def _preset(expression: str, name: str) -> str:
    if name in PRESETS:
        return PRESETS[name]
    if name == "@reboot":
        refuse(expression, "'@reboot' names no time; write one of " + ", ".join(PRESETS))
    if name.startswith("@every"):
        refuse(expression, "'@every' is not read; write a step, such as '*/5 * * * *' for every five minutes")
    close = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    refuse(expression, f"is not a known name; {hint}known are {', '.join(PRESETS)}")


def _plain(expression: str, field: Field, text: str, at: int) -> str:
    items = []
    for text_of_item in text.split(","):
        items.append(_Item(expression, field, text_of_item, at))
        at += len(text_of_item) + 1
    plain = [item.plain() for item in items]
    if len(plain) > 1 and "*" in plain:
        items[plain.index("*")].refuse(f"already names every {field.name}; take the rest of the list out")
    return ",".join(plain)


@dataclass(frozen=True, slots=True)
class _Item:
    """One item of the list in a field, in lower case, and where it stands."""

    expression: str
    field: Field
    text: str
    at: int

    def plain(self) -> str:
        """The item in numbers: a star, a number or ranges, the first and the last with a step where one is written."""
        match = _ITEM.fullmatch(self.text)
        if match is None:
            self._refuse_shape()
        step = self._step(match["step"])
        suffix = "" if step == 1 else f"/{step}"
        if match["star"]:
            return f"*{suffix}"
        low = self._number(match["low"])
        if match["high"] is not None:
            return self._range(low, self._number(match["high"]), suffix)
        if match["step"] is None or low >= self.field.high:
            return str(low)
        return f"{low}-{self.field.high}{suffix}"

    def refuse(self, what: str) -> NoReturn:
        shown = self.expression[self.at - 1 : self.at - 1 + len(self.text)]
        refuse(self.expression, f"{quoted(shown)} in the {self.field.name} field (character {self.at}) {what}")

    def _range(self, low: int, high: int, suffix: str) -> str:
        """A range, forward or through the end of the field.

        croniter takes an equal range for the whole field and steps unevenly through the end, so it is given neither.
        """
        field = self.field
        if low == high:
            return str(low)
        if field.largest > field.high:  # 7 is Sunday, like 0
            low %= field.largest
            high = field.high if (low, high) == (field.low, field.largest) else high
        if low < high:
            return f"{low}-{high}{suffix}"
        if suffix:
            self.refuse("steps through the end of the field; write it as a list")
        tail = str(low) if low == field.high else f"{low}-{field.high}"
        head = str(high) if high == field.low else f"{field.low}-{high}"
        return f"{tail},{head}"

    def _step(self, text: str | None) -> int:
        if text is None:
            return 1
        count = self.field.high - self.field.low + 1
        step = int(text) if text.isdigit() and len(text) <= 4 else 0
        if not 1 <= step <= count:
            self.refuse(
                f"has a step that does not fit; write 1 to {count} (steps begin anew with each round of the field)"
            )
        return step

    def _number(self, text: str) -> int:
        number = self.field.number(text)
        if number is None:
            self.refuse(f"is not read: {self._letter_hint(text)}allowed are {self.field.allowed}")
        if not self.field.low <= number <= self.field.largest:
            self.refuse(f"is out of range; allowed are {self.field.allowed}")
        return number

    def _letter_hint(self, text: str) -> str:
        """What to do about one of the letters that other dialects give a meaning."""
        for letter in (text[0], text[-1]):
            if letter in _LETTERS and not text.strip(letter).isalpha():
                return f"{_LETTERS[letter]}; "
        return f"{quoted(text)} is not a value of this field; "

    def _refuse_shape(self) -> NoReturn:
        for sign, hint in _HINTS.items():
            if sign in self.text:
                self.refuse(f"is not read: {hint}")
        if not self.text:
            self.refuse("is an empty place in a list; take the comma out")
        self.refuse("is not read; write a number, a range a-b, a step */n or a-b/n, or a list of these")
