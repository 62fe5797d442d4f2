"""Why, on the page of limits: how a pool, a breaker, a question or the engine itself stands, and what would free it."""

from __future__ import annotations

from console.figures import bytes_, clock, countdown, duration
from console.model.limits import QuestionCard, WaitCard
from console.model.link import Gauges
from console.view.spans import DIM, TEXT, WARN
from console.view.why import Parts, as_sentence
from engine.model.moments import Micros

_KEYS = {
    "pool": "Another size: Enter. Nothing that runs is stopped by it.",
    "breaker": "Open and hold it: x. Close it, so that what waits starts: r.",
}


def why_limit(kind: str, said: WaitCard) -> Parts:
    """A pool or a breaker, as the store tells of it, and what the keys do about it."""
    return [*((as_sentence(text), TEXT) for text in said.sentences), (_KEYS[kind], DIM)]


def why_question(said: WaitCard, now: Micros) -> Parts:
    """What a person is asked, since when, and what happens when nobody answers."""
    asked = said.question
    if asked is None:
        return [*((as_sentence(text), TEXT) for text in said.sentences), ("It is answered.", DIM)]
    parts: Parts = [(asked.message or "An answer.", TEXT), (f"One of: {', '.join(asked.options)}.", TEXT)]
    parts += [(f"With {_field(asked, number)}.", DIM) for number in range(len(asked.params))]
    since = duration(max(now - asked.asked_at, 0), tenths=False)
    parts.append((f"It has waited since {clock(asked.asked_at)} ({since}), and holds nothing meanwhile.", TEXT))
    if asked.due is not None:
        then = f"{asked.default} is taken" if asked.default else "it fails"
        parts.append((f"If nobody answers, {then} at {clock(asked.due)} (in {countdown(asked.due, now)}).", WARN))
    return [*parts, ("Answer it: A.", DIM)]


def _field(asked: QuestionCard, number: int) -> str:
    card = asked.params[number]
    enum = card.schema.get("enum")
    kind = " or ".join(map(str, enum)) if isinstance(enum, list | tuple) else str(card.schema.get("type", "any value"))
    return f"{card.name}: {kind}{f', {card.description}' if card.description else ''}"


def why_engine(gauges: Gauges | None, name: str) -> tuple[str, Parts]:
    """The limits of the whole engine: its slots, and the memory of its host."""
    if gauges is None:
        return "Why: engine", [("No engine is heard of: nothing starts until there is one.", WARN)]
    if name == "slots":
        full = gauges.slots_used >= gauges.slots
        parts: Parts = [(f"{gauges.slots_used} of {gauges.slots} task instances run that may at the same time.", TEXT)]
        if full:
            parts.append(("All slots are taken: one is freed when any of them ends.", WARN))
        parts.append(("How many there are stands in dagdeck.toml as `slots`; it is read when the engine starts.", DIM))
        return "Why: slots of the engine", parts
    if gauges.memory is None:
        return "Why: memory", [("The host does not say how much memory it has.", DIM)]
    left, total, least = gauges.memory
    parts = [(f"{bytes_(left)} of {bytes_(total)} of memory are left for new processes.", TEXT)]
    if least == 0:
        parts.append(("Nothing watches it: min_free_memory_mb is 0.", DIM))
    elif left < least:
        parts.append((f"Nothing starts below {bytes_(least)}: it is freed when what runs has ended.", WARN))
    else:
        parts.append((f"Nothing starts below {bytes_(least)} (min_free_memory_mb in dagdeck.toml).", DIM))
    return "Why: memory of the host", parts
