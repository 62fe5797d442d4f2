"""The heap of everything that becomes due at a known moment."""

from __future__ import annotations

from engine.model.moments import MINUTE, SECOND
from engine.scheduler.timers import LONGEST_WAIT, Timer, Timers


def test_timers_come_out_in_order_once_their_moment_has_come() -> None:
    """What is due comes out, earliest first; what is not stays."""
    timers = Timers()
    for at in (30, 10, 20, 40):
        timers.add(Timer(at, "retry", at))
    assert [timer.at for timer in timers.due(30)] == [10, 20, 30]
    assert [timer.at for timer in timers.due(39)] == []
    assert [timer.at for timer in timers.due(40)] == [40]


def test_the_same_timer_twice_fires_once() -> None:
    """Instructions are derived again and again; a timer that stands is not added a second time."""
    timers = Timers()
    for _ in range(3):
        timers.add(Timer(10, "retry", 1, "7"))
    assert timers.due(10) == [Timer(10, "retry", 1, "7")]
    timers.add(Timer(10, "retry", 1, "7"))
    assert timers.due(10) == [Timer(10, "retry", 1, "7")]


def test_the_wait_is_bounded_and_never_negative() -> None:
    """The wall clock is read again at least every 15 seconds, and a timer of the past is due now."""
    timers = Timers()
    assert timers.wait(0) == LONGEST_WAIT
    timers.add(Timer(10 * MINUTE, "plan", 0, "daily"))
    assert timers.wait(0) == LONGEST_WAIT
    assert timers.wait(10 * MINUTE - SECOND) == SECOND
    assert timers.wait(11 * MINUTE) == 0


def test_cleared_timers_are_gone_and_may_come_again() -> None:
    """After a reload the timers are derived anew from the rows."""
    timers = Timers()
    timers.add(Timer(10, "retry", 1))
    timers.clear()
    assert timers.due(100) == []
    timers.add(Timer(10, "retry", 1))
    assert timers.due(100) == [Timer(10, "retry", 1)]
