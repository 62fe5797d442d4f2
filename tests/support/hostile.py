"""A world in which every text that others write is an attack, not even made safe where it enters the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console.backends.local import VERBS as LOCAL_VERBS
from console.model.asks import EffectCard, PreviewCard, Receipt, Refused, Selection
from console.model.audit import Audit, AuditCard
from console.model.backfills import BackfillCard, Backfills, GapCard
from console.model.calendar import Calendar, DateCell, begins, cell_of
from console.model.dags import ImportProblem, ParamCard
from console.model.durations import Durations, Series
from console.model.grid import Grid
from console.model.home import HoldCard, HomeCard, ProgressCard, RecoveryCard, SessionCard
from console.model.limits import BreakerCard, HolderCard, LimitsCard, PoolCard, QuestionCard, WaitCard
from console.model.reading import safe
from console.model.report import Act
from console.model.runs import GoodAttempt, Mention, RunDetail, TriggerForm
from console.model.schedule_page import SchedulePage
from console.model.snapshot import Interest, Snapshot
from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.model.task_page import TaskPage, Took
from console.model.trash import Trash, TrashedCard
from engine.model.moments import HOUR, SECOND
from tests.support.attacks import EVIL
from tests.support.console import LOGICAL, NOW, attempt, dag, link, mark, plan, run, task
from tests.support.fake_backend import FakeBackend

STATES = ("failed", "running", "up_for_retry", "awaiting_input", "killing", "none", "success")
DAG, RUN, OVER = "trades_us", "trades_us@7", "trades_us@6"


def an_id(text: str) -> str:
    """An id: those are held to letters by the engine, and made safe once more where they enter the model."""
    return safe(text)[:60]


def detail(text: str) -> RunDetail:
    """A run that has not ended, with a task in each state that something can be done about."""
    plans = (*(plan(state) for state in STATES), plan(an_id(text), "failed"))
    plans = tuple(each._replace(owner=text, runbook=text, doc=text, group=None) for each in plans)
    tasks = [task(at, each.task_id, "none") for at, each in enumerate(plans, 70)]
    for at, state in enumerate(STATES):
        tries = () if state in ("none", "awaiting_input") else (attempt(1, None if state == "running" else "failed"),)
        tasks[at] = task(70 + at, state, state)._replace(
            attempts=tuple(
                each._replace(error=text, reason=text, failure_class=text, late_result=text) for each in tries
            ),
            reason=text,
            last_error=f"{text} {'x' * 10_000}" if state == "failed" else text,
            retry_at=NOW + 74 * SECOND,
            blockers=(f"pool:{text}", f"breaker:{text}", text),
            mention=Mention(text, text, NOW),
        )
    found = run(mark(7, DAG, "running", created_by=text, reason=text, run_type=text), plans, tuple(tasks))
    return replace(found, note=text, params=text, runbook=text, config={text: text}, mention=Mention(text, text, NOW))


class HostileWorld(FakeBackend):
    """Every text it gives is an attack."""

    verbs = LOCAL_VERBS

    def __init__(self, text: str = EVIL) -> None:
        super().__init__(lambda: NOW, HomeCard(text, text, environment=text))
        self.text, self.long = text, f"{text} {'x' * 10_000}"
        self.put_dag(dag(DAG, owner=self.long, tags=(text, self.long), schedule=text, file=text))
        self.put_dag(dag("asleep", paused_at=NOW, paused_by=text, pause_reason=text))
        self.put_dag(dag(an_id(text), broken_since=NOW))
        under_way = detail(text)
        over = replace(under_way, mark=mark(6, DAG, "failed"))
        for each in (under_way, over):
            self.put_run(each)
        self.report = RecoveryCard(1, NOW, text, (text, text))
        log = (text * 3).encode() + b"\xff\xed\xa0\x80\n" + json.dumps({"level": "error", text: text}).encode()
        self.logs = {each.id: log for card in over.tasks for each in card.attempts} | {_GOOD: log}
        found = link()
        assert found.gauges is not None
        self.set_link(replace(found, gauges=replace(found.gauges, degraded=text, warning=text, attached=(text, text))))
        self.pages = {name: lambda args, page=page: page for name, page in pages(text).items()}

    async def refresh(self, interest: Interest) -> Snapshot:
        """The picture, with what the world itself has no place for."""
        found, text = await super().refresh(interest), self.text
        return replace(
            found,
            imports=(ImportProblem(text, None, text, 1, NOW, (text,)),),
            holds=(HoldCard(1, "dag", text, text, text, NOW, None),),
            session=SessionCard(NOW, NOW, NOW, text),
            recoveries=(ProgressCard(1, text, NOW, 3, 2, 1),),
        )

    async def waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        """Sentences, and a question."""
        return WaitCard((self.text, self.long), question(self.text))

    async def limit(self, kind: str, name: str) -> WaitCard:
        """The same of a pool or a breaker."""
        return WaitCard((self.text, self.text))

    async def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """Params of every kind."""
        return TriggerForm(dag_id, "UTC", params(self.text), (self.text, self.text))

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """Whatever is asked for touches three rows of which everything is an attack; `refuse` is raised."""
        if self.refuse is not None:
            raise self.refuse
        text = self.text
        rows = tuple(
            EffectCard("task", DAG, RUN, each, -1, "failed", "none", self.long if each != text else text, False)
            for each in (an_id(text), text, "failed")
        )
        one, two = version(text), version(text)._replace(id=2, number=2)
        code = CodeCard(DAG, one, two, 2, 1, False, Diff((text, f"+{text}"), 1, 1, 1))
        counts = {"failed": 2, text: 1}
        return PreviewCard("p", self.seq, verb, text, 3, counts, rows, None, 1, 1, (text, text), (code,))

    async def command(
        self, verb: str, selection: Selection, args: Mapping[str, Any], *, command_id: str, seen_seq: int,
        preview_id: str | None = None, note: str | None = None,
    ) -> Receipt:  # fmt: skip
        """Done, it says, at length."""
        return Receipt(self.commit(), self.text, 3, (self.text, self.text))

    def refusal(self) -> Refused:
        """A refusal whose words are an attack."""
        return Refused("state", self.text)


_GOOD = f"01J{99:023d}"


def version(text: str) -> VersionCard:
    """A version of a DAG."""
    return VersionCard(1, 1, NOW, "a1b9c3d", text)


def params(text: str) -> tuple[ParamCard, ...]:
    """Params of a DAG, and of a question."""
    return (
        ParamCard(text, f"{text} {'x' * 10_000}", True, {"type": "string", "enum": [text, text]}, text),
        ParamCard("plain", {"a": text}, False, {"pattern": text}, text),
    )


def question(text: str) -> QuestionCard:
    """What a person is asked."""
    return QuestionCard(RUN, DAG, "awaiting_input", -1, text, (text, "yes"), params(text), NOW, NOW + HOUR, text)


def pages(text: str) -> dict[str, object]:
    """By the name of its reader, what is read for single views."""
    gap = GapCard(DAG, NOW - HOUR, NOW, 3, text)
    one, found = version(text), detail(text)
    cell = cell_of(NOW, "UTC", 1)
    series = Series("run", (SECOND, 2 * SECOND) * 9, (SECOND,) * 18)
    return {
        "limits": LimitsCard(
            (
                PoolCard("db", 2, 2, 1, text, (HolderCard(text, text, 1, NOW),)),
                PoolCard(text, 2, 2, 1, text, (HolderCard(RUN, text, 1, NOW),), True),
            ),
            (
                BreakerCard("db-1", "open", 3, None, NOW, text, False, text, text, (text,)),
                BreakerCard(text, "half_open", 3, NOW, NOW, text, True, text, text, (text,)),
            ),
            (question(text),),
        ),
        "audit": Audit((
            AuditCard(3, "c3", NOW, text, text, "clear", "done", text, text, DAG, RUN, text, ((text, text),)),
            AuditCard(2, "c2", NOW, text, text, text, "refused", text, text, None, None, None),
        )),
        "trash": Trash((TrashedCard("trades_us@3", DAG, "failed", NOW, text, text, False),)),
        "task": TaskPage((Took(NOW, SECOND),), text, 40),
        "source": SourceCard(
            DAG, one, one._replace(id=2, number=2), text, ((text, (text, text)),),
            Diff((text, f"+{text}"), 1, 1, 1, (text,), (text,), (text,), text), {}, 1, 2,
        ),
        "schedule": SchedulePage(DAG, "UTC", text, gaps=(gap,)),
        "backfills": Backfills(
            (
                BackfillCard(
                    1, DAG, "running", LOGICAL, NOW, "oldest", 4, "none", NOW, text, 9, text, None, 6, 2, 0, 1,
                ),
            ),
            (gap,),
        ),
        "grid": Grid(
            DAG, (mark(6, DAG, "failed"), found.mark), found.plan,
            {key: {card.task_id: card.state for card in found.tasks} for key in (6, 7)}, {}, (gap,),
        ),
        "durations": Durations(DAG, series, series, series, (replace(series, name=text), replace(series, name="b"))),
        "calendar": Calendar(
            DAG, "UTC", "day", cell - 300, cell + 9, {cell - 2: DateCell("failed", 2, 1, OVER, SECOND)},
            {each: begins(each, 1, "UTC") for each in range(cell - 300, cell + 9)}, (gap,),
        ),
        "last_good": GoodAttempt(_GOOD, 1, OVER, LOGICAL),
        "report": (Act(NOW, text, text, text, text, text),),
    }  # fmt: skip
