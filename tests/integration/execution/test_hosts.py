"""Hosts: bundles that do not load, threads that forbid forking, other interpreters, and when hosts come and go."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.execution.port import Bundle, SpawnFailed
from engine.execution.process import proc
from tests.support.execution import Stage, kill

pytestmark = pytest.mark.processes


def another_python() -> str:
    """An interpreter of 3.11 or newer that is not this environment's: without our dependencies."""
    candidates = [*sorted(Path("/root/.pyenv/versions").glob("3.1[1-9].*/bin/python3")), Path("/usr/bin/python3")]
    candidates += [Path(found) for name in ("python3.13", "python3.12", "python3.11") if (found := shutil.which(name))]
    candidates.append(Path(sys.base_prefix) / "bin" / "python3")
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for path in candidates:
        if path.exists() and str(path.resolve().parent) != str(Path(sys.executable).parent):
            done = subprocess.run([path, "-I", "-c", check], capture_output=True, check=False)
            if done.returncode == 0 and sys.version_info[:2] != _version(path):
                return str(path)
    return str(Path(sys.base_prefix) / "bin" / "python3")


def _version(path: Path) -> tuple[int, ...]:
    code = "import sys; print(*sys.version_info[:2])"
    shown = subprocess.run([path, "-I", "-c", code], capture_output=True, check=True, text=True).stdout
    return tuple(int(part) for part in shown.split())


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module\n", "import: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:\n", "import: SyntaxError: "),
        ("raise SystemExit(0)\n", "import: SystemExit: 0"),
        ("raise KeyboardInterrupt\n", "import: KeyboardInterrupt"),
    ],
)
async def test_a_bundle_that_does_not_load_fails_its_attempts_for_good(
    stage: Stage, source: str, error: str, cold: bool
) -> None:
    """Every attempt of a file that cannot be imported fails as permanent, and its log shows why."""
    stage.dag_file(source)
    orders = [stage.order("any", cold=cold), stage.order("any", cold=cold)]
    stage.executor.launch(orders)
    for order in orders:
        status = await stage.status_of(order)
        assert (status.outcome, status.failure_class) == ("failed", "permanent")
        assert (status.error or "").startswith(error)
        assert "the DAG file cannot be imported" in stage.log(order)
        assert "Traceback" in stage.log(order) or "SyntaxError" in stage.log(order)


async def test_a_file_that_kills_its_importer_fails_its_own_attempts(stage: Stage) -> None:
    """A file whose import ends the process by a signal makes its attempts end by that signal; others are unharmed."""
    stage.dag_file("import os\nos.kill(os.getpid(), 11)\n")
    stage.tasks("def fine():\n    return 1\n", name="fine.py")
    bad, good = stage.order("any"), stage.order("fine", file="fine.py")
    stage.executor.launch([bad, good])
    status = await stage.status_of(bad)
    assert status.signal == 11
    assert (await stage.status_of(good)).code == 0


async def test_a_fixed_environment_is_seen_by_the_next_attempt(stage: Stage) -> None:
    """A failed import is not remembered: once its cause is gone, the next attempt of the same bundle runs."""
    stage.tasks("import os\nassert os.path.exists('ready'), 'not ready'\ndef work():\n    return 1\n")
    (stage.bundle / "flow.py").write_text(
        (stage.bundle / "flow.py").read_text().replace("'ready'", repr(str(stage.home / "ready")))
    )
    assert (await stage.run(stage.order("work"))).error == "import: AssertionError: not ready"
    (stage.home / "ready").write_text("")
    assert (await stage.run(stage.order("work"))).code == 0


async def test_a_missing_task_and_a_missing_dag_fail_for_good(stage: Stage) -> None:
    """A task, or a DAG, that the file does not define any more fails its attempt as permanent with that reason."""
    stage.tasks("def there():\n    return 1\n")
    for order in (stage.order("gone"), stage.order("there", dag_id="elsewhere")):
        status = await stage.run(order)
        assert (status.failure_class, status.reason) == ("permanent", "task_missing")


THREADED = """
import threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
def count():
    return threading.active_count()
"""


async def test_threads_at_import_make_a_bundle_start_cold(stage: Stage) -> None:
    """When importing a file leaves threads running, its attempts get interpreters of their own, threads included."""
    stage.tasks(THREADED)
    orders = [stage.order("count"), stage.order("count")]
    stage.executor.launch(orders)
    for order in orders:
        assert (await stage.status_of(order)).code == 0
        assert stage.result(order) == "2"
    await stage.until(lambda: len(stage.processes()) == 2, "the end of the host: only runner and template are left")
    assert (await stage.run(stage.order("count"))).code == 0


async def test_two_bundles_never_share_an_import(stage: Stage) -> None:
    """Modules of the same name in two bundles are each seen by their own DAG only."""
    other = stage.home / "other"
    other.mkdir()
    for folder, word in ((stage.bundle, "one"), (other, "two")):
        (folder / "shared.py").write_text(f"WORD = {word!r}\n")
    stage.tasks("import shared\ndef tell():\n    return shared.WORD\n")
    shutil.copy(stage.bundle / "flow.py", other / "flow.py")
    orders = [stage.order("tell"), stage.order("tell", bundle=str(other))]
    stage.executor.launch(orders)
    for order in orders:
        await stage.status_of(order)
    assert [stage.result(order) for order in orders] == ['"one"', '"two"']


@pytest.mark.parametrize("cold", [False, True])
async def test_another_interpreter_runs_a_dag(stage: Stage, cold: bool) -> None:
    """A DAG may name another Python, which needs nothing of ours installed."""
    python = another_python()
    stage.tasks("import sys\ndef which():\n    return [sys.executable, 'textual' in sys.modules]\n")
    order = stage.order("which", python=python, cold=cold)
    assert (await stage.run(order)).code == 0, stage.log(order)
    assert stage.result(order) == f'["{python}",false]'


@pytest.mark.parametrize("cold", [False, True])
async def test_an_interpreter_that_is_not_there_spends_no_attempt(stage: Stage, cold: bool) -> None:
    """With an interpreter that does not exist the attempt is not begun, and the news name the interpreter."""
    stage.tasks("def any():\n    return 1\n")
    order = stage.order("any", python="/no/such/python", cold=cold)
    stage.executor.launch([order])
    assert "/no/such/python" in (await stage.refusal_of(order)).error
    assert not (stage.path(order) / "claim").exists()
    again = stage.order("any", attempt_id=order.spec.attempt_id)
    assert (await stage.run(again)).code == 0


async def test_an_interpreter_that_is_none_spends_no_attempt(stage: Stage) -> None:
    """An interpreter that ends before the attempt began comes back as a failed start, not as a failed attempt."""
    order = stage.order("any", python="/bin/false")
    stage.executor.launch([order])
    assert isinstance(await stage.refusal_of(order), SpawnFailed)
    assert not (stage.path(order) / "claim").exists()


async def test_warming_imports_ahead_and_lets_older_versions_go(stage: Stage) -> None:
    """A warmed bundle has its host before any attempt; warming imports the file once."""
    stage.tasks(f"open({str(stage.home / 'imports')!r}, 'a').write('x')\ndef any():\n    return 1\n")
    bundle = Bundle(sys.executable, str(stage.bundle), "flow.py")
    stage.executor.warm([bundle, bundle])
    await stage.until(lambda: (stage.home / "imports").exists(), "the import")
    assert (await stage.run(stage.order("any"))).code == 0
    assert (stage.home / "imports").read_text() == "x"
    assert proc.exists(stage.helper("host"))


async def test_hosts_of_one_interpreter_come_from_one_template(stage: Stage) -> None:
    """Two files have two hosts and one template; when the template is killed, further files get a new one."""
    for name in ("one", "two", "three"):
        stage.tasks("def any():\n    return 1\n", name=f"{name}.py")
    assert (await stage.run(stage.order("any", file="one.py"))).code == 0
    template = stage.helper("template")
    assert (await stage.run(stage.order("any", file="two.py"))).code == 0
    assert stage.helper("template") == template
    kill(template)
    await stage.until(lambda: not proc.exists(template), "the end of the template")
    assert (await stage.run(stage.order("any", file="three.py"))).code == 0
    assert (await stage.run(stage.order("any", file="one.py"))).code == 0
    assert stage.helper("template") != template


async def test_exit_handlers_of_the_import_are_not_the_tasks(stage: Stage) -> None:
    """Exit handlers that a file registers at import do not run in its attempts; those of the task itself do."""
    stage.tasks(
        """
        import atexit
        atexit.register(print, "of the import")
        def quiet():
            atexit.register(print, "of the task")
        """
    )
    order = stage.order("quiet")
    assert (await stage.run(order)).code == 0
    assert stage.log(order) == "of the task\n"


async def test_threads_that_a_task_leaves_are_waited_for(stage: Stage) -> None:
    """A task is over when its threads that are no daemons are; daemons do not keep it."""
    stage.tasks(
        """
        import threading, time
        from concurrent.futures import ThreadPoolExecutor
        def leave():
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
            threading.Thread(target=lambda: (time.sleep(0.2), print("worker done"))).start()
            ThreadPoolExecutor(1).submit(print, "pool done")
            print("function done")
        """
    )
    order = stage.order("leave")
    assert (await stage.run(order)).code == 0
    assert sorted(stage.log(order).splitlines()) == ["function done", "pool done", "worker done"]


@pytest.mark.parametrize(
    ("body", "error", "failure_class"),
    [
        ("raise ConnectionError('gone')", "ConnectionError: gone", "transient"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines", "unknown"),
        ("raise Nasty()", "Nasty: <its text raises RuntimeError>", "unknown"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "unknown"),
        ("raise PermanentError('never')", "PermanentError: never", "permanent"),
        ("import nothing_here", "ModuleNotFoundError: No module named 'nothing_here'", "permanent"),
        ("sys.exit('because')", "SystemExit: because", "unknown"),
    ],
)
async def test_a_failure_is_told_in_one_line_and_shown_in_the_log(
    stage: Stage, body: str, error: str, failure_class: str
) -> None:
    """An exception becomes one line and a class in the status, and a traceback of the author's frames in the log."""
    stage.dag_file(
        f"""
        import sys
        from dagdeck import DAG, task, PermanentError

        class Nasty(Exception):
            def __str__(self):
                raise RuntimeError("no text")

        @task
        def failing():
            {body}

        with DAG("flow", schedule=None):
            failing()
        """
    )
    order = stage.order("failing")
    status = await stage.run(order)
    assert (status.outcome, status.error, status.failure_class) == ("failed", error, failure_class)
    log = stage.log(order)
    assert "engine/execution" not in log
    assert "flow.py" in log or "because" in log


async def test_skipping_and_retrying_later_are_told_apart_from_failing(stage: Stage) -> None:
    """SkipTask ends as skipped with code 0; RetryAfter fails as transient and carries its delay."""
    stage.dag_file(
        """
        from dagdeck import DAG, task, RetryAfter, SkipTask

        @task
        def skip():
            raise SkipTask("nothing to do")

        @task
        def later():
            raise RetryAfter("90s")

        with DAG("flow", schedule=None):
            skip()
            later()
        """
    )
    skipped = await stage.run(stage.order("skip"))
    assert (skipped.code, skipped.outcome, skipped.reason) == (0, "skipped", "skip_requested")
    later = await stage.run(stage.order("later"))
    assert (later.outcome, later.failure_class, later.retry_after) == ("failed", "transient", 90.0)


async def test_a_task_after_the_first_runs_in_a_child_that_was_forked_before_it(stage: Stage) -> None:
    """A host that has worked keeps one spare child; the next attempt claims as that very process."""
    stage.tasks("def any():\n    return 1\n")
    assert (await stage.run(stage.order("any"))).code == 0
    await stage.until(lambda: stage.spares(), "the spare child")
    (spare,) = stage.spares()
    order = stage.order("any")
    stage.executor.launch([order])
    assert (await stage.claim_of(order)).pid == spare
    assert (await stage.status_of(order)).code == 0


async def test_a_killed_spare_child_costs_no_attempt(stage: Stage) -> None:
    """When the spare child is killed, the next attempt gets a child all the same."""
    stage.tasks("def any():\n    return 1\n")
    assert (await stage.run(stage.order("any"))).code == 0
    await stage.until(lambda: stage.spares(), "the spare child")
    (spare,) = stage.spares()
    kill(spare)
    assert (await stage.run(stage.order("any"))).code == 0


async def test_a_spare_child_ends_with_its_host(stage: Stage) -> None:
    """A killed host leaves no spare child behind."""
    stage.tasks("def any():\n    return 1\n")
    assert (await stage.run(stage.order("any"))).code == 0
    await stage.until(lambda: stage.spares(), "the spare child")
    kill(stage.helper("host"))
    await stage.until(lambda: not stage.spares(), "the end of the spare child")
    assert (await stage.run(stage.order("any"))).code == 0
