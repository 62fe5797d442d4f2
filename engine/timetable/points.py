"""Schedule points: the instants that a schedule names in its zone, of all its rules together, each once."""

import heapq
from collections.abc import Iterable, Iterator

from engine.timetable.cron import Cron
from engine.timetable.cron_points import cron_after, cron_before, cron_count
from engine.timetable.rules import Every
from engine.timetable.timetable import SECOND, Micros, Timetable


def points_after(tt: Timetable, after: Micros, *, inclusive: bool = False) -> Iterator[Micros]:
    """The points after `after`, ascending; also one at `after` itself if `inclusive`. Start and end do not limit them.

    Ends with the calendar, in the year 9998, or with the last of single times.
    """
    low, zone = after if inclusive else after + 1, tt.zone
    found: list[Iterator[Micros]] = []
    for rule in tt.rules:
        if isinstance(rule, Cron):
            found.append(second * SECOND for second in cron_after(rule, zone, -(-low // SECOND)))
        else:
            found.append(rule.after(low, zone, tt.exclusion))
    return found[0] if len(found) == 1 else _once(heapq.merge(*found))


def points_before(tt: Timetable, before: Micros) -> Iterator[Micros]:
    """The points before `before`, descending. Start and end do not limit them."""
    zone = tt.zone
    found: list[Iterator[Micros]] = []
    for rule in tt.rules:
        if isinstance(rule, Cron):
            found.append(second * SECOND for second in cron_before(rule, zone, -(-before // SECOND)))
        else:
            found.append(rule.before(before, zone, tt.exclusion))
    return found[0] if len(found) == 1 else _once(heapq.merge(*found, reverse=True))


def previous_point(tt: Timetable, at: Micros, inclusive: bool = True) -> Micros | None:
    """The last point before `at`, or at it if `inclusive`; None before the first one."""
    return next(points_before(tt, at + 1 if inclusive else at), None)


def next_point(tt: Timetable, after: Micros) -> Micros | None:
    """The first point after `after`; None past the last one."""
    return next(points_after(tt, after), None)


def count_points(tt: Timetable, low: Micros, high: Micros) -> int:
    """How many points lie in [low, high). Of a single rule they are not walked."""
    rule = tt.rules[0]
    if len(tt.rules) == 1 and isinstance(rule, Cron):
        return cron_count(rule, tt.zone, -(-low // SECOND), -(-high // SECOND))
    if len(tt.rules) == 1 and isinstance(rule, Every) and not tt.exclusion:
        return rule.count(low, high)
    total = 0
    for point in points_after(tt, low, inclusive=True):
        if point >= high:
            break
        total += 1
    return total


def _once(points: Iterable[Micros]) -> Iterator[Micros]:
    last = None
    for point in points:
        if point != last:
            yield point
            last = point
