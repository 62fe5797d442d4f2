"""What tasks wait for besides each other: pools, circuit breakers and people. Moments are microseconds UTC."""

from __future__ import annotations

from typing import NamedTuple

from console.model.dags import ParamCard
from engine.model.moments import Micros


class HolderCard(NamedTuple):
    """A task instance that holds slots of a pool."""

    run_id: str
    name: str
    slots: int
    since: Micros | None
    due: Micros | None = None
    """Of one that waits without a process and keeps its slots: when it is tried again."""


class PoolCard(NamedTuple):
    """A pool; `slots` −1 is no limit. `holders` are those that have held slots longest, `include_deferred` whether
    tasks that have begun and wait without a process are among them."""

    name: str
    slots: int
    used: int
    wanted: int
    description: str | None
    holders: tuple[HolderCard, ...]
    include_deferred: bool = False


class BreakerCard(NamedTuple):
    """A circuit breaker that has had a failure, or was tripped."""

    name: str
    state: str
    failures: int
    until: Micros | None
    opened_at: Micros | None
    last_error: str | None
    probing: bool
    by: str | None
    note: str | None
    dags: tuple[str, ...]


class QuestionCard(NamedTuple):
    """An approval that waits for a person."""

    run_id: str
    dag_id: str
    task_id: str
    map_index: int
    message: str
    options: tuple[str, ...]
    params: tuple[ParamCard, ...]
    asked_at: Micros
    due: Micros | None
    default: str | None


class LimitsCard(NamedTuple):
    """All of them, as one page shows them."""

    pools: tuple[PoolCard, ...] = ()
    breakers: tuple[BreakerCard, ...] = ()
    questions: tuple[QuestionCard, ...] = ()


class WaitCard(NamedTuple):
    """Why one task waits: a sentence for each thing that holds it back, and the question, where a person does."""

    sentences: tuple[str, ...] = ()
    question: QuestionCard | None = None
