"""The whole picture at one commit, and what a screen asks to be in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from console.model.intents import Intents

if TYPE_CHECKING:
    from console.model.dags import DagCard, Failure, ImportProblem
    from console.model.home import HoldCard, HomeCard, ProgressCard, RecoveryCard, SessionCard
    from console.model.link import Link
    from console.model.runs import DagDetail, RunDetail
    from engine.model.moments import Micros


class Page(NamedTuple):
    """What a view wants to have read for it alone: the reader's name, and what it is about."""

    name: str
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Interest:
    """What is looked at beside the overview: one run, one DAG, and what a view has read for itself."""

    run_id: str | None = None
    dag_id: str | None = None
    page: Page | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything that is shown, as of commit `seq`. Parts that did not change are the same objects as before."""

    seq: int
    home: HomeCard
    dags: tuple[DagCard, ...] = ()
    imports: tuple[ImportProblem, ...] = ()
    failures: tuple[Failure, ...] = ()
    more_failures: bool = False
    """Whether these are only the newest so far: of very many the others are in the next picture."""
    report: RecoveryCard | None = None
    session: SessionCard | None = None
    holds: tuple[HoldCard, ...] = ()
    recoveries: tuple[ProgressCard, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    """Who is on which cause of failures: cause and person."""
    run: RunDetail | None = None
    absent: str | None = None
    """The id of a run that was asked for, and is not there."""
    dag: DagDetail | None = None
    page: Page | None = None
    """What `paged` is an answer to."""
    paged: object = None
    """What the reader of that page gave; the same object as before while it says the same."""
    trouble: str | None = None
    """Why this picture is older than it could be, or empty: the store is not there, or cannot be read."""
    filling: bool = False
    """Parts are still to come; the next refresh brings more."""

    @cached_property
    def by_id(self) -> dict[str, DagCard]:
        """The DAGs by their ids."""
        return {card.dag_id: card for card in self.dags}

    def lacks(self, run_id: str | None) -> bool:
        """Whether this run was looked for, and is not there."""
        return run_id is not None and run_id == self.absent


@dataclass(frozen=True, slots=True)
class Scene:
    """What a view draws from: the picture, the link, what was asked for, and the moment."""

    snapshot: Snapshot
    link: Link
    now: Micros
    intents: Intents = field(default_factory=Intents)
    verbs: frozenset[str] = frozenset()
    """What the backend can be asked for."""
    loading: bool = False
    """Nothing has been read yet: views say so instead of showing an empty home."""
