"""Why one task waits, in the sentences that the command line says, too."""

from __future__ import annotations

from console.model.limits import QuestionCard, WaitCard
from console.model.reading import maybe, one_line, param_cards, safe
from engine.model.moments import Micros
from engine.model.states import Blocker
from engine.store import reads_limits, reads_run, reads_waits, reads_why
from engine.store.reader import Reader
from engine.store.resolve import resolve_run
from engine.store.rows_out import InstanceLine

_SHOWN = (Blocker.UPSTREAM, Blocker.RETRY_AT)
"""What the picture itself shows, task by task and second by second."""
_WAITING = ("none", "scheduled", "up_for_retry")


def waiting(reader: Reader, run_id: str, task_id: str, map_index: int, now: Micros) -> WaitCard:
    """What the limits say that hold a task back; nothing for one that waits for other tasks alone."""
    with reader.snapshot():
        run = reads_run.run(reader, resolve_run(reader, run_id).id)
        found = reads_run.instances_of_task(reader, run.id, task_id)
        task = next((row for row in found if row.map_index == map_index), None)
        if task is None:
            return WaitCard()
        if task.state == "awaiting_input":
            asked = next(
                (q for q in reads_why.questions(reader) if (q.run_id, q.name) == (run.run_id, _name(task))), None
            )
            card = None if asked is None else question_card(asked)
            return WaitCard((one_line(reads_why.question(reader, run, task, now)),), card)
        if task.state not in _WAITING:
            given = reads_why.answers(reader, task.id)[-1:]
            return WaitCard(tuple(_answered(each) for each in given))
        codes = [code for code in task.blockers if code not in _SHOWN]
        codes = [code for code in codes if code != Blocker.RUN_QUEUED] or codes  # what it is queued for
        said = (reads_waits.sentence(reader, run, task, code, now) for code in codes)
        return WaitCard(tuple(map(one_line, said)))


def limit(reader: Reader, kind: str, name: str, now: Micros) -> WaitCard:
    """How a pool or a breaker stands, in sentences."""
    story = {"pool": reads_limits.pool_story, "breaker": reads_limits.breaker_story}[kind]
    return WaitCard(tuple(map(one_line, story(reader, name, now))))


def question_card(asked: reads_why.Asked) -> QuestionCard:
    """A question with its form, sanitised."""
    return QuestionCard(
        safe(asked.run_id), safe(asked.dag_id), safe(asked.task_id), asked.map_index, one_line(asked.message),
        tuple(map(safe, asked.options)), param_cards({"params": asked.params}), asked.asked_at, asked.due,
        maybe(asked.default),
    )  # fmt: skip


def _name(task: InstanceLine) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"


def _answered(given: reads_why.Answer) -> str:
    by = f"by {given.by} ({given.origin})" if given.by else "by nobody in time"
    return one_line(f"answered {given.option or 'nothing'} {by}")
