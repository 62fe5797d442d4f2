"""What each table can be sorted by. The first column of each is the order that the table has by itself. Pure."""

from __future__ import annotations

from typing import Any

from console.model.audit import AuditCard
from console.model.backfills import BackfillCard
from console.model.dags import DagCard, RunMark
from console.model.durations import Series
from console.model.limits import BreakerCard, PoolCard
from console.model.runs import TaskCard
from console.model.trash import TrashedCard
from console.view.inbox import Group
from console.view.overview import best_run
from console.view.sorting import Column
from console.view.upcoming import Coming
from engine.model.moments import Micros

AZ, ZA = "a to z", "z to a"
LONG, SHORT = "longest first", "shortest first"
MOST, LEAST = "most first", "fewest first"
NEW, OLD = "newest first", "oldest first"
_WORST = ("failed", "upstream_failed", "up_for_retry", "killing", "awaiting_input", "running", "paused", "queued")


def _badness(state: str | None) -> int:
    """What failed first, then what moves, then everything else."""
    return _WORST.index(state) if state in _WORST else len(_WORST)


def _most(value: float | None) -> float | None:
    """Large ones first; nothing has no place."""
    return None if not value else -value


def _longest(value: Micros | None) -> Micros | None:
    """Long ones first; what is not known has no place."""
    return None if value is None else -value


def _dag_state(card: DagCard, now: Micros) -> int:
    mark = best_run(card)
    return _badness(None if mark is None else mark.state)


def _dag_last(card: DagCard, now: Micros) -> Micros | None:
    last = card.last_run
    return None if last is None else -(last.started_at or last.logical_date or 0)


def _dag_duration(card: DagCard, now: Micros) -> Micros | None:
    ended = card.last_ended
    if ended is None or ended.started_at is None or ended.ended_at is None:
        return None
    return ended.started_at - ended.ended_at


def _dag_share(card: DagCard, now: Micros) -> float | None:
    stats = card.stats
    ended = 0 if stats is None else stats.succeeded + stats.failed
    return None if stats is None or not ended else stats.succeeded / ended


DAGS: tuple[Column[DagCard], ...] = (
    Column("name", "name", AZ, ZA, "DAG"),
    Column("state", "state", "failed first, then what runs", "what is quiet first", "now", _dag_state),
    Column("last", "last run", NEW, OLD, "runs", _dag_last),
    Column("duration", "duration of the last run that ended", LONG, SHORT, "", _dag_duration),
    Column("next", "next run", "soonest first", "latest first", "next", lambda card, now: card.next_run_after),
    Column("p50", "median", LONG, SHORT, "p50", lambda card, now: _longest(card.stats and card.stats.p50)),
    Column("p95", "95th percentile", LONG, SHORT, "p95", lambda card, now: _longest(card.stats and card.stats.p95)),
    Column("ok", "share of successes", "worst first", "best first", "7d", _dag_share),
    Column("tags", "tags", AZ, ZA, "tags", lambda card, now: card.tags or None),
)

RUNS: tuple[Column[RunMark], ...] = (
    Column("date", "logical date", NEW, OLD, "date"),
    Column("state", "state", "failed first, then what runs", "what went well first", "state",
           lambda mark, now: _badness(mark.state)),
    Column("time", "time", LONG, SHORT, "time", lambda mark, now: _longest(mark.duration(now))),
    Column("started", "start", NEW, OLD, "started", lambda mark, now: _longest(mark.started_at)),
    Column("type", "type", AZ, ZA, "type", lambda mark, now: mark.run_type),
)  # fmt: skip


def _queued(card: TaskCard, now: Micros) -> Micros | None:
    return None if card.latest is None else _longest(card.waited(card.latest))


def _cpu(card: TaskCard, now: Micros) -> float | None:
    return None if card.latest is None else _most(card.latest.cpu_seconds)


def _memory(card: TaskCard, now: Micros) -> float | None:
    return None if card.latest is None else _most(card.latest.peak_bytes)


TASKS: tuple[Column[TaskCard], ...] = (
    Column("graph", "graph", "upstream first", "downstream first", "graph"),
    Column("task", "name", AZ, ZA, "task", lambda card, now: (card.task_id, card.map_index)),
    Column("state", "state", "failed first, then what runs", "what went well first", "state",
           lambda card, now: _badness(card.state)),
    Column("try", "tries", MOST, LEAST, "try", lambda card, now: _most(card.attempt)),
    Column("time", "time", LONG, SHORT, "time", lambda card, now: _longest(card.elapsed(now))),
    Column("start", "start", "first started first", "last started first", "",
           lambda card, now: card.started_at if card.latest is None else card.latest.started_at),
    Column("p50", "median", LONG, SHORT, "p50", lambda card, now: _longest(card.usual and card.usual.p50)),
    Column("p95", "95th percentile", LONG, SHORT, "p95", lambda card, now: _longest(card.usual and card.usual.p95)),
    Column("queue", "wait for a slot", LONG, SHORT, "queue", _queued),
    Column("cpu", "processor time", LONG, SHORT, "cpu", _cpu),
    Column("mem", "memory", MOST, "least first", "mem", _memory),
)  # fmt: skip

CAUSES: tuple[Column[Group], ...] = (
    Column("pressing", "urgency", "most pressing first", "least pressing first"),
    Column("count", "count", MOST, LEAST, "", lambda found, now: -len(found[1])),
    Column("last", "last failure", NEW, OLD, "", lambda found, now: -max(each.at for each in found[1])),
    Column("first", "first failure", OLD, NEW, "", lambda found, now: min(each.at for each in found[1])),
    Column("dag", "DAG", AZ, ZA, "", lambda found, now: min((each.dag_id, each.task_id) for each in found[1])),
    Column("error", "error", AZ, ZA, "", lambda found, now: found[0].text.lower()),
)


def _left(card: BackfillCard, now: Micros) -> Micros | None:
    left = card.time_left
    return None if left is None else -left[1]


BACKFILLS: tuple[Column[BackfillCard], ...] = (
    Column("number", "number", NEW, OLD, "#"),
    Column("dag", "DAG", AZ, ZA, "DAG", lambda card, now: card.dag_id),
    Column("dates", "dates", "earliest first", "latest first", "dates", lambda card, now: card.start),
    Column("done", "share that is done", "least first", MOST, "done",
           lambda card, now: card.done / card.total if card.total else None),
    Column("failed", "failures", MOST, LEAST, "failed", lambda card, now: _most(card.failed)),
    Column("state", "state", "what is under way first", "what is over first", "state",
           lambda card, now: (not card.active, card.state)),
    Column("left", "time that is left", LONG, SHORT, "left", _left),
)  # fmt: skip


def _usual_end(each: Coming, now: Micros) -> Micros | None:
    p50 = None if each.task_id is not None or each.card.stats is None else each.card.stats.p50
    return None if p50 is None else each.at + p50


COMING: tuple[Column[Coming], ...] = (
    Column("at", "when", "soonest first", "latest first", "when"),
    Column("dag", "DAG", AZ, ZA, "DAG", lambda each, now: (each.card.dag_id, each.task_id or "")),
    Column("what", "kind", "retries first", "runs first", "what", lambda each, now: each.task_id is None),
    Column("p50", "median", LONG, SHORT, "p50", lambda each, now: _longest(each.card.stats and each.card.stats.p50)),
    Column("done", "likely end", "soonest first", "latest first", "by", _usual_end),
)


def _taken(each: PoolCard | BreakerCard, now: Micros) -> float | None:
    """The share of a pool's slots; of one without a limit, or without slots, there is none."""
    return -each.used / each.slots if isinstance(each, PoolCard) and each.slots > 0 else None


def _wanted(each: PoolCard | BreakerCard, now: Micros) -> float | None:
    return _most(each.wanted) if isinstance(each, PoolCard) else None


def _failures(each: PoolCard | BreakerCard, now: Micros) -> float | None:
    return _most(each.failures) if isinstance(each, BreakerCard) else None


LIMITS: tuple[Column[Any], ...] = (
    Column("name", "name", AZ, ZA, "pool"),
    Column("taken", "share that is taken", "fullest first", "emptiest first", "taken/slots", _taken),
    Column("wanted", "slots that are waited for", MOST, LEAST, "wanted", _wanted),
    Column("failures", "failures", MOST, LEAST, "failures", _failures),
)

COMMANDS: tuple[Column[AuditCard], ...] = (
    Column("when", "when", NEW, OLD, "when"),
    Column("who", "person", AZ, ZA, "who", lambda card, now: card.user),
    Column("what", "verb", AZ, ZA, "what", lambda card, now: (card.verb, card.dag_id or "", card.task or "")),
    Column("run", "run", AZ, ZA, "run", lambda card, now: card.run_id),
    Column("outcome", "outcome", "refused first", "done first", "", lambda card, now: card.outcome != "refused"),
)

TRASHED: tuple[Column[TrashedCard], ...] = (
    Column("deleted", "deletion", NEW, OLD, "deleted"),
    Column("run", "run", AZ, ZA, "run", lambda card, now: card.run_id),
    Column("ended", "state", "failed first", "what went well first", "ended", lambda card, now: _badness(card.state)),
    Column("by", "person", AZ, ZA, "by", lambda card, now: card.who),
)

SERIES: tuple[Column[Series], ...] = (
    Column("slowest", "median", "slowest first", "fastest first", "p50", lambda each, now: _longest(each.at(0.5))),
    Column("p95", "95th percentile", "slowest first", "fastest first", "p95",
           lambda each, now: _longest(each.at(0.95))),
    Column("p99", "99th percentile", "slowest first", "fastest first", "p99",
           lambda each, now: _longest(each.at(0.99))),
    Column("waiting", "wait", "longest wait first", "shortest wait first", "waits",
           lambda each, now: _longest(each.waited(0.5))),
    Column("trend", "trend", "slower of late first", "faster of late first", "trend",
           lambda each, now: _most(each.trend)),
    Column("n", "samples", MOST, LEAST, "n", lambda each, now: _most(len(each.took))),
    Column("task", "name", AZ, ZA, "task", lambda each, now: each.name),
    Column("dag", "graph", "in the DAG's order", "in the DAG's order, last first"),
)  # fmt: skip
