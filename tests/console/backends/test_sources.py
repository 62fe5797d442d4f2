"""The code of versions: read from bundles, compared, and made safe to draw."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from console.backends.pages import Reading
from console.backends.pages import source as page
from console.backends.sources import code_card, compare, files_of, source_card, stored
from console.backends.specs import Specs
from console.model.source import SourceCard
from engine.control.protocol import Code
from engine.dagfiles.bundle import keep
from engine.model.dag import DagSpec, TaskSpec
from engine.store.batch import Batch
from engine.store.reader import Reader
from tests.support.console_store import FilledHome

OLD = {"etl.py": b"a\nb\n-- c\n", "lib/w.py": b"x\n"}
NEW = {"etl.py": b"a\nB\x1b[31m\n", "lib/v.py": b"y\n"}


def spec(*tasks: TaskSpec) -> DagSpec:
    """The DAG of `etl.py`."""
    return DagSpec("etl", "etl.py", list(tasks))


@pytest.fixture
async def home(tmp_path: Path) -> FilledHome:
    """A home with two versions of one DAG: the second is the current one, and was never committed."""
    home = FilledHome(tmp_path / "home")
    await home.open()
    await home.put_dag(spec(TaskSpec("kept", "shell", command="a", line=3), TaskSpec("gone", "shell", command="a")))
    batch = Batch()
    two = spec(TaskSpec("kept", "shell", command="b", line=9), TaskSpec("new", "shell", command="a"))
    for key, number, what, definition in ((7, 2, OLD, home.plans["etl"].spec), (8, 3, NEW, two)):
        batch.add(
            "dag_version.add", id=key, dag_id="etl", number=number, bundle=keep(what, home.home.versions),
            spec_hash=f"s{number}", spec=json.dumps(asdict(definition)), at=home.now,
        )  # fmt: skip
    batch.add("dag_version.commit", id=8, commit_id="a1b9c3d0", author="Ann\x1b[2J", committed_at=5, dirty=1)
    batch.add(
        "dag.put", dag_id="etl", file="etl.py", state="active", current_version=8, broken_since=None, at=home.now,
        schedule=None, timezone="UTC", owner=None, tags="[]",
    )  # fmt: skip
    await home.commit(batch)
    await home.close()
    return home


def test_two_versions_are_compared_by_file_and_by_task(home: FilledHome) -> None:
    """Changed, new and missing files are in one unified diff; a task that only moved in its file is not changed."""
    with Reader(home.home.database) as rows:
        found = compare(home.home.versions, stored(rows, 7), stored(rows, 8))
        assert (found.files, found.added, found.removed) == (3, 2, 3)
        assert (found.new_tasks, found.gone_tasks, found.changed_tasks) == (("new",), ("gone",), ("kept",))
        assert "--- a/lib/w.py" in found.lines and "+++ /dev/null" in found.lines and "--- -- c" not in found.lines
        assert compare(home.home.versions, stored(rows, 7), stored(rows, 7)).same


def test_code_that_is_not_kept_any_more_is_said_so(home: FilledHome) -> None:
    """A version without its bundle cannot be shown; a bundle's name never leads elsewhere."""
    with Reader(home.home.database) as rows:
        card = source_card(rows, home.home.versions, "etl", 1)
        assert "not kept any more" in card.trouble and "not kept any more" in card.diff.note
        assert (card.older, card.newer) == (None, 2)
    for bundle in ("..", "/etc", "", "0" * 7):
        with pytest.raises(LookupError):
            files_of(home.home.versions, bundle)


def test_what_is_drawn_is_safe(home: FilledHome) -> None:
    """Neither code nor an author's name reaches the terminal as a control sequence."""
    with Reader(home.home.database) as rows:
        card = source_card(rows, home.home.versions, "etl", 8)
        code = code_card(rows, home.home.versions, Code("etl", 7, 8, 2, 3, 3, runs=2))
    shown = [card.shown.author or "", *(line for _, lines in card.files for line in lines), *code.diff.lines]
    assert "\x1b" not in "".join(shown)
    assert "B^[[31m" in card.files[0][1] and "+B^[[31m" in code.diff.lines
    assert (card.shown.commit, card.shown.dirty, card.file) == ("a1b9c3d0", True, "etl.py")
    assert [name for name, _ in card.files] == ["etl.py", "lib/v.py"]


def test_the_page_is_of_the_number_the_run_or_the_current_version(home: FilledHome) -> None:
    """A page that says the same is the same object, so that nothing is drawn again."""
    with Reader(home.home.database) as rows:

        def read(*args: Any, before: object = None) -> Any:
            return page.read(Reading(rows, Specs(rows), args, before, None, home.now, home.home.versions))

        current = read("etl", None, None)
        assert isinstance(current, SourceCard) and current.shown.number == 3
        assert read("etl", None, None, before=current) is current
        assert read("etl", None, 2).shown.number == 2
        assert read("etl", None, 99) is None and read("nope", None, None) is None and read("etl", "no@1", None) is None
