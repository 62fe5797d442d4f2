"""The one error of the timetable room."""


class ScheduleError(ValueError):
    """A schedule, a zone or a date that cannot be used: the text says what is wrong, where, and what to do."""
