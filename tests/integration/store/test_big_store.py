"""The store that benchmarks are measured on is one that the engine could have written."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bigstore import build
from engine.store import reads_overview, verify
from engine.store.reader import Reader

NOW = 1_790_000_000_000_000


def test_the_generated_store_keeps_the_stores_own_rules(tmp_path: Path) -> None:
    """A small one of its kind shows all its DAGs and breaks no rule that `verify` knows."""
    path = tmp_path / "state.db"
    build(path, 20, 2_000, 10, NOW, live=3)
    with Reader(path) as reader:
        assert len(list(reads_overview.dags(reader))) == 20
        assert verify.problems(reader) == []
