"""The table of `docs/states.md`: which sample DAG shows which state, reason and rule, and what to do for that."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from typing import Any, NamedTuple

from engine.model.dag import DagSpec, RetryPolicy, RetryRule, TaskSpec
from engine.model.states import FailureClass, Outcome, Reason, RunState, TaskState, TriggerRule
from tests.support.source import PROJECT

PAGE = PROJECT / "docs" / "states.md"
_ROW = re.compile(r"^\| `([^`]+)` \|(.+)\|$")
_TEST = re.compile(r"`(tests/[\w/]+\.py)`: `(test_\w+)`")
KINDS = {
    "States of task instances": "task state",
    "States of runs": "run state",
    "Reasons": "reason",
    "Outcomes of attempts": "outcome",
    "Failure classes": "failure class",
    "Trigger rules": "trigger rule",
    "Rules of tasks": "task rule",
    "Rules of retries": "retry rule",
    "Rules of DAGs": "dag rule",
}
"""Headings of the page, and what the rows below them are about."""

PLAIN = {
    "task rule": {"task_id", "kind", "upstream", "command", "owner", "doc", "runbook", "line", "sla", "retry", "setups",
                  "trigger_rule"},
    "retry rule": {"retries", "rules"},
    "dag rule": {"dag_id", "file", "tasks", "schedule", "tags", "owner", "doc", "runbook", "python", "line", "v", "env",
                 "paused_upon_creation"},
}  # fmt: skip
"""Fields that decide nothing about what becomes of a task or run, or that other rows are about."""


class Shown(NamedTuple):
    """One row: what it is about, the sample DAG that shows it, and what has to be done for that.

    `test` names, in place of a sample, the test that makes the disaster which it takes.
    """

    kind: str
    code: str
    sample: str
    how: str
    test: tuple[str, str] | None = None


def rows() -> list[Shown]:
    """The rows of the page. Raises AssertionError for one that cannot be read."""
    found, kind = [], ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            kind = KINDS.get(line[3:], "")
        match = _ROW.match(line)
        if match is None or not kind:
            continue
        cells = [cell.strip() for cell in match[2].split("|")]
        assert len(cells) == 3, f"three cells after the code, please: {line}"
        named = _TEST.search(cells[2])
        if named is not None:
            found.append(Shown(kind, match[1], "", "", (named[1], named[2])))
        else:
            found.append(Shown(kind, match[1], cells[1].strip("`"), cells[2]))
    return found


def wanted() -> dict[str, set[str]]:
    """Everything that has to be on the page, by kind: it follows from the code alone."""
    return {
        "task state": set(TaskState),
        "run state": set(RunState),
        "reason": set(Reason),
        "outcome": set(Outcome),
        "failure class": set(FailureClass),
        "trigger rule": set(TriggerRule) - {TriggerRule.ALL_DONE_SETUP_SUCCESS},
        "task rule": {field.name for field in fields(TaskSpec)} - PLAIN["task rule"],
        "retry rule": {field.name for kind in (RetryPolicy, RetryRule) for field in fields(kind)} - PLAIN["retry rule"],
        "dag rule": {field.name for field in fields(DagSpec)} - PLAIN["dag rule"],
    }


def there_is(place: tuple[str, str]) -> bool:
    """Whether there is a test of this name in this file."""
    path = PROJECT / place[0]
    if not path.is_file():
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, functions) and node.name == place[1] for node in ast.walk(ast.parse(path.read_text())))


def rules_of(spec: DagSpec) -> dict[str, set[str]]:
    """What a DAG makes use of: trigger rules, and fields that do not have their default value."""
    retries = [task.retry for task in spec.tasks]
    return {
        "trigger rule": {str(task.trigger_rule) for task in spec.tasks if task.upstream},
        "task rule": _set(spec.tasks, TaskSpec("x", "shell")),
        "retry rule": _set(retries, RetryPolicy())
        | _set([rule for each in retries for rule in each.rules], RetryRule()),
        "dag rule": _set([spec], DagSpec("x", "x")),
    }


def _set(things: list[Any], plain: Any) -> set[str]:
    names = [field.name for field in fields(plain)]
    return {name for thing in things for name in names if getattr(thing, name) != getattr(plain, name)}
