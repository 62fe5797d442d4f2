"""The pages on keeping a home for years, followed word by word on a real home with real engines."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli.init import make_home
from engine.home import Home
from tests.support.cli import Answer, Cli
from tests.support.damage import PAGE, overwrite, root_page
from tests.support.homes import end_engine, until
from tests.support.source import PROJECT

pytestmark = pytest.mark.processes
DAG = """
from dagdeck import dag, shell

@dag()
def etl():
    shell("load", "echo loaded")
"""


class Reader:
    """Somebody who does what a page says. `places` are what stands for the paths of the page."""

    def __init__(self, cli: Cli, root: Path) -> None:
        self.cli = cli
        self.root = root
        self.places = {"/srv/etl2": "two", "/srv/etl": "one", "/mnt/save": "save", "/tmp/etl": "carried"}

    def here(self, line: str) -> str:
        """A line of a page with the reader's own paths."""
        for path, name in self.places.items():
            line = re.sub(rf"{path}(?![\w-])", str(self.root / name), line)
        return line

    def follow(self, page: str, number: int) -> list[Answer]:
        """Types each `dagdeck` line of a page's shell block; what is for other machines or people is left out."""
        blocks = re.findall(
            r"^```sh\n(.*?)^```", (PROJECT / "docs" / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL
        )
        answers = []
        for line in blocks[number].splitlines():
            command, _, remark = line.partition("#")
            words = shlex.split(self.here(command))
            if words[:1] != ["dagdeck"] or words[-2:-1] == ["--home"] or remark.strip().startswith("where"):
                continue
            answer = self.cli(*words[1:])
            assert answer.code in ((0, 1) if "doctor" in words else (0,)), f"{page}: {line}\n{answer.out}{answer.err}"
            answers.append(answer)
        assert answers, f"{page}: nothing to do in block {number}"
        return answers

    def dagdeck(self, *words: str) -> Answer:
        """A line that no page shows, on the first home."""
        answer = self.cli("--home", self.root / "one", *words)
        assert answer.code == 0, answer.err
        return answer


@pytest.fixture
def reader(capsys: pytest.CaptureFixture[str]) -> Iterator[Reader]:
    """A reader with a home that has run something, and its engine."""
    with tempfile.TemporaryDirectory(prefix="dd-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        make_home(root / "one", {"etl.py": DAG}, "min_free_mb = 0\n")
        found = Reader(Cli(capsys), root)
        try:
            found.dagdeck("engine", "start")
            until(lambda: found.cli("--home", root / "one", "trigger", "etl", "--wait", "--yes").code == 0, "it runs")
            yield found
        finally:
            for name in ("one", "two"):
                if (root / name).is_dir():
                    end_engine(Home(root / name))


def test_the_page_on_backups_is_true(reader: Reader) -> None:
    """Backups are made and restored as it says; damage of both kinds is mended as it says, and nothing is lost."""
    store = reader.root / "one" / "state.db"
    reader.follow("backup", 0)
    reader.follow("backup", 2)
    assert '"success"' in reader.cli("--home", reader.root / "two", "runs", "list", "--json").out
    reader.dagdeck("engine", "stop")
    overwrite(store, root_page(store, "trash"), b"x" * PAGE)
    assert reader.cli("--home", reader.root / "one", "engine", "start").code == 5
    restored, salvaged = (line for line in re.findall(r"^dagdeck .*(?:--replace|salvage)$", page("backup"), re.M)[:2])
    assert reader.cli(*shlex.split(reader.here(restored))[1:]).code == 0
    overwrite(store, root_page(store, "trash"), b"x" * PAGE)
    assert reader.cli(*shlex.split(reader.here(salvaged))[1:]).code == 0
    reader.dagdeck("engine", "start")
    store.unlink()
    until(lambda: reader.cli("--home", reader.root / "one", "engine", "status", "--check").code == 1, "it is noticed")
    reader.follow("backup", 4)
    assert "the store holds" in reader.dagdeck("verify").out
    assert '"success"' in reader.dagdeck("runs", "list", "--json").out


def test_the_pages_on_pruning_upgrades_and_moving_are_true(reader: Reader) -> None:
    """Pruning, a restart with a backup before it, and a move to another place, end with a home that works."""
    assert "would go" in reader.follow("service", 1)[0].out
    reader.follow("upgrade", 0)
    reader.follow("move-host", 0)
    reader.places["/srv/etl"] = "two"
    reader.follow("move-host", 1)
    done = reader.cli("--home", reader.root / "two", "trigger", "etl", "--wait", "--yes")
    assert done.code == 0, done.err


def page(name: str) -> str:
    """A page's text."""
    return (PROJECT / "docs" / f"{name}.md").read_text()
