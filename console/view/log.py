"""The log's title: whose log this is, which attempts there are, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass

from console.figures import bytes_, countdown
from console.model.runs import AttemptCard, GoodAttempt, RunDetail, TaskCard
from console.model.snapshot import Scene
from console.view.spans import ACCENT, BAD, DIM, LIVE, TEXT, WARN, Line, Spans, join
from console.view.words import interval_words, logical_words, sign

_MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What the pane knows of the log it shows."""

    size: int
    lines: int | None
    following: bool
    growing: bool
    search: str = ""
    busy: str = ""
    """What is looked for just now."""
    only: str = ""
    """Which lines are shown, where it is not all of them."""
    counted: float = 1.0
    """The share of the log whose lines have been counted."""
    fault: str | None = None


def title(
    scene: Scene, run: RunDetail, card: TaskCard, shown: int | None, width: int, good: GoodAttempt | None = None
) -> tuple[Spans, Spans]:
    """DAG, interval and task; then its attempts, the one that is shown in brackets; or what it is compared with."""
    words = interval_words(run.interval_start, run.interval_end, run.timezone)
    left = Line().add(" ").add(run.mark.dag_id, f"{TEXT} bold").add(" > ", DIM).add(words).add(" > ", DIM)
    left.add(card.name, f"{TEXT} bold")
    if good is not None:
        when = logical_words(good.logical_date, run.timezone)
        return left.add(f" try {shown}", DIM).done(), (
            ("   + only here   beside it: ", DIM), sign("success"), (f" try {good.number} of {when} ", TEXT),
        )  # fmt: skip
    parts = [_attempt(attempt, attempt.number == shown, width) for attempt in card.attempts[-_MOST_ATTEMPTS:]]
    if len(card.attempts) > _MOST_ATTEMPTS:
        parts.insert(0, (("…", DIM),))
    if card.state == "up_for_retry" and card.retry_at is not None:
        parts.append(((f"try {card.attempt + 1} in {countdown(card.retry_at, scene.now)}", WARN),))
    return left.done(), (*join(parts, "  "), (" ", TEXT))


def _attempt(attempt: AttemptCard, shown: bool, width: int) -> Spans:
    words = f"try {attempt.number} " if width >= 100 else f"{attempt.number} "
    body: Spans = ((words, TEXT if shown else DIM), sign(attempt.glyph_state))
    return (("[", ACCENT), *body, ("]", ACCENT)) if shown else body


def facts(found: LogFacts) -> Spans:
    """What the rule says: lines, bytes, whether it follows."""
    parts: list[Spans] = []
    if found.fault:
        parts.append(((f"cannot be read: {found.fault}", BAD),))
    if found.only:
        parts.append(((found.only, ACCENT),))
    if found.busy:
        parts.append(((found.busy, LIVE),))
    elif found.search:
        parts.append(((f"/{found.search}", ACCENT),))
    if not found.size and not found.fault:
        return join([*parts, (("nothing is written yet" if found.growing else "nothing was written", DIM),)], "   ")
    if found.lines is None:
        parts.append(((f"indexing {int(found.counted * 100)}%", DIM),))
    else:
        parts.append(((f"{found.lines:,}", TEXT), (f" line{'s' if found.lines != 1 else ''}", DIM)))
    parts.append(((bytes_(found.size), TEXT),))
    if found.growing:
        parts.append((("following", LIVE),) if found.following else (("follow off", DIM),))
    else:
        parts.append((("ended", DIM),))
    return join(parts, "   ")
