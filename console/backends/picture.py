"""The picture of all DAGs, kept up to date from the feed: each refresh is one short read of the rows it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from console.backends.changes import Dirty
from console.backends.open_failures import OpenFailures
from console.backends.pages import NOWHERE, Pages
from console.backends.rows import Rows
from console.backends.run_picture import DagPicture, RunPicture
from console.backends.specs import Specs
from console.model import reading
from console.model.dags import ActiveRun, DagCard, DagStats, ImportProblem, LiveTask, RunMark
from console.model.home import HoldCard, HomeCard, ProgressCard, RecoveryCard, SessionCard
from console.model.snapshot import Interest, Snapshot
from engine.model.causes import cause_key
from engine.model.moments import DAY, SECOND, Micros

RECENT_RUNS = 24
LIVE_STATES = (
    "killing",
    "running",
    "up_for_retry",
    "awaiting_input",
    "queued",
    "scheduled",
    "deferred",
    "up_for_reschedule",
)
_LIVE_EACH = 8
_UNSEEN_EVERY: Micros = SECOND
"""While a run is looked at, what the tasks of all others do is read this often: nobody sees it."""
_STATS_AT_ONCE = 100
_AT_FIRST = 50
"""DAGs of a large home whose runs are in the first picture: more than any screen shows."""
_SMALL_HOME = 150
_RECENT_AT_ONCE = 150
_MOST_EVENTS = 5000
_NOTHING: Mapping[str, Any] = {}


class Picture:
    """The last picture and what it was made of. Used by one thread."""

    def __init__(self, rows: Rows, home: HomeCard, now: Callable[[], Micros], versions: Path = NOWHERE) -> None:
        self._rows = rows
        self._now = now
        self._specs = Specs(rows)
        self._run = RunPicture(rows, self._specs, now)
        self._dag = DagPicture(rows)
        self._pages = Pages(rows, self._specs, now, versions)
        self._last = Snapshot(seq=-1, home=home)
        self._reset()

    def _reset(self) -> None:
        self._bases: dict[str, DagCard] = {}
        self._recent: dict[str, list[RunMark]] = {}
        self._active: dict[int, RunMark] = {}
        self._counts: dict[int, dict[str, int]] = {}
        self._live: dict[int, tuple[LiveTask, ...]] = {}
        self._failures = OpenFailures(self._rows)
        self._stats: dict[str, DagStats] = {}
        self._stats_due: dict[str, None] = {}
        self._recent_due: list[str] = []
        self._live_due: set[int] = set()
        self._live_at: Micros = 0
        self._cards: dict[str, DagCard] = {}
        self._imports: tuple[ImportProblem, ...] = ()
        self._report: RecoveryCard | None = None
        self._session: SessionCard | None = None
        self._holds: tuple[HoldCard, ...] = ()
        self._recoveries: tuple[ProgressCard, ...] = ()
        self._claims: tuple[tuple[str, str], ...] = ()

    @property
    def last(self) -> Snapshot:
        """The newest picture that could be taken."""
        return self._last

    def refresh(self, interest: Interest) -> Snapshot:
        """The picture at the newest commit."""
        with self._rows.snapshot() as seq:
            dirty = self._changes(seq)
            if dirty is None:
                self._reset()
                self._load()
            else:
                self._apply(dirty, seen=interest.run_id is None)
            self._read_session()
            run = self._run.refresh(interest.run_id, dirty)
            dag = self._dag.refresh(interest.dag_id, dirty)
            paged = self._pages.refresh(interest.page, dirty)
            self._fill_recent()
            if self._last.seq >= 0:
                self._failures.fill()
        self._fill_stats()
        filling = bool(self._stats_due or self._recent_due or self._failures.due) or self._run.filling
        self._last = replace(
            self._last,
            seq=seq,
            dags=self._all_cards(),
            imports=self._imports,
            failures=self._failures.all(self._last.failures),
            more_failures=self._failures.due,
            report=self._report,
            session=self._session,
            holds=self._holds,
            recoveries=self._recoveries,
            claims=self._claims,
            run=run,
            absent=interest.run_id if run is None else None,
            dag=dag,
            page=interest.page,
            paged=paged,
            trouble=None,
            filling=filling,
        )
        return self._last

    def _changes(self, seq: int) -> Dirty | None:
        """What has changed since the last picture; None when everything has to be read anew."""
        before = self._last.seq
        if before < 0 or seq < before:
            return None
        if seq == before:
            return Dirty()
        events = self._rows.all("home", "events_after", {"seq": before, "count": _MOST_EVENTS})
        if len(events) != seq - before:
            return None
        return Dirty.of(events)

    def _load(self) -> None:
        self._read_dags()
        shown = sorted(self._bases, key=lambda dag_id: (self._bases[dag_id].paused_at is not None, dag_id))
        first = len(shown) if len(shown) <= _SMALL_HOME else _AT_FIRST
        self._read_recent(shown[:first])
        self._recent_due = shown[first:][::-1]
        for row in self._rows.all("overview", "active_runs"):
            mark = reading.run_mark(row)
            self._active[mark.id] = mark
        self._read_counts(self._active)
        self._read_live(self._active)
        self._read_imports()
        self._read_report()
        self._read_holds()
        self._failures.load()
        self._stats_due = dict.fromkeys(self._bases)
        self._cards = dict(self._bases)
        self._settle({*shown[:first], *(mark.dag_id for mark in self._active.values())} & self._bases.keys())

    def _apply(self, dirty: Dirty, *, seen: bool) -> None:
        if dirty.dags:
            self._read_dags()
        if dirty.imports:
            self._read_imports()
        if dirty.reports:
            self._read_report()
        if dirty.holds:
            self._read_holds()
        self._failures.follow(dirty)
        touched = self._take_marks(dirty.runs)
        recount = (dirty.runs | dirty.recount) & self._active.keys()
        for run, moves in dirty.moves.items():
            if run in self._counts and run not in recount:
                _move(self._counts[run], moves)
        self._read_counts(recount)
        moved = dirty.runs | dirty.task_runs | self._live_due
        now = self._now()
        if not seen and now - self._live_at < _UNSEEN_EVERY and not (dirty.runs or dirty.dags):
            self._live_due = moved
            return
        self._live_due, self._live_at = set(), now
        self._read_live(moved & self._active.keys())
        touched |= {self._active[run].dag_id for run in moved if run in self._active}
        touched |= {dag for dag in self._bases if dag not in self._cards} if dirty.dags else set()
        self._settle(self._bases if dirty.dags else touched)

    # Reading

    def _read_dags(self) -> None:
        self._bases = {card.dag_id: card for card in map(reading.dag_card, self._rows.all("overview", "dags"))}
        for gone in self._cards.keys() - self._bases.keys():
            del self._cards[gone]

    def _read_recent(self, dag_ids: Iterable[str]) -> None:
        wanted = list(dag_ids)
        self._recent.update({dag_id: [] for dag_id in wanted})
        values = {"dag_ids": json.dumps(wanted), "count": RECENT_RUNS}
        for row in self._rows.all("overview", "recent_runs", values) if wanted else ():
            mark = reading.run_mark(row)
            self._recent[mark.dag_id].append(mark)
        for dag_id in wanted:
            self._recent[dag_id].sort(key=lambda mark: (mark.logical_date, mark.id))

    def _take_marks(self, runs: set[int]) -> set[str]:
        """Reads moved runs again, and puts each where it belongs. Gives the DAGs concerned."""
        touched: set[str] = set()
        unknown: dict[str, None] = {}
        gone = set(runs)
        for row in self._rows.all("run", "runs_by_id", {"ids": json.dumps(sorted(runs))}) if runs else ():
            mark = reading.run_mark(row)
            touched.add(mark.dag_id)
            gone.discard(mark.id)
            recent = self._recent.get(mark.dag_id, [])
            place = next((at for at, known in enumerate(recent) if known.id == mark.id), None)
            if place is None:
                unknown[mark.dag_id] = None
            else:
                if mark.active and not recent[place].active:  # reopened: it counts no more as it had ended
                    self._stats_due[mark.dag_id] = None
                recent[place] = mark
            if mark.active:
                self._active[mark.id] = mark
            else:
                self._forget(mark.id)
                self._stats_due[mark.dag_id] = None
        for run in gone:
            self._forget(run)
        without = [name for name, marks in self._recent.items() if gone and any(mark.id in gone for mark in marks)]
        self._stats_due.update(dict.fromkeys(without))
        self._read_recent({**unknown, **dict.fromkeys(without)})
        return touched | set(without)

    def _forget(self, run: int) -> None:
        self._active.pop(run, None)
        self._counts.pop(run, None)
        self._live.pop(run, None)

    def _read_counts(self, runs: Iterable[int]) -> None:
        wanted = sorted(runs)
        self._counts.update({run: {} for run in wanted})
        for run, state, count in (
            self._rows.all("overview", "state_counts", {"runs": json.dumps(wanted)}) if wanted else ()
        ):
            self._counts[run][reading.safe(state)] = count

    def _read_live(self, runs: Iterable[int]) -> None:
        wanted = sorted(runs)
        found: dict[int, list[LiveTask]] = {run: [] for run in wanted}
        values = {"runs": json.dumps(wanted), "states": json.dumps(LIVE_STATES), "count": _LIVE_EACH}
        for row in self._rows.all("overview", "live_tasks", values) if wanted else ():
            mark = self._active[row[1]]
            plan = self._specs.plan(mark.version_id, row[3])
            p95 = self._specs.p95(mark.dag_id, row[3], self._now()) if row[5] == "running" else None
            found[row[1]].append(reading.live_task(row, plan, p95))
        self._live.update({run: tuple(tasks) for run, tasks in found.items()})

    def _read_imports(self) -> None:
        rows = self._rows.all("home", "import_errors", {"count": 200})
        self._imports = tuple(map(reading.import_problem, rows))

    def _read_report(self) -> None:
        row = self._rows.one("home", "open_report")
        self._report = None if row is None else reading.recovery_card(row)

    def _read_holds(self) -> None:
        self._holds = tuple(map(reading.hold_card, self._rows.all("home", "open_holds")))
        values = {"id": None, "since": self._now() - DAY}
        rows = self._rows.all("inbox", "recoveries", values)
        self._recoveries = tuple(self._recovery(row) for row in rows if row[5] is None or row[13])
        self._claims = tuple((cause_key(row[0]), reading.safe(row[1])) for row in self._rows.all("inbox", "claims"))

    def _recovery(self, row: tuple[Any, ...]) -> ProgressCard:
        """A recovery under way, or one that is over and of which something failed again."""
        again = None
        if row[5] is not None:
            found = self._rows.all("inbox", "recovery_failures", {"id": row[0]})
            again = tuple(reading.safe(each[0]) for each in found if each[2] == "failed")
        return ProgressCard(row[0], reading.safe(row[2]), row[4], row[9], row[10] + row[11], row[13], row[12], again)

    def _read_session(self) -> None:
        row = self._rows.one("home", "sessions", {"count": 1})
        found = None if row is None else SessionCard(row[1], row[2], row[3], reading.maybe(row[4]))
        if found != self._session:
            self._session = found

    def _fill_recent(self) -> None:
        """The runs of a few DAGs more: in a large home the first picture has only those that a screen shows."""
        if not self._recent_due or not self._last.dags:
            return
        wanted = [self._recent_due.pop() for _ in range(min(_RECENT_AT_ONCE, len(self._recent_due)))]
        self._read_recent(wanted)
        self._settle(wanted)

    def _fill_stats(self) -> None:
        """Figures of a few DAGs more; they are not part of the first picture, which has to come fast."""
        wanted = list(self._stats_due)[:_STATS_AT_ONCE]
        if not wanted or not self._last.dags:
            return
        now = self._now()
        values = {"dag_ids": json.dumps(wanted), "since": now - 30 * DAY, "week": now - 7 * DAY}
        for row in self._rows.all("overview", "run_durations", values):
            self._stats[reading.safe(row[0])] = reading.dag_stats(row)
        for dag_id in wanted:
            del self._stats_due[dag_id]
            self._compose(dag_id)

    # Putting together

    def _settle(self, dag_ids: Iterable[str]) -> None:
        """Composes the cards of DAGs anew."""
        touched = list(dag_ids)
        active = self._active_by_dag(set(touched))
        for dag_id in touched:
            self._compose(dag_id, active.get(dag_id, ()))

    def _active_by_dag(self, dag_ids: set[str]) -> dict[str, tuple[ActiveRun, ...]]:
        found: dict[str, list[ActiveRun]] = {}
        for run, mark in self._active.items():
            if mark.dag_id in dag_ids:
                card = ActiveRun(mark, dict(self._counts.get(run, {})), self._live.get(run, ()))
                found.setdefault(mark.dag_id, []).append(card)
        return {dag_id: tuple(cards) for dag_id, cards in found.items()}

    def _compose(self, dag_id: str, active: Sequence[ActiveRun] | None = None) -> None:
        base = self._bases.get(dag_id)
        if base is None:
            return
        if active is None:
            known = self._cards.get(dag_id)
            active = known.active if known is not None else ()
        self._cards[dag_id] = base._replace(
            recent=tuple(self._recent.get(dag_id, ())), active=tuple(active), stats=self._stats.get(dag_id)
        )

    def _all_cards(self) -> tuple[DagCard, ...]:
        cards = tuple(self._cards[dag_id] for dag_id in self._bases if dag_id in self._cards)
        before = self._last.dags
        same = len(cards) == len(before) and all(a is b for a, b in zip(cards, before, strict=True))
        return before if same else cards


def _move(counts: dict[str, int], moves: Mapping[tuple[str | None, str], int]) -> None:
    """Applies state changes to counts, so that a run of 10,000 tasks need not be counted for each of them."""
    for (before, after), times in moves.items():
        counts[after] = counts.get(after, 0) + times
        if before is not None:
            counts[before] = counts.get(before, 0) - times
    for state in [state for state, count in counts.items() if not count]:
        del counts[state]
