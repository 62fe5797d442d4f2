"""The page that says what shows each state and rule: complete, and about samples that there are."""

from __future__ import annotations

import pytest

from engine.authoring.loading import load
from engine.authoring.serialize import serialize
from engine.model.dag import DagSpec
from tests.support.shown import KINDS, rows, rules_of, there_is, wanted
from tests.support.source import PROJECT

SAMPLES = PROJECT / "sample_dags"
TABLE = rows()


@pytest.fixture(scope="module")
def specs() -> dict[str, DagSpec]:
    """Every sample DAG by its id."""
    files = sorted(SAMPLES.glob("*.py"))
    found = [serialize(dag, path.name) for path in files for dag in load(path, SAMPLES).dags.values()]
    return {spec.dag_id: spec for spec in found}


@pytest.mark.parametrize("kind", sorted(set(KINDS.values())))
def test_every_state_and_rule_has_its_row(kind: str) -> None:
    """Whoever adds a state, a reason or a rule adds the sample DAG that shows it; what is gone is gone here too."""
    listed = [row.code for row in TABLE if row.kind == kind]
    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == wanted()[kind]


def test_every_row_names_a_sample_or_a_test_that_there_is(specs: dict[str, DagSpec]) -> None:
    """A test stands in only where a disaster has to be made."""
    for row in TABLE:
        if row.test is not None:
            assert there_is(row.test), row
        elif row.sample != "nothing yet":
            assert row.sample in specs, row
            assert row.how, row


def test_every_rule_is_one_that_its_sample_makes_use_of(specs: dict[str, DagSpec]) -> None:
    """The sample's definition says so, in a task that has something above it where that is needed."""
    for row in TABLE:
        if row.kind.endswith("rule") and row.sample in specs:
            assert row.code in rules_of(specs[row.sample])[row.kind], row
