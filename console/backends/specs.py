"""DAG versions as the console needs them, and how long their tasks usually take. Read once, kept for a while."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.model import reading
from console.model.dags import ParamCard
from console.model.runs import TaskPlan, TriggerForm, Usual
from console.text import sanitise_lines
from engine.model.moments import DAY, MINUTE, Micros, to_datetime

if TYPE_CHECKING:
    from console.backends.rows import Rows

_KEPT_VERSIONS = 64
_USUAL_FOR: Micros = 2 * MINUTE


class Version:
    """One DAG version."""

    __slots__ = ("number", "plans", "runbook", "tasks")

    def __init__(self, number: int, spec: dict[str, Any]) -> None:
        self.number = number
        self.tasks = reading.task_plans(spec)
        self.plans = {plan.task_id: plan for plan in self.tasks}
        self.runbook = reading.maybe(spec.get("runbook"))


class Specs:
    """Versions by their store key, and usual durations by DAG and task."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._versions: OrderedDict[int, Version] = OrderedDict()
        self._usual: dict[tuple[str, str], tuple[Micros, Usual]] = {}

    def version(self, key: int) -> Version | None:
        """A DAG version; None when the store no longer has it."""
        known = self._versions.get(key)
        if known is None:
            row = self._rows.one("run", "version", {"id": key})
            if row is None:
                return None
            known = self._versions[key] = Version(row[2], json.loads(row[5]))
            while len(self._versions) > _KEPT_VERSIONS:
                self._versions.popitem(last=False)
        self._versions.move_to_end(key)
        return known

    def plan(self, key: int, task_id: str) -> TaskPlan | None:
        """What a version says of one task."""
        version = self.version(key)
        return None if version is None else version.plans.get(task_id)

    def p95(self, dag_id: str, task_id: str, now: Micros) -> Micros | None:
        """The 95th percentile of a task's durations."""
        return self.usual(dag_id, [task_id], now)[task_id].p95

    def usual(self, dag_id: str, task_ids: list[str], now: Micros) -> dict[str, Usual]:
        """How long tasks of a DAG usually take."""
        old = [task for task in task_ids if now - self._usual.get((dag_id, task), (0, None))[0] > _USUAL_FOR]
        if old:
            values = {"dag_id": dag_id, "task_ids": json.dumps(old), "since": now - 30 * DAY}
            for task, joined in self._rows.all("run", "task_durations", values):
                self._usual[dag_id, task] = now, reading.usual(joined)
        return {task: self._usual[dag_id, task][1] for task in task_ids}

    def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """What it takes to start a run by hand. Raises LookupError when there is no such DAG or run."""
        base = next((row for row in self._rows.all("overview", "dags") if row[0] == dag_id), None)
        if base is None:
            raise LookupError(f"there is no DAG {dag_id}")
        row = None if base[3] is None else self._rows.one("run", "version", {"id": base[3]})
        spec = {} if row is None else json.loads(row[5])
        doc = tuple(sanitise_lines(spec["doc"].strip(), 20)) if spec.get("doc") else ()
        form = TriggerForm(dag_id, reading.safe(base[4]), reading.param_cards(spec), doc)
        return form if like is None else self._like(form, like)

    def _like(self, form: TriggerForm, run_id: str) -> TriggerForm:
        """The form with the params of a run as what is filled in; what its DAG does not declare stands there, too."""
        key = self._rows.one("run", "run_by_run_id", {"run_id": run_id})
        row = None if key is None else self._rows.one("run", "run", {"run": key[0]})
        if row is None:
            raise LookupError(f"there is no run {run_id}")
        given = json.loads(row[15])
        known = tuple(replace(param, default=given.get(param.name, param.default)) for param in form.params)
        more = tuple(ParamCard(reading.safe(name), given[name]) for name in given.keys() - {p.name for p in known})
        date = to_datetime(row[7], form.timezone).replace(tzinfo=None).isoformat()
        return replace(form, params=(*known, *sorted(more, key=lambda param: param.name)), like=run_id, date=date)
