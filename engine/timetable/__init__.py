"""Schedules: when runs are due, which data intervals they cover, and what to do about missed ones.

Pure: the time that it is now is an argument. All instants are integer microseconds since 1970-01-01 UTC.
"""

from engine.timetable.errors import ScheduleError
from engine.timetable.from_spec import timetable_of
from engine.timetable.interval import Slot, coming, last_completed, slot_at, slots, slots_between
from engine.timetable.missed import Catchup, Gap, MissedPlan, OnMissed, plan_missed
from engine.timetable.points import count_points, next_point, points_after, points_before, previous_point
from engine.timetable.ranges import DayWindow, read_range, read_window
from engine.timetable.timetable import Kind, Micros, Timetable, compile_timetable
from engine.timetable.words import describe

__all__ = [
    "Catchup",
    "DayWindow",
    "Gap",
    "Kind",
    "Micros",
    "MissedPlan",
    "OnMissed",
    "ScheduleError",
    "Slot",
    "Timetable",
    "coming",
    "compile_timetable",
    "count_points",
    "describe",
    "last_completed",
    "next_point",
    "plan_missed",
    "points_after",
    "points_before",
    "previous_point",
    "read_range",
    "read_window",
    "slot_at",
    "slots",
    "slots_between",
    "timetable_of",
]
