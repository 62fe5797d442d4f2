"""The one error of the timetable room, and how foreign text appears in it."""


class ScheduleError(ValueError):
    """A schedule, a zone or a date that cannot be used: the text says what is wrong, where, and what to do."""


def quoted(text: str) -> str:
    """Foreign text for an error: one printable line, cut where it is long."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")
