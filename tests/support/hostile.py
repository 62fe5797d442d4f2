"""A world in which every text that others write is an attack, not even made safe where it enters the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console.model.asks import EffectCard, PreviewCard, Receipt, Refused, Selection
from console.model.audit import Audit, AuditCard
from console.model.backfills import BackfillCard, Backfills, GapCard
from console.model.dags import ImportProblem, ParamCard
from console.model.home import HoldCard, HomeCard, ProgressCard, RecoveryCard, SessionCard
from console.model.limits import BreakerCard, HolderCard, LimitsCard, PoolCard, QuestionCard, WaitCard
from console.model.reading import safe
from console.model.runs import RunDetail, TriggerForm
from console.model.schedule_page import SchedulePage
from console.model.snapshot import Interest, Snapshot
from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.model.task_page import TaskPage, Took
from console.model.trash import Trash, TrashedCard
from engine.model.moments import HOUR, SECOND
from tests.support.console import HOSTILE, LOGICAL, NOW, attempt, dag, link, mark, plan, run, task
from tests.support.fake_backend import FakeBackend

EVIL = " ".join(
    (
        HOSTILE, "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x1b[2J\x1b[1;1H", "\x9b31m",
        "a\nb\r\nc\td",
        "\u200b\u200d\u2060\ufeff\u00ad", "\u202e\u2066\u2069\u061c", "e" + "\u0301" * 40, "漢字" * 9, "\\[/]",
        "[@click=app.quit]press[/] [link=http://x]y[/link] [bold red]no[/]",
    )
)  # fmt: skip
LONG = f"{EVIL} {'x' * 10_000}"
NAME = safe(HOSTILE)
"""An id: those are held to letters by the engine, and made safe once more where they enter the model."""
VERSION = VersionCard(1, 1, NOW, "a1b9c3d", EVIL)
STATES = ("failed", "running", "up_for_retry", "awaiting_input", "killing", "none", "success")


def detail() -> RunDetail:
    """A run that has not ended, with a task in each state that something can be done about."""
    plans = tuple(plan(state) for state in STATES)
    plans = tuple(each._replace(owner=EVIL, runbook=EVIL, doc=EVIL) for each in (*plans, plan(NAME, "failed")))
    tasks = [task(at, each.task_id, "none") for at, each in enumerate(plans, 70)]
    for at, state in enumerate(STATES):
        tries = () if state in ("none", "awaiting_input") else (attempt(1, None if state == "running" else "failed"),)
        tasks[at] = task(70 + at, state, state)._replace(
            attempts=tuple(each._replace(error=EVIL, reason=EVIL) for each in tries),
            last_error=LONG if state == "failed" else EVIL,
            retry_at=NOW + 74 * SECOND,
            blockers=(f"pool:{EVIL}", f"breaker:{EVIL}", EVIL),
        )
    found = run(mark(7, "trades_us", "running"), plans, tuple(tasks))
    return replace(found, note=EVIL, params=EVIL, runbook=EVIL, config={EVIL: EVIL})


class HostileWorld(FakeBackend):
    """Every text it gives is an attack."""

    verbs = frozenset(FakeBackend.verbs | {
        "hold", "release", "recover", "claim", "resolve", "undo", "answer", "delete", "restore", "resize", "trip",
        "reset", "backfill_create", "backfill_pause", "backfill_resume", "backfill_cancel", "prioritize", "rerun",
        "force",
    })  # fmt: skip

    def __init__(self) -> None:
        super().__init__(lambda: NOW, HomeCard(EVIL, EVIL, environment=EVIL))
        self.put_dag(dag("trades_us", owner=LONG, tags=(EVIL, LONG), schedule=EVIL, file=EVIL))
        self.put_dag(dag("asleep", paused_at=NOW, paused_by=EVIL, pause_reason=EVIL))
        self.put_dag(dag(NAME, broken_since=NOW))
        self.put_run(detail())
        over = replace(detail(), mark=mark(6, "trades_us", "failed"))
        self.put_run(over)
        self.report = RecoveryCard(1, NOW, EVIL, (EVIL, EVIL))
        log = (EVIL * 3).encode() + b"\xff\xed\xa0\x80"
        self.logs = {each.id: log for card in over.tasks for each in card.attempts}
        found = link()
        assert found.gauges is not None
        self.set_link(replace(found, gauges=replace(found.gauges, degraded=EVIL, warning=EVIL, attached=(EVIL, EVIL))))
        self.pages = {name: lambda args, page=page: page for name, page in _PAGES.items()}

    async def refresh(self, interest: Interest) -> Snapshot:
        """The picture, with what the world itself has no place for."""
        found = await super().refresh(interest)
        return replace(
            found,
            imports=(ImportProblem(EVIL, None, EVIL, 1, NOW, (EVIL,)),),
            holds=(HoldCard(1, "dag", EVIL, EVIL, EVIL, NOW, None),),
            session=SessionCard(NOW, NOW, NOW, EVIL),
            recoveries=(ProgressCard(1, EVIL, NOW, 3, 2, 1),),
        )

    async def waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        """Sentences, and a question."""
        return WaitCard((EVIL, LONG), _QUESTION)

    async def limit(self, kind: str, name: str) -> WaitCard:
        """The same of a pool or a breaker."""
        return WaitCard((EVIL, EVIL))

    async def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """Params of every kind."""
        return TriggerForm(dag_id, "UTC", _PARAMS, (EVIL, EVIL))

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """Whatever is asked for touches three rows of which everything is an attack; `refuse` is raised."""
        if self.refuse is not None:
            raise self.refuse
        rows = tuple(
            EffectCard(
                "task", "trades_us", "trades_us@7", each, -1, "failed", "none", LONG if each == NAME else EVIL, False
            )
            for each in (NAME, EVIL, "failed")
        )
        code = CodeCard("trades_us", VERSION, replace_number(VERSION), 2, 1, False, Diff((EVIL, f"+{EVIL}"), 1, 1, 1))
        counts = {"failed": 2, EVIL: 1}
        return PreviewCard("p", self.seq, verb, EVIL, 3, counts, rows, None, 1, 1, (EVIL, EVIL), (code,))

    async def command(
        self, verb: str, selection: Selection, args: Mapping[str, Any], *, command_id: str, seen_seq: int,
        preview_id: str | None = None, note: str | None = None,
    ) -> Receipt:  # fmt: skip
        """Done, it says, at length."""
        return Receipt(self.commit(), EVIL, 3, (EVIL, EVIL))


def replace_number(version: VersionCard) -> VersionCard:
    """The next version."""
    return version._replace(id=2, number=2)


def refusal() -> Refused:
    """A refusal whose words are an attack."""
    return Refused("state", EVIL)


_PARAMS = (
    ParamCard(EVIL, LONG, True, {"type": "string", "enum": [EVIL, EVIL]}, EVIL),
    ParamCard("plain", {"a": EVIL}, False, {"pattern": EVIL}, EVIL),
)
_QUESTION = QuestionCard(
    "trades_us@7", "trades_us", "awaiting_input", -1, EVIL, (EVIL, "yes"), _PARAMS, NOW, NOW + HOUR, EVIL
)
_PAGES: dict[str, object] = {
    "limits": LimitsCard(
        (PoolCard("db", 2, 2, 1, EVIL, (HolderCard(EVIL, EVIL, 1, NOW),)),),
        (BreakerCard("db-1", "open", 3, None, NOW, EVIL, False, EVIL, EVIL, (EVIL,)),),
        (_QUESTION,),
    ),
    "audit": Audit((
        AuditCard(3, "c3", NOW, EVIL, EVIL, "clear", "done", EVIL, EVIL, "trades_us", "trades_us@7", EVIL),
        AuditCard(2, "c2", NOW, EVIL, EVIL, EVIL, "refused", EVIL, EVIL, None, None, None),
    )),
    "trash": Trash((TrashedCard("trades_us@3", "trades_us", "failed", NOW, EVIL, EVIL, False),)),
    "task": TaskPage((Took(NOW, SECOND),), EVIL, 40),
    "source": SourceCard(
        "trades_us", VERSION, replace_number(VERSION), EVIL, ((EVIL, (EVIL, EVIL)),),
        Diff((EVIL, f"+{EVIL}"), 1, 1, 1, (EVIL,), (EVIL,), (EVIL,), EVIL), {}, 1, 2,
    ),
    "schedule": SchedulePage("trades_us", "UTC", EVIL, gaps=(GapCard("trades_us", NOW - HOUR, NOW, 3, EVIL),)),
    "backfills": Backfills(
        (
            BackfillCard(
                1, "trades_us", "running", LOGICAL, NOW, "oldest", 4, "none", NOW, EVIL, 9, EVIL, None, 6, 2, 0, 1,
            ),
        ),
        (GapCard("trades_us", NOW - HOUR, NOW, 3, EVIL),),
    ),
}  # fmt: skip
