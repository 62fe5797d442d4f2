"""Which of a task's retry rules speaks about a failure. What a regular expression finds is asked of the caller."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from engine.model.attempt_files import AttemptStatus
from engine.model.dag import RetryRule

Matches: TypeAlias = Collection[int]
"""Places of the rules whose regular expression was found: expressions are an author's, and run in no engine."""


def first_rule(rules: Sequence[RetryRule], status: AttemptStatus, matches: Matches) -> RetryRule | None:
    """The first rule all of whose conditions hold for a failed attempt; None when there is none, or none has a say."""
    if not rules or not open_to_rules(status):
        return None
    return next((rule for place, rule in enumerate(rules) if _speaks(rule, status, place in matches)), None)


def open_to_rules(status: AttemptStatus) -> bool:
    """Whether rules have a say: not where the task itself said what is to follow."""
    return status.code != 0 and (status.by != "child" or status.exceptions is not None)


def _speaks(rule: RetryRule, status: AttemptStatus, matched: bool) -> bool:
    if rule.exceptions and not _is_any(status.exceptions or (), rule.exceptions):
        return False
    if rule.exit_codes and status.code not in rule.exit_codes:
        return False
    if rule.http_status and status.http_status not in rule.http_status:
        return False
    return rule.match is None or matched


def _is_any(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether one of the classes is wanted, by its full name or its bare one."""
    known = {*names, *(name.rpartition(".")[2] for name in names)}
    return not known.isdisjoint(wanted)
