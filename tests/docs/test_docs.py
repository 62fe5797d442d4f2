"""The documentation says what the code does: nothing that exists is missing, and what is shown runs."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import click
import pytest

from console.actions.views import VIEWS
from console.cli.errors import Exit
from console.cli.main import root
from docs import picture
from docs.reference import PAGES, page_with
from engine.authoring.context import CONTEXT_FIELDS
from engine.authoring.loading import load
from engine.authoring.options import DagOptions, TaskOptions
from engine.authoring.serialize import serialize
from engine.config import _KEYS
from engine.dagfiles.validate import validate
from engine.model.attempt_files import CLAIM, LOG, RESULT, SPEC, STATUS, AttemptStatus
from engine.model.states import Blocker, FailureClass, Outcome, RunState, TaskState, TriggerRule
from tests.support.source import PROJECT

PAGES_OF_DOCS = sorted((PROJECT / "docs").glob("*.md"))
TEXTS = [PROJECT / "README.md", *PAGES_OF_DOCS]


def page(name: str) -> str:
    return (PROJECT / "docs" / f"{name}.md").read_text()


def missing(names: object, text: str) -> list[str]:
    """The names that do not stand in the text in code letters."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    words = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`]+)`", text))))
    return [str(name) for name in names if str(name) not in words]  # type: ignore[attr-defined]


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_tables_that_follow_from_the_code_are_up_to_date(name: str) -> None:
    """Verbs, options, keys and signs stand in the pages as `python -m docs.reference` writes them."""
    path, text = page_with(name)
    assert path.read_text() == text


def test_every_state_outcome_rule_and_code_is_explained() -> None:
    """Concepts explains each state, outcome, failure class, trigger rule and blocker code."""
    text = page("concepts")
    for names in (TaskState, RunState, Outcome, FailureClass, TriggerRule, Blocker):
        assert missing(names, text.replace("pool:NAME", "pool")) == []


def test_every_setting_is_explained() -> None:
    """Homes explains each setting of dagdeck.toml."""
    assert missing(_KEYS, page("homes")) == []


def test_every_argument_of_tasks_and_dags_is_explained() -> None:
    """Authoring explains each argument, each field of the context and each exception."""
    text = page("authoring")
    assert missing(TaskOptions.__annotations__, text) == []
    assert missing(DagOptions.__annotations__, text) == []
    assert missing(CONTEXT_FIELDS, text) == []
    assert (
        missing(["SkipTask", "PermanentError", "FailTask", "TransientError", "RetryAfter"], text.replace('("', " "))
        == []
    )


def test_every_variable_of_a_task_is_explained() -> None:
    """Authoring names each variable that the engine puts into a task's environment."""
    source = (PROJECT / "engine" / "scheduler" / "dispatch.py").read_text()
    names = set(re.findall(r"\b(DAGDECK_[A-Z_]+[A-Z])\b", source)) - {"DAGDECK_PARAM"}
    assert len(names) > 10
    assert missing(names, page("authoring")) == []


def test_every_file_of_an_attempt_is_explained() -> None:
    """The page on attempt directories names each file, and each field of the status."""
    text = page("attempt-directory")
    assert missing([SPEC, CLAIM, LOG, RESULT, STATUS], text) == []
    fields = set(AttemptStatus.__dataclass_fields__) - {"v"}
    assert missing(fields, text) == []


def test_every_exit_code_is_explained() -> None:
    """The command line's page has a row for each exit code."""
    for code in Exit:
        assert re.search(rf"^\| {code.value} \|", page("command-line"), re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link and picture names a file that is there, and each anchor a heading of it."""
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_python_that_is_shown_defines_dags_that_can_run(path: Path, tmp_path: Path) -> None:
    """Each Python block of the documentation is a DAG file that loads and validates."""
    for number, code in enumerate(blocks(path, "python")):
        file = tmp_path / f"shown_{number}.py"
        file.write_text(code)
        loaded = load(file, tmp_path)
        assert loaded.failures == []
        assert loaded.dags
        for dag in loaded.dags.values():
            assert validate(serialize(dag, file.name), {"default": -1}) == []


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The verb that a command line calls, and its arguments."""
    command: click.Command = root
    context = click.Context(root)
    while isinstance(command, click.Group):
        if words and words[0] == "--home":
            words = words[2:]
        if not words or words[0] in ("--help", "--read-only"):
            return command, words
        inner = command.get_command(context, words[0])
        assert inner is not None, words
        command, words = inner, words[1:]
    return command, words


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_command_lines_that_are_shown_are_understood(path: Path) -> None:
    """Each `dagdeck …` line of a shell block, and each one in the text, names a verb and options that exist."""
    text = path.read_text()
    lines = [line.partition("#")[0] for block in blocks(path, "sh") for line in block.splitlines()]
    lines += re.findall(r"`(dagdeck [^`]+)`", text)
    for line in lines:
        for part in re.split(r"&&|\|\||\||;", line):
            found = re.search(r"\bdagdeck (.+)", re.sub(r"\bdo ", "", part))
            if found is None or re.search(r"VERB|…", part):
                continue
            command, arguments = command_of(shlex.split(found[1]))
            if isinstance(command, click.Group) or not arguments:
                continue
            options = {spelling for param in command.params for spelling in param.opts}
            for word in arguments:
                assert not word.startswith("-") or word in options, f"{part}: {word}"


def test_the_readme_shows_its_picture_and_two_commands_first() -> None:
    """The picture, `make demo` and `make test` stand in the README's first screenful, and are what they say."""
    head = "\n".join((PROJECT / "README.md").read_text().splitlines()[:24])
    assert "docs/console.svg" in head
    makefile = (PROJECT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in head
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("name", ["console.svg", "run.svg"])
def test_the_pictures_are_whole(name: str) -> None:
    """The pictures of the console are sound SVG, with text in them."""
    tree = ElementTree.parse(PROJECT / "docs" / name)
    texts = [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) > 20
    assert any("engine up" in text for text in texts)


def test_every_view_has_its_picture_and_its_place_on_the_page() -> None:
    """`python -m docs.picture` makes a picture of each view from the real program, and the page that shows them all."""
    for name in (*VIEWS, "boxes", "gantt"):
        tree = ElementTree.parse(PROJECT / "docs" / picture.FOLDER / f"{name}.svg")
        assert len(list(tree.iter("{http://www.w3.org/2000/svg}text"))) > 10, name
    assert (PROJECT / "docs" / picture.PAGE).read_text() == picture.page()
