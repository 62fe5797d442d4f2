"""The pictures of one run and of one DAG's runs, kept up to date from the feed while they are looked at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.backends.changes import Dirty
from console.backends.specs import Specs, Version
from console.model import reading
from console.model.figures import durations, percentile
from console.model.keys import UNMAPPED
from console.model.runs import DagDetail, Mention, RunDetail, TaskCard, TaskPlan
from engine.model.moments import DAY, MINUTE, Micros

if TYPE_CHECKING:
    from console.backends.rows import Rows

Row = Sequence[Any]
_USUAL_AT_ONCE = 200
_MENTIONS_FOR: Micros = 5 * MINUTE
_RUNS_LISTED = 300
_FAR = 2**62


class RunPicture:
    """One run. Task instances are read again only when the feed names them."""

    def __init__(self, rows: Rows, specs: Specs, now: Callable[[], Micros]) -> None:
        self._rows, self._specs, self._now = rows, specs, now
        self._shape = 0
        self._forget()

    def _forget(self) -> None:
        self._run_id: str | None = None
        self._key: int | None = None
        self._detail: RunDetail | None = None
        self._cards: dict[int, TaskCard] = {}
        self._version: Version | None = None
        self._version_id: int | None = None
        self._usual_due: list[str] = []
        self._order: list[int] = []
        self._order_of: tuple[TaskPlan, ...] | None = None
        self._row_of: dict[int, int] = {}
        self._sorted: list[TaskCard] = []
        self._places: dict[tuple[str, int], int] = {}
        self._tally: Counter[str] = Counter()
        self._indexes: dict[str, Counter[str]] = {}
        self._moved: set[int] = set()

    @property
    def filling(self) -> bool:
        """Whether usual durations are still to be read."""
        return bool(self._usual_due)

    def refresh(self, run_id: str | None, dirty: Dirty | None) -> RunDetail | None:
        """The run as it stands; `dirty` None: everything may have changed. None when there is no such run."""
        if run_id is None:
            self._forget()
            return None
        if run_id != self._run_id or dirty is None or self._detail is None:
            self._forget()
            self._run_id = run_id
            self._load()
        else:
            self._apply(dirty)
        self._fill_usual()
        return self._detail

    def _load(self) -> None:
        found = self._rows.one("run", "run_by_run_id", {"run_id": self._run_id})
        if found is None:
            return
        self._key = found[0]
        row = self._rows.one("run", "run", {"run": self._key})
        if row is None:
            return
        self._take_version(row[3])
        mentions = self._mentions()
        newest: dict[int, Row] = {row[1]: row for row in self._rows.all("run", "newest_attempts", {"run": self._key})}
        for instance in self._rows.all("run", "instances", {"run": self._key}):
            attempts = [newest[instance[0]]] if instance[0] in newest else []
            self._take(instance, attempts, mentions)
        self._compose(row, mentions)

    def _apply(self, dirty: Dirty) -> None:
        assert self._detail is not None
        key = self._detail.mark.id
        changed = dirty.tasks.get(key, set())
        if key not in dirty.runs and not changed:
            return
        row = self._rows.one("run", "run", {"run": key}) if key in dirty.runs else None
        reopened = row is not None and (row[3], row[14]) != (self._version_id, self._detail.episode)
        if reopened or not changed <= self._cards.keys():
            # Opened again, perhaps on another version of the DAG, with other instances.
            usual = {card.task_id: card.usual for card in self._cards.values()}
            self._cards, self._order = {}, []
            self._load()
            self._cards = {key: card._replace(usual=usual.get(card.task_id)) for key, card in self._cards.items()}
            self._moved.update(self._cards)
            self._sort()
            return
        mentions = self._mentions() if key in dirty.commanded else None
        for instance in self._rows.all("run", "instances_by_id", {"ids": json.dumps(sorted(changed))}):
            self._take(instance, [], mentions)
        if row is not None:
            self._compose(row, self._mentions() if mentions is None else mentions)
        else:
            self._sort()

    def _take(self, row: Row, attempts: list[Row], mentions: dict[int | None, Mention] | None) -> None:
        """Makes the card of an instance; attempts that are not given are read."""
        if row[7] > len(attempts):
            attempts = list(self._rows.all("run", "attempts", {"task_instance": row[0]}))
        known = self._cards.get(row[0])
        who = known.mention if mentions is None and known is not None else (mentions or {}).get(row[0])
        plan = None if self._version is None else self._version.plans.get(row[3])
        self._moved.add(row[0])
        self._cards[row[0]] = reading.task_card(row, plan, attempts, None if known is None else known.usual, who)

    def _take_version(self, key: int) -> None:
        if key == self._version_id:
            return
        self._version_id, self._version = key, self._specs.version(key)
        self._usual_due = [] if self._version is None else [plan.task_id for plan in self._version.tasks]

    def _mentions(self) -> dict[int | None, Mention]:
        values = {"run": self._key, "since": self._now() - _MENTIONS_FOR}
        return {row[0]: reading.mention(row) for row in self._rows.all("run", "mentions", values)}

    def _compose(self, row: Row, mentions: dict[int | None, Mention]) -> None:
        mark = reading.run_mark((*row[:8], row[10], row[12], row[13], row[17], row[19], row[20]))
        version = self._version
        usual = self._rows.all(
            "overview",
            "run_durations",
            {"dag_ids": json.dumps([row[2]]), "since": self._now() - 30 * DAY, "week": self._now()},
        )
        ordered = durations(usual[0][1]) if usual else []
        zone = self._rows.one("run", "dag_timezone", {"dag_id": row[2]})
        self._detail = RunDetail(
            mark=mark,
            interval_start=row[8],
            interval_end=row[9],
            created_at=row[11],
            episode=row[14],
            inferred=bool(row[18]),
            note=None if row[16] is None else reading.one_line(row[16]),
            params=reading.one_line(row[15]),
            version=None if version is None else version.number,
            timezone=reading.safe(zone[0]) if zone else "UTC",
            runbook=None if version is None else version.runbook,
            plan=() if version is None else version.tasks,
            tasks=(),
            run_p50=percentile(ordered, 0.5),
            run_p95=percentile(ordered, 0.95),
            mention=mentions.get(None),
            config=reading.config_lines(self._rows.one("run", "run_config", {"run": self._key})),
        )
        self._sort()

    def _sort(self) -> None:
        """Puts the cards in the DAG's declaration order, which stays while the instances are the same."""
        assert self._detail is not None
        if self._order_of is not self._detail.plan or len(self._order) != len(self._cards):
            place = {plan.task_id: at for at, plan in enumerate(self._detail.plan)}
            cards = sorted(self._cards.values(), key=lambda c: (place.get(c.task_id, _FAR), c.map_index, c.id))
            self._order, self._order_of = [card.id for card in cards], self._detail.plan
            self._shape += 1
            self._row_of = {key: at for at, key in enumerate(self._order)}
            self._sorted = [self._cards[key] for key in self._order]
            self._places = {(card.task_id, card.map_index): at for at, card in enumerate(self._sorted)}
            self._tally = Counter(card.state for card in self._sorted if card.stands_for_itself)
            self._indexes = {}
            for card in self._sorted:
                if card.map_index != UNMAPPED:
                    self._indexes.setdefault(card.task_id, Counter())[card.state] += 1
            self._moved.clear()
        fresh: set[str] = set()
        for key in self._moved:
            at, card = self._row_of[key], self._cards[key]
            before, self._sorted[at] = self._sorted[at], card
            self._tally[before.state] -= before.stands_for_itself
            self._tally[card.state] += card.stands_for_itself
            if card.map_index != UNMAPPED and card.state != before.state:
                if card.task_id not in fresh:
                    fresh.add(card.task_id)
                    self._indexes[card.task_id] = self._indexes[card.task_id].copy()
                self._indexes[card.task_id][before.state] -= 1
                self._indexes[card.task_id][card.state] += 1
        self._moved.clear()
        self._detail = replace(
            self._detail,
            tasks=tuple(self._sorted),
            shape=self._shape,
            tally={state: count for state, count in self._tally.items() if count},
            places=self._places,
            indexes=self._indexes.copy(),
        )

    def _fill_usual(self) -> None:
        if not self._usual_due or self._detail is None:
            return
        wanted, self._usual_due = self._usual_due[:_USUAL_AT_ONCE], self._usual_due[_USUAL_AT_ONCE:]
        found = self._specs.usual(self._detail.mark.dag_id, wanted, self._now())
        for key, card in self._cards.items():
            if card.task_id in found:
                self._cards[key] = card._replace(usual=found[card.task_id])
                self._moved.add(key)
        self._sort()


class DagPicture:
    """The latest runs of one DAG."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._detail: DagDetail | None = None

    def refresh(self, dag_id: str | None, dirty: Dirty | None) -> DagDetail | None:
        """The DAG's runs, newest first."""
        if dag_id is None:
            self._detail = None
            return None
        known = self._detail is not None and self._detail.dag_id == dag_id
        if not known or dirty is None or dag_id in dirty.dag_ids:
            values = {"dag_id": dag_id, "logical_date": _FAR, "id": _FAR, "count": _RUNS_LISTED + 1}
            marks = tuple(map(reading.run_mark, self._rows.all("run", "runs_of_dag", values)))
            found = DagDetail(dag_id, marks[:_RUNS_LISTED], len(marks) > _RUNS_LISTED)
            if found != self._detail:
                self._detail = found
        return self._detail
