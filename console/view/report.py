"""A run as a Markdown report, for a ticket or a hand-over: what happened when, what failed, and who did what. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from console.figures import bytes_
from console.model.home import HomeCard
from console.model.report import Retelling
from console.model.runs import AttemptCard, RunDetail, TaskCard
from console.view.words import interval_words, took_words
from engine.model.moments import Micros, to_datetime, to_iso
from engine.model.typed import dagdeck

FAILED = ("failed", "timeout", "killed", "lost")
"""Outcomes of attempts whose logs a report quotes."""
_MOST_ROWS = 200
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def report(home: HomeCard, run: RunDetail, told: Retelling, now: Micros) -> str:
    """The report; every text of others is escaped or fenced, so that none of it is markup."""
    return "\n".join([*_head(home, run, now), *_tasks(run, now), *_timeline(run, told), *_failures(run, told), ""])


def quoted(run: RunDetail, most: int = 20) -> list[tuple[TaskCard, AttemptCard]]:
    """What is quoted of logs: the last failed attempt of each task that failed or waits to try again."""
    found = []
    for card in run.tasks:
        failed = [attempt for attempt in card.attempts if attempt.outcome in FAILED]
        if failed and card.state != "success":
            found.append((card, failed[-1]))
    return found[:most]


def _head(home: HomeCard, run: RunDetail, now: Micros) -> Iterator[str]:
    mark = run.mark
    took = mark.duration(now)
    yield f"# {_text(mark.dag_id)}: {_text(mark.state)}"
    yield ""
    yield f"- Run: {_code(mark.run_id)} ({_text(mark.run_type)}), home {_text(home.name)} ({_code(home.path)})"
    interval = interval_words(run.interval_start, run.interval_end, run.timezone)
    yield f"- Data interval: {interval} {_text(run.timezone)}, logical date {to_iso(mark.logical_date)}"
    ended = f", ended {to_iso(mark.ended_at)}" if mark.ended_at is not None else ""
    by = f" by {_text(mark.created_by)}" if mark.created_by else ""
    yield f"- Started{by} {to_iso(mark.started_at)}{ended}" if mark.started_at is not None else "- Not started"
    usual = "" if run.run_p50 is None else f"; usually {took_words(run.run_p50)} (p50)"
    usual += "" if run.run_p95 is None else f" to {took_words(run.run_p95)} (p95)"
    if took is not None:
        so_far = "" if mark.ended_at is not None else " so far"
        yield f"- Took {took_words(took)}{so_far}{usual}{_over(took, run.run_p95)}"
    yield f"- Version {run.version or '?'}, episode {run.episode}, params {_code(run.params)}"
    if mark.reason and mark.reason not in (mark.state, "started"):
        yield f"- Reason: {_text(mark.reason.replace('_', ' '))}"
    if run.note:
        yield f"- Note: {_text(run.note)}"
    if run.runbook:
        yield f"- Runbook: {_text(run.runbook)}"
    yield f"- Address: {_code(dagdeck(home.path, 'open', f'run/{mark.run_id}'))}"
    yield f"- As of {to_iso(now // 1_000_000 * 1_000_000)}"


def _tasks(run: RunDetail, now: Micros) -> Iterator[str]:
    yield ""
    yield "## Tasks"
    yield ""
    yield "| task | state | tries | took | p50 | p95 | queued | peak memory |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for card in run.tasks[:_MOST_ROWS]:
        took, usual, latest = card.elapsed(now), card.usual, card.newest
        queued = _wait(latest)
        cells = (
            _code(card.name), _text(card.state.replace("_", " ")), str(card.tries or ""),
            "" if took is None else took_words(took) + _over(took, usual.p95 if usual else None),
            "" if usual is None or usual.p50 is None else took_words(usual.p50),
            "" if usual is None or usual.p95 is None else took_words(usual.p95),
            "" if queued is None else took_words(queued),
            "" if latest is None or latest.peak_bytes is None else bytes_(latest.peak_bytes),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    if len(run.tasks) > _MOST_ROWS:
        yield f"\n… and {len(run.tasks) - _MOST_ROWS} more."


def _timeline(run: RunDetail, told: Retelling) -> Iterator[str]:
    lines = sorted([*_moments(run), *_acts(told)], key=lambda line: line[0])
    yield ""
    yield "## Timeline (UTC)"
    yield ""
    kept: Sequence[tuple[Micros, str]] = lines
    if len(lines) > _MOST_ROWS:
        half = _MOST_ROWS // 2
        kept = lines[:half]
    for at, text in kept:
        yield f"- {_when(at)} {text}"
    if len(lines) > _MOST_ROWS:
        yield f"- … {len(lines) - _MOST_ROWS} more …"
        for at, text in lines[-(_MOST_ROWS - half) :]:
            yield f"- {_when(at)} {text}"
    yield ""
    yield "## What people did"
    yield ""
    if not told.acts:
        yield "Nobody changed anything of this run."
    for act in told.acts:
        note = f": {_text(act.note)}" if act.note else ""
        asked = f"{_text(act.who)} asked for {_text(act.verb)}"
        yield f"- {_when(act.at)} {asked}, {_text(act.outcome)}: {_text(act.message)}{note}"


def _moments(run: RunDetail) -> Iterator[tuple[Micros, str]]:
    mark = run.mark
    if mark.started_at is not None:
        yield mark.started_at, "run starts"
    for card in run.tasks:
        for attempt in card.attempts:
            yield from _attempt(card, attempt)
        if card.state == "up_for_retry" and card.retry_at is not None:
            yield card.retry_at, f"{_code(card.name)} is due for try {card.tries + 1}"
    if mark.ended_at is not None:
        yield mark.ended_at, f"run ends: **{_text(mark.state)}**"


def _attempt(card: TaskCard, attempt: AttemptCard) -> Iterator[tuple[Micros, str]]:
    name = f"{_code(card.name)} try {attempt.number}"
    if attempt.started_at is not None:
        yield attempt.started_at, f"{name} starts"
    if attempt.ended_at is not None:
        said = f": {_text(attempt.error)}" if attempt.error else ""
        took = "" if attempt.took is None else f" after {took_words(attempt.took)}"
        word = attempt.outcome or attempt.state
        yield attempt.ended_at, f"{name} {f'**{word}**' if word in FAILED else word}{took}{said}"


def _acts(told: Retelling) -> Iterator[tuple[Micros, str]]:
    for act in told.acts:
        yield act.at, f"**{_text(act.who)}**: {_text(act.verb)}"


def _failures(run: RunDetail, told: Retelling) -> Iterator[str]:
    yield ""
    yield "## Failures"
    found = quoted(run)
    if not found:
        yield ""
        yield "No task has failed."
    for card, attempt in found:
        yield from _failure(card, attempt, told.excerpts.get(attempt.id, ()))


def _failure(card: TaskCard, attempt: AttemptCard, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"### {_code(card.name)}, try {attempt.number}"
    yield ""
    facts = [
        f"{attempt.failure_class} failure" if attempt.failure_class else "",
        f"exit code {attempt.exit_code}" if attempt.exit_code is not None else "",
        f"signal {attempt.signal}" if attempt.signal is not None else "",
        f"after {took_words(attempt.took)}" if attempt.took is not None else "",
        _text(attempt.error) if attempt.error else "",
    ]
    yield ", ".join(fact for fact in facts if fact) or "no evidence of its end"
    if lines:
        fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0))
        yield ""
        yield f"{fence}text"
        yield from lines
        yield fence


def _wait(attempt: AttemptCard | None) -> Micros | None:
    if attempt is None or attempt.queued_at is None or attempt.started_at is None:
        return None
    return max(attempt.started_at - attempt.queued_at, 0)


def _over(took: Micros, p95: Micros | None) -> str:
    return f", {int(took / p95 * 10) / 10:.1f}× p95" if p95 and took > p95 * 1.1 else ""


def _when(at: Micros) -> str:
    return to_datetime(at).strftime("%Y-%m-%d %H:%M:%S")


def _text(text: str) -> str:
    """Text in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", text)


def _code(text: str) -> str:
    """Text as code, whatever backquotes it has; bars would end a cell of a table."""
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}".replace("|", "\\|")
