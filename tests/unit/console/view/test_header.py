"""The header: which home, whether its engine lives, and since when not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.home import HomeCard, SessionCard
from console.model.link import Gauges, Link, LinkState
from console.model.snapshot import Scene
from console.view.header import header
from console.view.keyline import Message, key_line
from console.view.spans import plain
from engine.model.moments import HOUR, SECOND
from tests.support.console import NOW, link, scene


def line(found: Scene, width: int = 120) -> str:
    """Both sides as text."""
    left, right = header(found, width)
    return f"{plain(left)} | {plain(right)}"


def test_a_healthy_engine() -> None:
    """Home, path, how long the engine is up, slots, what waits, who is attached, and both clocks."""
    assert line(scene()) == (
        " etl-01  /srv/etl  engine up 3d04h  slots 12/16  queued 3  retrying 1  waiting 14"
        " | ops1 ops2   02:14 UTC  03:14 Berlin"
    )
    assert line(scene(), 80) == " etl-01  up 3d04h  12/16  =3 ↻1 ~14 | ops1 ops2   02:14Z 03:14 Berlin"


@pytest.mark.parametrize(
    ("state", "session", "words"),
    [
        (LinkState.CONNECTING, None, "connecting to the engine"),
        (LinkState.DOWN, None, "engine not started yet"),
        (LinkState.DOWN, SessionCard(NOW - HOUR, NOW - 9 * SECOND, NOW - 9 * SECOND, "sigterm"),
         "engine down since 02:13:58  <1m  sigterm"),
        (LinkState.DOWN, SessionCard(NOW - HOUR, NOW - 245 * SECOND, None, None),
         "engine down  last seen 02:10:02, 3m ago"),
        (LinkState.REFUSED, None, "engine upgraded: restart this console"),
    ],
)  # fmt: skip
def test_an_engine_that_does_not_answer(state: LinkState, session: SessionCard | None, words: str) -> None:
    """Down since when, or last seen when it was killed; and never as if it were up."""
    gone = Link(state, NOW - 3 * SECOND, None, message="engine upgraded: restart this console")
    found = line(scene(link=gone, session=session))
    assert words in found and "slots" not in found


def test_an_engine_that_went_while_this_console_watched_is_down_since_then() -> None:
    """The moment is told by who heard the engine until then; a console that came later knows only when it was seen."""
    session = SessionCard(NOW - HOUR, NOW - 245 * SECOND, None, None)
    gone = Link(LinkState.DOWN, NOW - 3 * SECOND, NOW - 4 * SECOND)
    assert "engine down since 02:14:04  last seen 02:10:02, 3m ago" in line(scene(link=gone, session=session))


def test_a_link_without_a_sign_of_life_is_stale() -> None:
    """After three seconds without the engine's tick the header says how old the picture is."""
    assert "STALE" not in line(scene(link=link(heard_at=NOW - 2 * SECOND)))
    assert "STALE: no sign of the engine for 7s" in line(scene(link=link(heard_at=NOW - 7 * SECOND)))


def test_a_degraded_or_draining_engine_says_so() -> None:
    """A store that fails, or an engine that is leaving, stands in the header."""
    gauges = Gauges(NOW, 0, 16, 0, 0, 0, 0, degraded="disk full", draining=True)
    found = line(scene(link=link(gauges=gauges)), 160)
    assert "degraded: disk full" in found and "draining" in found


def test_a_production_home_is_marked_and_utc_has_one_clock() -> None:
    """What is production is said in every view; a home in UTC needs no second clock."""
    home = HomeCard("etl-01", "/srv/etl", production=True)
    found = line(scene(home=home))
    assert " prod " in found and found.endswith("02:14 UTC")


def test_the_header_is_still_for_a_minute() -> None:
    """Nothing in it changes within a minute while nothing happens, so that a calm screen writes nothing."""
    calm = scene(link=link(gauges=Gauges(NOW, 0, 16, 0, 0, 0, 0)))
    start = NOW // 60_000_000 * 60_000_000
    lines = set()
    for second in range(60):
        now = start + second * SECOND
        lines.add(line(replace(calm, now=now, link=replace(calm.link, heard_at=now))))
    assert len(lines) == 1


def test_the_key_line_takes_what_fits_and_always_shows_the_way_to_the_rest() -> None:
    """Most useful first; what does not fit is left out, `? keys` never."""
    keys = [("enter", "open"), ("i", "why"), ("x", "a very long thing to do")]
    assert plain(key_line(keys, 80)) == " enter open   i why   x a very long thing to do   ? keys"
    assert plain(key_line(keys, 40)) == " enter open   i why   ? keys"


def test_a_message_stands_for_a_while() -> None:
    """A message is shown from its moment on for as long as it lasts."""
    message = Message("done", "text", NOW)
    assert message.shown(NOW) and message.shown(NOW + 3 * SECOND) and not message.shown(NOW + 4 * SECOND)


def test_an_engine_of_another_version_asks_for_a_restart() -> None:
    """A console that is older than its engine works on, and says that it should be restarted."""
    assert "engine is 9.9.9: restart this console" in line(scene(link=link(version="9.9.9")), 160)
