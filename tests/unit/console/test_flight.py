"""How much may be on its way to a terminal: as much as it answers for in time."""

from __future__ import annotations

from console.flight import ASK, FIRST, LEAST, MOST, Flight


class Link:
    """A terminal behind a link with a delay and a rate, that answers all it is asked."""

    def __init__(self, delay: float, rate: float) -> None:
        self.flight, self.now = Flight(), 0.0
        self._delay, self._rate = delay, rate
        self._free = 0.0
        self.flight.begin(0.0)
        self._answers = [delay]
        self.longest = 0.0
        """The longest that a byte had to wait for those before it."""

    def write(self, size: int) -> None:
        """Writes a frame."""
        asks = self.flight.wrote(size, self.now)
        self._free = max(self._free, self.now) + size / self._rate
        self.longest = max(self.longest, self._free - self.now)
        if asks:
            self._answers.append(self._free + self._delay)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        while self._answers and self._answers[0] <= self.now:
            if self.flight.answered(self._answers.pop(0)):
                self._answers.append(max(self._free, self.now) + self._delay)

    def flood(self, seconds: float, frame: int) -> int:
        """Frames as often as there is room, thirty times a second at most; how many there were."""
        made = 0
        for _ in range(int(seconds * 30)):
            if self.flight.room(self.now):
                self.write(frame)
                made += 1
            self.wait(1 / 30)
        return made


def test_over_a_slow_link_no_more_waits_than_a_moment_s_worth() -> None:
    """At 64 kbit/s a flood of frames never queues for more than a second, and still shows a frame or two in each."""
    link = Link(delay=0.3, rate=8_000)
    link.wait(1.0)
    assert link.flood(10, 2_000) >= 15
    assert LEAST <= link.flight.window < 2 * LEAST
    assert link.longest < 1.0


def test_over_a_quick_link_the_window_opens_until_no_frame_is_lost() -> None:
    """At 10 MB/s and a tenth of a second there and back every frame of a flood is sent, after the first few."""
    link = Link(delay=0.1, rate=10e6)
    link.flood(3, 5_000)
    assert link.flight.window > 8 * FIRST
    assert link.flood(2, 5_000) == 60
    assert link.flight.window <= MOST


def test_a_link_that_carries_little_keeps_its_window() -> None:
    """A window that is not used is not widened: what a quiet link would carry is not known."""
    link = Link(delay=0.1, rate=10e6)
    link.wait(1.0)
    for _ in range(20):
        link.write(1_200)
        link.wait(1.0)
    assert link.flight.window == FIRST


def test_a_terminal_that_never_answers_is_asked_once_and_held_back_never() -> None:
    """Without any answer there is always room, and no second question."""
    flight = Flight()
    assert flight.begin(0.5) == ASK
    assert not any(flight.wrote(4_000, moment) for moment in (1.0, 2.0, 50.0))
    assert flight.room(2.0) and flight.room(60.0)
    assert flight.outstanding(0.7) and not flight.outstanding(2.0)


def test_a_terminal_that_falls_silent_is_given_up_after_a_while_and_taken_back() -> None:
    """An answer that is five seconds late holds nothing back any more; when it comes after all, all is as before."""
    flight = Flight()
    assert flight.wrote(2_000, 0.0)
    assert not flight.answered(0.1)
    assert flight.wrote(9_000, 1.0)
    assert not flight.room(2.0) and flight.room(6.5)
    assert not flight.answered(7.0)
    assert flight.room(7.0) and flight.wrote(2_000, 8.0)


def test_a_link_is_slow_when_several_answers_of_late_were() -> None:
    """Three late answers within a minute make a slow link, also where the line itself took nothing; one does not."""
    flight = Flight()
    for moment in (0.0, 10.0, 20.0):
        assert not flight.slow(moment)
        flight.waited(0.5, moment)
    assert flight.slow(21.0)
    assert not flight.slow(61.0)
    for moment in (100.0, 190.0, 280.0):
        flight.waited(0.5, moment)
    assert not flight.slow(281.0)
    flight.waited(0.01, 282.0)
    assert not flight.slow(282.0)
