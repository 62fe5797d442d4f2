"""The header line: which home this is, whether its engine lives and what it does, who is looking, what time it is."""

from __future__ import annotations

from console.figures import clock, duration
from console.model.link import Gauges, LinkState
from console.model.snapshot import Scene
from console.text import cut_middle
from console.view.notices import near
from console.view.spans import ACCENT, BAD, DIM, TEXT, WARN, Line, Spans, join
from console.view.words import ago_words, sign
from engine.model.moments import to_datetime
from engine.version import VERSION

WIDE = 100


def header(scene: Scene, width: int) -> tuple[Spans, Spans]:
    """The line's left and right side."""
    home = scene.snapshot.home
    wide = width >= WIDE
    parts: list[Spans] = [((home.name, f"{ACCENT} bold"),)]
    if wide:
        parts.append(((cut_middle(home.path, max(width // 6, 16)), DIM),))
    if home.production:
        parts.append(((home.environment or "prod", WARN + " bold"),))
    elif home.environment is not None:
        parts.append(((home.environment, DIM),))
    if scene.link.barred:
        parts.append((("read-only", WARN + " bold"),))
    parts.extend(_holds(scene, wide))
    parts.extend(_engine(scene, wide))
    right = [_attached(scene, wide), _clocks(scene, wide)]
    left = join(parts)
    return ((" ", TEXT), *left), join(right, "   ")


def _holds(scene: Scene, wide: bool) -> list[Spans]:
    """Who keeps what from starting since when, in one part: the first hold, and how many more there are."""
    open_ = [hold for hold in scene.snapshot.holds if hold.until is None or hold.until > scene.now]
    if not open_:
        return []
    first = open_[0]
    what = "" if first.scope == "all" else f" {first.what}"
    words = f"HOLD{what}" + (f" by {first.who} since {clock(first.since, seconds=False)}" if wide else f" {first.who}")
    if first.until is not None and wide:
        words += f" until {clock(first.until, seconds=False)}"
    return [((words + (f" +{len(open_) - 1}" if len(open_) > 1 else ""), f"{WARN} bold"),)]


def _engine(scene: Scene, wide: bool) -> list[Spans]:
    link, now, home = scene.link, scene.now, scene.snapshot.home.path
    match link.state:
        case LinkState.CONNECTING:
            return [(("connecting to the engine", DIM),)]
        case LinkState.REFUSED:
            return [((link.message or "the engine refuses this console", f"{BAD} bold"),)]
        case LinkState.DOWN:
            return [_down(scene, wide)]
        case LinkState.UP:
            pass
    stale = link.stale_for(now)
    if stale is not None:
        return [((f"STALE: no sign of the engine for {duration(stale, tenths=False)}", f"{BAD} bold"),)]
    parts: list[Spans] = []
    up = ago_words(link.started_at, now) if link.started_at is not None else ""
    parts.append((("engine up " if wide else "up ", DIM), (up, TEXT)))
    if link.version not in (None, VERSION):
        parts.append(((f"engine is {link.version}: restart this console", WARN),))
    if link.gauges is not None:
        if link.gauges.degraded:
            parts.append(((f"degraded: {near(link.gauges.degraded, home)}", f"{BAD} bold"),))
        if link.gauges.warning:
            parts.append(((near(link.gauges.warning, home), WARN),))
        if link.gauges.draining:
            parts.append((("draining", WARN),))
        parts.extend(_figures(link.gauges, wide))
    return parts


def _down(scene: Scene, wide: bool) -> Spans:
    """When it went, as far as is known, and how old what we show is."""
    session, now = scene.snapshot.session, scene.now
    if session is None:
        return (("engine not started yet", f"{BAD} bold"),)
    if session.ended_at is not None:
        at, words = session.ended_at, f"engine down since {clock(session.ended_at)}"
        why = f"  {session.reason}" if session.reason and wide else ""
        return ((words, f"{BAD} bold"), (f"  {ago_words(at, now)}{why}", DIM))
    at, link = max(session.last_seen_at, session.started_at), scene.link
    # Who never heard it does not know when it went: `since` then is when this console began to look.
    knows = link.heard_at is not None and link.since is not None and link.since > at
    words = f"engine down since {clock(link.since)}" if knows and link.since is not None else "engine down"
    seen = f"last seen {clock(at)}, " if wide else "last seen "
    return ((words, f"{BAD} bold"), (f"  {seen}{ago_words(at, now)} ago", DIM))


def _figures(gauges: Gauges, wide: bool) -> list[Spans]:
    """Slots and the four counts; dim while they are zero, so that what is not stands out."""
    full = gauges.slots_used >= gauges.slots
    slots = ((f"{gauges.slots_used}/{gauges.slots}", WARN if full and gauges.queued else TEXT),)
    if wide:
        counts = (("queued", gauges.queued), ("retrying", gauges.retrying), ("waiting", gauges.waiting))
        return [
            (("slots ", DIM), *slots),
            *(((f"{name} ", DIM), (str(count), TEXT if count else DIM)) for name, count in counts),
        ]
    signs = Line()
    for state, count in (("queued", gauges.queued), ("up_for_retry", gauges.retrying), ("deferred", gauges.waiting)):
        signs.add(" " if signs.width else "").add(sign(state)[0], sign(state)[1] if count else DIM)
        signs.add(str(count), TEXT if count else DIM)
    return [slots, signs.done()]


def _attached(scene: Scene, wide: bool) -> Spans:
    gauges = scene.link.gauges
    if gauges is None or not scene.link.up:
        return ()
    names = list(dict.fromkeys(gauges.attached))
    most = 4 if wide else 2
    shown = " ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")
    return ((shown, DIM),)


def _clocks(scene: Scene, wide: bool) -> Spans:
    """The time in UTC and in the home's zone: minutes only, so that a calm screen writes nothing."""
    utc = clock(scene.now, seconds=False)
    zone = scene.snapshot.home.timezone
    line = Line().add(utc, TEXT).add(" UTC" if wide else "Z", DIM)
    if to_datetime(scene.now, zone).utcoffset() or zone != "UTC":
        name = zone.rpartition("/")[2].replace("_", " ")
        line.add("  " if wide else " ").add(clock(scene.now, zone, seconds=False), TEXT).add(f" {name}", DIM)
    return line.add(" ").done()
