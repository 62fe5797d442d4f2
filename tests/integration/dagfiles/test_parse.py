"""Parsing in a child process: what hostile and broken files can do, and what they cannot."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from engine.dagfiles.parse import Parser, ParseStopped
from engine.execution.process.proc import processes, stat
from engine.model.dag import ImportFailure, ParsedFile
from tests.support.dag_files import write

pytestmark = pytest.mark.processes
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
def parser() -> Iterator[Parser]:
    """A parser with short limits."""
    made = Parser(ENVIRONMENT, "Asia/Tokyo", time_limit=10.0, memory_limit=100 * 1024 * 1024)
    yield made
    made.close()


def parse(parser: Parser, folder: Path, text: str, name: str = "etl.py") -> ParsedFile:
    """Parses a file of this text."""
    write(folder, name, text)
    return parser.parse(name, folder, sys.executable)


def failure(parsed: ParsedFile) -> ImportFailure:
    """The only failure of a file, which then has no DAGs."""
    assert parsed.dags == []
    (only,) = parsed.errors
    assert only.file == parsed.file
    return only


def children() -> set[int]:
    """This process's living children."""
    found = {pid: stat(pid) for pid in processes()}
    return {pid for pid, each in found.items() if each is not None and each.parent == os.getpid() and not each.dead}


ENDLESS = "while True: pass"
GOOD = """
from dagdeck import dag, task, shell
import lib.helper

@task(retries=2)
def extract(): ...

@dag(schedule="@daily", start_date="2024-01-01")
def etl(env="prod"):
    extract() >> shell("load", "true", env={"ENV": env})
"""


def test_a_good_file_arrives_as_it_was_defined(parser: Parser, tmp_path: Path) -> None:
    """DAGs, modules, and the home's zone for dates that name none."""
    write(tmp_path, "lib/helper.py", "")
    parsed = parse(parser, tmp_path, GOOD)
    (dag,) = parsed.dags
    assert (parsed.file, parsed.modules, parsed.errors, parsed.warnings) == (
        "etl.py",
        ["etl.py", "lib/helper.py"],
        [],
        [],
    )
    assert (dag.dag_id, dag.file, dag.schedule.start_date) == ("etl", "etl.py", "2024-01-01T00:00:00+09:00")
    assert [(task.task_id, task.kind, task.retry.retries, task.upstream) for task in dag.tasks] == [
        ("extract", "python", 2, []),
        ("load", "shell", 0, ["extract"]),
    ]
    assert dag.tasks[1].env == {"ENV": {"$param": "env"}}


def test_the_child_sees_only_the_given_environment_and_its_files_folder(parser: Parser, tmp_path: Path) -> None:
    """Nothing of the engine's environment reaches user code, and relative paths begin at the DAG file."""
    os.environ["SECRET_OF_THE_ENGINE"] = "1"
    try:
        parsed = parse(
            parser,
            tmp_path,
            """
            import os, sys
            from dagdeck import DAG
            assert "SECRET_OF_THE_ENGINE" not in os.environ
            assert sys.argv == [__file__] and sys.stdin.read() == ""
            DAG(open("name.txt").read() if os.path.exists("name.txt") else os.path.basename(os.getcwd()))
            """,
            "team/etl.py",
        )
    finally:
        del os.environ["SECRET_OF_THE_ENGINE"]
    assert [dag.dag_id for dag in parsed.dags] == ["team"]
    assert "uses __file__" in parsed.warnings[1]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("def f(:\n", 1, "SyntaxError"),
        ("import sys\nsys.exit(0)\n", 2, "calls sys.exit(0)"),
        ("import os\nos._exit(0)\n", None, "ended its own process while being loaded, with exit code 0"),
        ("import os\nos.kill(os.getpid(), 11)\n", None, "crashed its interpreter while being loaded: SIGSEGV"),
        ("import os\nos.kill(os.getpid(), 9)\n", None, "parse child was killed"),
        ("x = bytearray(10**9)\n", 1, "needs more memory to load than it may have"),
        ("x = [0]\nwhile True: x = x + x\n", 2, "needs more memory to load than it may have"),
        ("import engine.store\n", 1, "ModuleNotFoundError"),
        ("import engine.dagfiles.parse\n", 1, "ModuleNotFoundError"),
        ("import os\nos.close(1); os.close(2)\nraise ValueError('x')\n", 3, "ValueError: x"),
        ("from dagdeck import DAG, shell\nwith DAG('d'):\n    shell('a', 'true', retries=-1)\n", 3, "retries=-1"),
        ("from dagdeck import DAG\nDAG('d', timezone='Nowhere/At_All')\n", 2, "timezone='Nowhere/At_All'"),
    ],
)
def test_a_broken_file_is_a_failure_with_a_line(
    parser: Parser, tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    """Whatever the file does to itself, the answer is one failure that says what and where."""
    found = failure(parse(parser, tmp_path, text))
    assert says in found.message
    assert found.line == line


def test_a_file_that_is_not_utf8_is_a_failure(parser: Parser, tmp_path: Path) -> None:
    """Its bytes cannot be read as source."""
    (tmp_path / "etl.py").write_bytes(b"x = '\xff'\n")
    assert "codec can't decode" in failure(parser.parse("etl.py", tmp_path, sys.executable)).message


def test_ten_megabytes_of_prints_are_dropped(parser: Parser, tmp_path: Path) -> None:
    """What a file prints, by whatever way, never mixes with the answer; that it prints is a warning."""
    parsed = parse(
        parser,
        tmp_path,
        """
        import os, sys, subprocess
        from dagdeck import DAG
        print("x" * 5_000_000)
        print('{"parsed":{"file":"forged"}}')
        sys.stderr.write("y" * 4_999_999)
        sys.stdout.buffer.write(b"z")
        os.write(1, b'{"parsed":{"file":"forged"}}\\n' * 1000)
        subprocess.run(["echo", "hello"], stdout=sys.stdout)
        DAG("quiet")
        """,
    )
    assert ([dag.dag_id for dag in parsed.dags], parsed.file) == (["quiet"], "etl.py")
    assert parsed.warnings[-1] == "the file prints while it is being loaded (10,000,030 bytes, not kept)"


def test_a_file_that_never_ends_is_stopped_with_all_its_processes(tmp_path: Path) -> None:
    """After the time limit the whole session is killed, also children in groups of their own that ignore signals."""
    parser = Parser(ENVIRONMENT, time_limit=1.5)
    started = time.monotonic()
    parsed = parse(
        parser,
        tmp_path,
        """
        import os, signal, subprocess
        child = subprocess.Popen(["sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done"], process_group=0)
        open("pids", "w").write(f"{os.getpid()} {child.pid}")
        while True: pass
        """,
    )
    assert failure(parsed).message == "the file takes more than 1.5 s to load: do the work in a task, not at import"
    assert time.monotonic() - started < 20
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 40
    while any((found := stat(pid)) is not None and not found.dead for pid in pids):
        assert time.monotonic() < deadline, "a process of the file is left"


def test_left_over_threads_and_children_do_not_hold_up_the_answer(parser: Parser, tmp_path: Path) -> None:
    """A file may start what never ends; once it is loaded, the answer is there and the rest is gone."""
    started = time.monotonic()
    parsed = parse(
        parser,
        tmp_path,
        """
        import os, subprocess, threading, time
        from dagdeck import DAG
        threading.Thread(target=time.sleep, args=(60,)).start()
        subprocess.Popen(["sleep", "60"])
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
        DAG("here")
        """,
    )
    assert [dag.dag_id for dag in parsed.dags] == ["here"]
    assert time.monotonic() - started < 30


def test_a_forked_copy_of_the_file_does_not_answer(parser: Parser, tmp_path: Path) -> None:
    """When both sides of a fork go on to the end of the file, one answer arrives."""
    parsed = parse(
        parser,
        tmp_path,
        """
        import os
        from dagdeck import DAG
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        DAG("parent" if child else "copy")
        """,
    )
    assert [dag.dag_id for dag in parsed.dags] == ["parent"]


def test_a_dag_that_cannot_be_serialized_leaves_the_others(parser: Parser, tmp_path: Path) -> None:
    """A failure of one DAG names it and its line."""
    parsed = parse(
        parser,
        tmp_path,
        """
        from dagdeck import DAG, dag
        DAG("good")
        DAG("bad", timezone="Nowhere")

        @dag
        def worse():
            raise KeyError("x")
        """,
    )
    assert [dag.dag_id for dag in parsed.dags] == ["good"]
    assert {(each.dag_id, each.line) for each in parsed.errors} == {("bad", 3), ("worse", 7)}


def test_a_dag_file_may_name_its_interpreter(parser: Parser, tmp_path: Path) -> None:
    """It is parsed in that one; one that does not exist, or is only known after the import, is a failure."""
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.symlink_to(sys.executable)
    text = "import sys\nfrom dagdeck import DAG\nDAG('via-' + sys.executable.split('/')[-2], python={})\n"
    parsed = parse(parser, tmp_path, text.format(repr(str(other))))
    assert [(dag.dag_id, dag.python) for dag in parsed.dags] == [("via-bin", str(other))]
    assert (
        "python='/no/python' is not an executable file"
        in failure(parse(parser, tmp_path, text.format("'/no/python'"))).message
    )
    assert (
        "has to stand in the file as plain text"
        in failure(parse(parser, tmp_path, text.format(f"{str(other)[:-1]!r} + 'n'"))).message
    )


def test_an_interpreter_that_cannot_run_us_says_so(parser: Parser, tmp_path: Path) -> None:
    """What it writes to standard error is what the failure says."""
    python = write(tmp_path, "python", "#!/bin/sh\necho 'SyntaxError: too old' >&2\nexit 1\n")
    python.chmod(0o700)
    write(tmp_path, "etl.py", "")
    assert failure(parser.parse("etl.py", tmp_path, str(python))).message == (
        f"the parse child failed in {python}, which must be Python 3.11 or newer: SyntaxError: too old"
    )
    assert (
        "cannot be started with /no/python: No such file"
        in failure(parser.parse("etl.py", tmp_path, "/no/python")).message
    )


def test_an_answer_of_nonsense_is_a_failure(parser: Parser, tmp_path: Path) -> None:
    """The engine takes nothing that does not have the form of an answer."""
    write(tmp_path, "etl.py", "")
    for said, says in [
        ("{}", "no answer that makes sense"),
        ('{"parsed":{"dags":3}}', "cannot be read"),
        ("x", "cannot"),
    ]:
        python = write(tmp_path, "python", f"#!/bin/sh\necho '{said}'\n")
        python.chmod(0o700)
        assert says in failure(parser.parse("etl.py", tmp_path, str(python))).message


def test_nothing_is_written_beside_the_files(parser: Parser, tmp_path: Path) -> None:
    """Parsing leaves no compiled modules in `dags/`."""
    write(tmp_path, "lib/helper.py", "")
    parse(parser, tmp_path, GOOD)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["etl.py", "lib", "lib/helper.py"]


@pytest.mark.parametrize("forked", [False, True], ids=["with an interpreter of its own", "forked"])
def test_a_closed_parser_ends_its_children(tmp_path: Path, forked: bool) -> None:
    """Closing kills a child at once, and its template; whoever waits for it is told, and nothing new is started."""
    parser = Parser(ENVIRONMENT)
    before = children()
    if forked:
        parse(parser, tmp_path, "", "first.py")
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            parse(parser, tmp_path, f"import os\nopen('began', 'w').write(str(os.getpid()))\n{ENDLESS}")
        except ParseStopped as stopped:
            raised.append(stopped)

    thread = Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 40
    while not (tmp_path / "began").exists() or not (tmp_path / "began").read_text():
        assert time.monotonic() < deadline
    endless = int((tmp_path / "began").read_text())
    assert (endless in children()) is not forked
    parser.close()
    thread.join(40)
    assert len(raised) == 1
    assert stat(endless) is None
    assert children() == before
    with pytest.raises(ParseStopped):
        parse(parser, tmp_path, "")


def test_a_large_file_of_tasks_arrives_whole(parser: Parser, tmp_path: Path) -> None:
    """Five thousand tasks side by side, and a chain of two thousand."""
    parsed = parse(
        parser,
        tmp_path,
        """
        from dagdeck import DAG, chain, shell
        with DAG("wide"):
            shell("root", "true") >> [shell(f"t{n}", "true") for n in range(5000)]
        with DAG("deep"):
            chain(*[shell(f"t{n}", "true") for n in range(2000)])
        """,
    )
    assert [len(dag.tasks) for dag in parsed.dags] == [5001, 2000]


def test_more_files_are_parsed_by_forks_that_know_nothing_of_each_other(parser: Parser, tmp_path: Path) -> None:
    """What one file does to its process, no other finds; a crash, an exit and an endless file end their own alone."""
    spoil = "import os, sys\nos.environ['SPOILT'] = '1'\nsys.modules['spoilt'] = sys\nos.chdir('/')\n"
    look = f"import os, sys\nassert 'SPOILT' not in os.environ and 'spoilt' not in sys.modules\n{GOOD}"
    write(tmp_path, "lib/helper.py", "")
    assert parse(parser, tmp_path, spoil, "a.py").errors == []
    before = children()
    assert parse(parser, tmp_path, spoil, "b.py").errors == []
    (template,) = children() - before
    assert [dag.dag_id for dag in parse(parser, tmp_path, look, "c.py").dags] == ["etl"]
    assert "SIGSEGV" in failure(parse(parser, tmp_path, "import os\nos.kill(os.getpid(), 11)", "d.py")).message
    assert "exit code 3" in failure(parse(parser, tmp_path, "import os\nos._exit(3)", "e.py")).message
    assert [dag.dag_id for dag in parse(parser, tmp_path, look, "f.py").dags] == ["etl"]
    assert children() - before == {template}
    parser.rest()
    assert children() - before == set()


def test_a_template_that_is_killed_costs_no_file(parser: Parser, tmp_path: Path) -> None:
    """The next file is parsed all the same."""
    write(tmp_path, "lib/helper.py", "")
    before = children()
    assert parse(parser, tmp_path, GOOD, "a.py").errors == []
    assert parse(parser, tmp_path, GOOD, "b.py").errors == []
    (template,) = children() - before
    os.kill(template, signal.SIGKILL)
    assert parse(parser, tmp_path, GOOD, "c.py").errors == []
    assert parse(parser, tmp_path, GOOD, "d.py").errors == []
