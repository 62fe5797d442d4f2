"""Loading a DAG file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.authoring.failures import describe_failure
from engine.authoring.loading import ImportRefused, load, load_file
from engine.authoring.modules import literal_python, modules_under
from tests.support.dag_files import load_text, write
from tests.support.source import PROJECT


def test_a_file_may_import_modules_beside_it(tmp_path: Path) -> None:
    """The root is on the path: absolute, package and relative imports work."""
    write(tmp_path, "helper.py", "NAME = 'a'")
    write(tmp_path, "team/__init__.py", "")
    write(tmp_path, "team/names.py", "NAME = 'b'")
    file = write(
        tmp_path,
        "team/etl.py",
        """
        from dagdeck import DAG, shell
        import helper
        from . import names
        from team.names import NAME
        with DAG(f"{helper.NAME}-{names.NAME}-{NAME}"):
            shell("t", "true")
        """,
    )
    assert list(load_file(file, tmp_path)) == ["a-b-b"]
    assert modules_under(str(tmp_path), str(file)) == ["helper.py", "team/__init__.py", "team/etl.py", "team/names.py"]


def test_modules_that_functions_import_belong_to_the_file(tmp_path: Path) -> None:
    """An import inside a task has not happened yet, and still names a module of the version."""
    write(tmp_path, "late.py", "import later")
    write(tmp_path, "later.py", "")
    write(tmp_path, "unrelated.py", "")
    write(tmp_path, "pack/__init__.py", "")
    write(tmp_path, "pack/inner.py", "from . import beside")
    write(tmp_path, "pack/beside.py", "")
    file = write(
        tmp_path,
        "etl.py",
        """
        def body():
            import late, json, nowhere
            from pack.inner import thing
        """,
    )
    load(file, tmp_path)
    found = modules_under(str(tmp_path), str(file))
    assert found == ["etl.py", "late.py", "later.py", "pack/__init__.py", "pack/beside.py", "pack/inner.py"]


def test_nothing_in_the_folder_shadows_another_module(tmp_path: Path) -> None:
    """A DAG file named like a module of the standard library is loaded, and the module stays itself."""
    import json

    write(tmp_path, "string.py", "VALUE = 1")
    file = write(
        tmp_path, "json.py", "from dagdeck import DAG\nimport json, string\nDAG(string.digits + json.dumps(1))"
    )
    assert list(load_file(file, tmp_path)) == ["01234567891"]
    assert sys.modules["json"] is json


def test_file_names_need_not_be_identifiers(tmp_path: Path) -> None:
    """Dashes, dots and spaces in a file's name do no harm."""
    file = write(tmp_path, "my-dag v1.2.py", "from dagdeck import DAG\nDAG('d')")
    assert list(load_file(file, tmp_path)) == ["d"]


@pytest.mark.parametrize("name", ["engine.py", "console.py", "dagdeck.py", "engine/x.py", "dagdeck/__init__.py"])
def test_our_own_names_are_refused(tmp_path: Path, name: str) -> None:
    """A file or folder that would stand for dagdeck itself is not imported."""
    with pytest.raises(ImportRefused, match=r"cannot be named .*: rename it"):
        load(write(tmp_path, name, "raise SystemError"), tmp_path)


def test_dags_of_an_imported_file_are_not_this_files(tmp_path: Path) -> None:
    """A DAG belongs to the file whose body makes it, also when another DAG file is imported for its helpers."""
    write(
        tmp_path,
        "other.py",
        """
        from dagdeck import DAG, dag, shell
        with DAG("theirs"):
            shell("t", "true")
        @dag
        def theirs_too():
            shell("t", "true")
        def make(name):
            with DAG(name) as made:
                shell("t", "true")
            return made
        """,
    )
    loaded = load_text(
        tmp_path,
        """
        import other
        other.make("mine")
        other.theirs_too()
        """,
    )
    assert list(loaded.dags) == ["mine"]


def test_one_dag_that_fails_leaves_the_others_whole(tmp_path: Path) -> None:
    """An uncalled `@dag` function that raises is a failure of that DAG, with the line."""
    loaded = load_text(
        tmp_path,
        """
        @dag
        def good():
            shell("t", "true")

        @dag
        def bad():
            shell("t", "true")
            raise ValueError("no such table")
        """,
    )
    assert list(loaded.dags) == ["good"]
    (failure,) = loaded.failures
    assert (failure.dag_id, failure.message, failure.line) == ("bad", "ValueError: no such table", 9)


def test_an_id_that_is_defined_twice_in_a_file_is_an_error(tmp_path: Path) -> None:
    """The error names the first one's line."""
    loaded = load_text(
        tmp_path,
        """
        DAG("twice")

        @dag
        def twice(): ...
        """,
    )
    (failure,) = loaded.failures
    assert (failure.message.partition(":")[0], failure.line) == (
        "DAG id 'twice' is defined twice in this file, first on line 2",
        4,
    )


def test_a_task_called_outside_of_a_dag_does_not_run_at_import(tmp_path: Path) -> None:
    """In a file that is being loaded, such a call is a mistake and not a request to run the task."""
    with pytest.raises(Exception, match="task 'work' is called outside of a DAG"):
        load_text(
            tmp_path,
            """
            @task
            def work():
                raise SystemExit("it ran")
            work()
            """,
        )


def test_a_second_file_sees_nothing_of_the_first(tmp_path: Path) -> None:
    """Each load has a registry of its own, and modules of the same name from another root are not mixed up."""
    for name in ("one", "two"):
        write(tmp_path / name, "helper.py", f"NAME = {name!r}")
        write(tmp_path / name, "etl.py", "from dagdeck import DAG\nimport helper\nDAG(helper.NAME)")
    assert [list(load_file(tmp_path / name / "etl.py", tmp_path / name)) for name in ("one", "two", "one")] == [
        ["one"],
        ["two"],
        ["one"],
    ]
    assert str(tmp_path / "two") not in sys.path


def test_loading_forgets_what_a_broken_file_left_open(tmp_path: Path) -> None:
    """A DAG that was being built when the file failed is not the next file's."""
    with pytest.raises(ZeroDivisionError):
        load_text(tmp_path, "DAG('open').__enter__()\n1 / 0")
    loaded = load_text(tmp_path, "@task\ndef t(): ...\nwith DAG('d') as d:\n    t()")
    assert loaded.dags["d"].task_ids == ["t"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\nx x\n", 2, "SyntaxError: invalid syntax"),
        ("import os\n\nos.nowhere\n", 3, "AttributeError: module 'os' has no attribute 'nowhere'"),
        ("import nowhere_at_all\n", 1, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("import sys\nsys.exit(3)\n", 2, "the file calls sys.exit(3) while it is being loaded: remove the call"),
        ("raise MemoryError\n", 1, "the file needs more memory to load than it may have"),
        ("def f():\n    f()\nf()\n", 2, "RecursionError: maximum recursion depth exceeded"),
        ("class E(Exception):\n    def __str__(self): raise E\nraise E\n", 3, "E: <its text cannot be shown: E>"),
        (
            "from dagdeck import DAG, shell\nwith DAG('d'):\n    shell('a b', 'true')\n",
            3,
            "task id 'a b' is not allowed",
        ),
        ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt"),
        ("# coding: nonsense\n", None, "SyntaxError: unknown encoding"),
    ],
)
def test_a_failure_is_one_sentence_and_a_line(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    """Whatever the file raises becomes a message and the line of the file that led there."""
    file = write(tmp_path, "broken.py", text)
    with pytest.raises(BaseException) as caught:
        load(file, tmp_path)
    failure = describe_failure(caught.value, str(file), str(tmp_path))
    assert failure.message.startswith(message)
    assert (failure.file, failure.line) == ("broken.py", line)
    assert failure.traceback is not None
    assert "engine/authoring" not in failure.traceback


def test_a_failure_in_a_module_names_it_and_the_line_that_imports_it(tmp_path: Path) -> None:
    """The message says where the mistake is, the line how this file came there."""
    write(tmp_path, "lib/bad.py", "x = 1\nundefined_name\n")
    file = write(tmp_path, "etl.py", "x = 1\n\nimport lib.bad\n")
    with pytest.raises(NameError) as caught:
        load(file, tmp_path)
    failure = describe_failure(caught.value, str(file), str(tmp_path))
    assert failure.message == "lib/bad.py:2: NameError: name 'undefined_name' is not defined"
    assert failure.line == 3


def test_long_messages_are_cut(tmp_path: Path) -> None:
    """An exception with a megabyte of text does not fill the store."""
    file = write(tmp_path, "loud.py", "raise ValueError('x' * 1_000_000)")
    with pytest.raises(ValueError, match="xxx") as caught:
        load(file, tmp_path)
    failure = describe_failure(caught.value, str(file), str(tmp_path))
    assert len(failure.message) < 2_100
    assert len(failure.traceback or "") < 8_100


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("@dag(python='/opt/py')\ndef d(): ...", "/opt/py"),
        ("with dagdeck.DAG('d', python='/opt/py'): ...", "/opt/py"),
        ("PY = '/opt/py'\n@dag(python=PY)\ndef d(): ...", None),
        ("run(python='/opt/py')", None),
        ("syntax error", None),
    ],
)
def test_the_interpreter_is_read_from_the_text(tmp_path: Path, text: str, python: str | None) -> None:
    """It must be known before the file is imported, so it is found without importing."""
    assert literal_python(str(write(tmp_path, "f.py", text))) == python


def test_authoring_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """In an interpreter without site-packages, a file is loaded, serialized and run, and no other room is imported."""
    file = write(
        tmp_path,
        "etl.py",
        """
        from dagdeck import DAG, task
        @task
        def body(): ...
        with DAG("d"):
            body()
        """,
    )
    program = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "from engine.authoring import loading, modules, references, running, serialize\n"
        f"dags = loading.load_file({str(file)!r}, {str(tmp_path)!r})\n"
        "serialize.serialize(dags['d'], 'etl.py')\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('engine.')}\n"
        "assert rooms == {'authoring', 'model'}, rooms\n"
        "assert not any(name.partition('.')[0] == 'console' for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_face_has_what_it_names() -> None:
    """Everything in `dagdeck.__all__` can be imported from it, and star-imports bring nothing else."""
    import dagdeck

    assert all(hasattr(dagdeck, name) for name in dagdeck.__all__)
    assert dagdeck.__all__ == sorted(dagdeck.__all__, key=lambda name: (not name.isupper(), name))
    assert dagdeck.FailTask is dagdeck.PermanentError


def test_loading_writes_nothing_beside_the_file(tmp_path: Path) -> None:
    """The DAG file itself leaves no compiled copy behind."""
    load(write(tmp_path, "etl.py", "from dagdeck import DAG\nDAG('d')"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["etl.py"]
