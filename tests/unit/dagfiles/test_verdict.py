"""Which file may define which DAG id, and what becomes of the rest."""

from __future__ import annotations

from engine.dagfiles.updates import Broken, Loaded
from engine.dagfiles.verdict import Judge
from engine.model.dag import DagSpec, ImportFailure, ParsedFile, TaskSpec


def parsed(file: str, *ids: str, pool: str = "default", error: str | None = None) -> ParsedFile:
    """A file that defines DAGs of these ids, each with one task."""
    dags = [DagSpec(name, file, [TaskSpec("t", "shell", command="true", pool=pool)]) for name in ids]
    return ParsedFile(file, dags, [file], [ImportFailure(file, error)] if error else [])


def judge(**owners: str) -> Judge:
    """A judge with the default pool only."""
    return Judge(owners, lambda: {"default": 16})


def ids(update: Loaded | Broken) -> list[str]:
    """The DAGs that were loaded."""
    assert isinstance(update, Loaded)
    return [dag.dag_id for dag in update.dags]


def test_the_first_file_keeps_the_id_and_the_second_is_told_both_names() -> None:
    """The refused DAG is a failure of its file; the file's other DAGs are loaded."""
    judges = judge()
    assert ids(judges.judge(parsed("a.py", "x"), "h1")) == ["x"]
    second = judges.judge(parsed("b.py", "x", "y"), "h2")
    assert ids(second) == ["y"]
    assert isinstance(second, Loaded)
    (failure,) = second.failures
    assert (failure.dag_id, failure.file) == ("x", "b.py")
    assert failure.message.startswith("DAG id 'x' is defined in a.py and in b.py: the one in a.py is used")


def test_a_file_with_nothing_but_refused_dags_is_broken() -> None:
    """There is nothing to load from it."""
    assert isinstance(judge(x="a.py").judge(parsed("b.py", "x"), "h"), Broken)


def test_an_id_is_free_when_its_file_drops_it_or_is_gone() -> None:
    """The refused file is then worth another look."""
    judges = judge(x="a.py", y="a.py")
    judges.judge(parsed("b.py", "x", "z"), "h")
    judges.judge(parsed("c.py", "y", "w"), "h")
    assert judges.hopeful() == set()
    judges.release(parsed("a.py", "y"))
    assert judges.hopeful() == {"b.py"}
    assert ids(judges.judge(parsed("b.py", "x", "z"), "h")) == ["x", "z"]
    judges.forget("a.py")
    assert judges.hopeful() == {"c.py"}


def test_a_file_that_cannot_be_imported_keeps_its_ids() -> None:
    """Its last good version goes on, so nobody else may take its place."""
    judges = judge(x="a.py")
    broken = parsed("a.py", error="SyntaxError")
    judges.release(broken)
    assert judges.judge(broken, None) == Broken("a.py", (ImportFailure("a.py", "SyntaxError"),))
    assert isinstance(judges.judge(parsed("b.py", "x"), "h"), Broken)


def test_a_dag_that_is_not_sound_claims_nothing_but_keeps_what_it_had() -> None:
    """A new mistake takes no id from others; an old DAG with a new mistake stays the file's."""
    judges = judge()
    assert isinstance(judges.judge(parsed("a.py", "x", pool="nowhere"), "h"), Broken)
    assert ids(judges.judge(parsed("b.py", "x"), "h")) == ["x"]
    judges.release(parsed("b.py", "x", pool="nowhere"))
    assert isinstance(judges.judge(parsed("b.py", "x", pool="nowhere"), "h"), Broken)
    assert isinstance(judges.judge(parsed("a.py", "x"), "h"), Broken)


def test_a_file_without_dags_is_loaded() -> None:
    """A module beside the DAG files is no mistake."""
    assert judge().judge(parsed("lib.py"), "h") == Loaded("lib.py", "h", (), modules=("lib.py",))


def test_rivals_are_the_files_that_own_what_another_defines() -> None:
    """So that a decision can wait until they have been read."""
    assert judge(x="a.py", y="b.py", z="c.py").rivals(parsed("c.py", "x", "z", "new")) == {"a.py"}
