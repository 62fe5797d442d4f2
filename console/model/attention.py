"""What needs a person, as a short list: failures grouped by their cause, questions, broken files, an unclean start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from console.model.dags import Failure, ImportProblem
from console.model.keys import UNMAPPED
from console.model.snapshot import Snapshot
from engine.model.causes import cause
from engine.model.moments import Micros


@dataclass(frozen=True, slots=True)
class Attention:
    """One row. `kind`: `failures`, `retries`, `question`, `breaker`, `import`, `report`. `where`: about what."""

    key: str
    kind: str
    text: str
    since: Micros
    where: tuple[tuple[str, str, str, int], ...] = ()
    """DAG, run, task and map index of each instance, newest first; without a task: the run itself."""
    failed: int = 0
    retrying: int = 0
    detail: str = ""
    more: bool = False
    """Whether there may be more than is counted: not all have been read yet."""

    @property
    def dags(self) -> tuple[str, ...]:
        """The DAGs concerned, each once."""
        return tuple(dict.fromkeys(dag for dag, *_ in self.where if dag))


def attention(snapshot: Snapshot) -> tuple[Attention, ...]:
    """The rows of the attention list, the most pressing first."""
    rows: list[Attention] = []
    if snapshot.report is not None:
        report = snapshot.report
        rows.append(Attention(f"report:{report.id}", "report", report.title, report.created_at))
    rows.extend(_recoveries(snapshot))
    groups = _known_groups(snapshot)
    if snapshot.more_failures:
        groups = [replace(row, more=True) for row in groups]
    rows.extend(sorted((row for row in groups if row.failed), key=lambda row: -row.since))
    rows.extend(_questions(snapshot))
    rows.extend(_breakers(snapshot))
    rows.extend(_imports(snapshot.imports))
    rows.extend(sorted((row for row in groups if not row.failed), key=lambda row: -row.since))
    return tuple(rows)


def _recoveries(snapshot: Snapshot) -> list[Attention]:
    """Recoveries count down until they are over; of one that is, what failed again stays named while that is open."""
    rows = []
    failing = {failure.run_id: failure for failure in snapshot.failures} if snapshot.recoveries else {}
    for card in snapshot.recoveries:
        open_again = [failing[run_id] for run_id in card.again or () if run_id in failing]
        if card.again is None:
            text = f"{card.left} of {card.total} runs left, {card.failed} failed again: {card.cause}"
        elif open_again:
            named = ", ".join(failure.run_id for failure in open_again[:3])
            more = f" and {len(open_again) - 3} more" if len(open_again) > 3 else ""
            left = card.total - card.succeeded - card.failed
            alone = f", {left} left alone" if left else ""
            text = f"over, {card.succeeded} of {card.total} runs recovered{alone}; failed again: {named}{more}"
        else:
            continue
        where = tuple((f.dag_id, f.run_id, f.task_id, f.map_index) for f in open_again)
        rows.append(Attention(f"recovery:{card.id}", "recovery", text, card.since, where, detail=f"recovery {card.id}"))
    return rows


_last: list[tuple[tuple[Failure, ...], tuple[tuple[str, str], ...], list[Attention]]] = []


def _known_groups(snapshot: Snapshot) -> list[Attention]:
    """The groups of these failures, made once: there may be very many, and every key asks what its row is about."""
    if not _last or _last[0][0] is not snapshot.failures or _last[0][1] != snapshot.claims:
        _last[:] = [(snapshot.failures, snapshot.claims, _groups(snapshot.failures, dict(snapshot.claims)))]
    return _last[0][2]


def _groups(failures: Iterable[Failure], claims: Mapping[str, str]) -> list[Attention]:
    found: dict[str, list[Failure]] = {}
    for failure in failures:
        found.setdefault(failure.cause, []).append(failure)
    rows: list[Attention] = []
    for key, members in found.items():
        members.sort(key=lambda failure: (failure.state == "up_for_retry", -failure.at))
        retrying = sum(failure.state == "up_for_retry" for failure in members)
        failed = len(members) - retrying
        rows.append(
            Attention(
                key=f"error:{key}",
                kind="failures" if failed else "retries",
                text=members[0].error if len({failure.error for failure in members}) == 1 else cause(members[0].error),
                since=min(failure.at for failure in members),
                where=tuple((f.dag_id, f.run_id, f.task_id, f.map_index) for f in members),
                failed=failed,
                retrying=retrying,
                detail=f"{claims[key]} is on it" if key in claims else "",
            )
        )
    return rows


def _questions(snapshot: Snapshot) -> list[Attention]:
    """One row for each approval that waits for a person, in however many runs, the longest waiting first."""
    found: dict[tuple[str, str], list[tuple[Micros, str, int]]] = {}
    asks: dict[tuple[str, str], str] = {}
    for card in snapshot.dags:
        for run in card.active:
            for task in run.live:
                if task.state == "awaiting_input":
                    since = task.scheduled_at or run.mark.started_at or 0
                    found.setdefault((card.dag_id, task.task_id), []).append((since, run.mark.run_id, task.map_index))
                    asks[card.dag_id, task.task_id] = task.asks or "waits for an answer"
    rows = [
        Attention(
            key=f"question:{dag_id}/{task_id}",
            kind="question",
            text=asks[dag_id, task_id],
            since=min(asked)[0],
            where=tuple((dag_id, run_id, task_id, index) for _, run_id, index in sorted(asked)),
        )
        for (dag_id, task_id), asked in found.items()
    ]
    return sorted(rows, key=lambda row: row.since)


def _breakers(snapshot: Snapshot) -> list[Attention]:
    """One row for each circuit breaker that holds tasks back."""
    found: dict[str, list[tuple[Micros, str, str, str, int]]] = {}
    for card in snapshot.dags:
        for run in card.active:
            for task in run.live:
                for name in (word[len("breaker:") :] for word in task.blockers if word.startswith("breaker:")):
                    since = task.scheduled_at or run.mark.started_at or 0
                    place = (since, card.dag_id, run.mark.run_id, task.task_id, task.map_index)
                    found.setdefault(name, []).append(place)
    return [
        Attention(
            f"breaker:{name}", "breaker", f"circuit breaker {name} is open", min(held)[0], tuple(p[1:] for p in held)
        )
        for name, held in sorted(found.items())
    ]


def import_key(problem: ImportProblem) -> str:
    """The row that a problem belongs to: that of its DAG, or of the whole file."""
    return f"import:{problem.file}:{problem.dag_id or ''}"


def _imports(problems: Iterable[ImportProblem]) -> list[Attention]:
    """One row for each file, or DAG of a file, that cannot be loaded: what is wrong first, and how much more is."""
    found: dict[str, list[ImportProblem]] = {}
    for problem in problems:
        found.setdefault(import_key(problem), []).append(problem)
    rows: list[Attention] = []
    for key, members in found.items():
        first = members[0]
        more = f" (and {len(members) - 1} more)" if len(members) > 1 else ""
        rows.append(
            Attention(
                key=key,
                kind="import",
                text=first.message + more,
                since=min(problem.at for problem in members),
                where=((first.dag_id, "", "", UNMAPPED),) if first.dag_id else (),
                detail=first.file if first.line is None else f"{first.file}:{first.line}",
            )
        )
    return rows
