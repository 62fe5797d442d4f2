"""What any executor must do with its orders, on real processes."""

from __future__ import annotations

import ast
import json
import signal
import stat
import sys

import pytest

from engine.execution.port import Claimed, Ended, Finished, LaunchOrder, NeverStarted, Running
from engine.execution.process import proc
from engine.model.attempt_files import InputRef
from tests.support.execution import Stage, result_input

pytestmark = pytest.mark.processes


KINDS = pytest.mark.parametrize("how", ["warm", "cold", "shell"])


def simple(stage: Stage, how: str, code: int = 0) -> LaunchOrder:
    """One attempt of each way of starting, ending with the code."""
    if how == "shell":
        return stage.shell(f"echo hello; exit {code}")
    stage.tasks(
        f"""
        def hello():
            print("hello")
            raise SystemExit({code})
        """
    )
    return stage.order("hello", cold=how == "cold")


@KINDS
async def test_a_finished_attempt_leaves_its_output_and_one_claim_and_one_end(stage: Stage, how: str) -> None:
    """A task that ends well is claimed once, ends once with code 0 and success, and its output is in its log."""
    order = simple(stage, how)
    status = await stage.run(order)
    assert (status.code, status.outcome, status.signal) == (0, "success", None)
    assert stage.log(order) == "hello\n"
    assert [type(item) for item in stage.seen] == [Claimed, Ended]


@KINDS
async def test_an_exit_code_is_kept(stage: Stage, how: str) -> None:
    """A task that ends with code 3 has failed with code 3."""
    status = await stage.run(simple(stage, how, code=3))
    assert (status.code, status.outcome, status.signal) == (3, "failed", None)


@KINDS
async def test_death_by_a_signal_is_told_as_such(stage: Stage, how: str) -> None:
    """A task killed by SIGKILL from outside ends with signal 9 and code 137, whoever saw it."""
    if how == "shell":
        order = stage.shell("echo up; kill -9 $$")
    else:
        stage.tasks(
            """
            import os
            def doomed():
                print("up", flush=True)
                os.kill(os.getpid(), 9)
            """
        )
        order = stage.order("doomed", cold=how == "cold")
    status = await stage.run(order)
    assert (status.code, status.signal, status.outcome) == (137, 9, "failed")
    assert stage.log(order) == "up\n"


@KINDS
async def test_a_claim_names_the_living_process(stage: Stage, how: str) -> None:
    """The claim's pid, start time and boot id are those of a live session leader; the survey says the same."""
    stage.tasks(
        """
        import sys
        def waiter():
            print("waiting")
            open("gate").read()
        """
    )
    stage.make_gate()
    script = "echo waiting; cat gate"
    order = stage.shell(script) if how == "shell" else stage.order("waiter", cold=how == "cold")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    await stage.prints(order, "waiting")
    seen = proc.stat(claim.pid)
    assert seen is not None
    assert (seen.started, seen.session, claim.boot_id) == (claim.pid_started, claim.pid, proc.boot_id())
    survey = stage.executor.survey(order.spec.attempt_id)
    assert survey == Running(claim.pid, claim.pid_started, claim.boot_id)
    await stage.pass_gate()
    status = await stage.status_of(order)
    after = stage.executor.survey(order.spec.attempt_id)
    assert isinstance(after, Finished)
    assert (after.status.code, after.status.outcome) == (status.code, status.outcome) == (0, "success")
    assert claim.at <= (status.ended or 0)


async def test_an_attempt_that_nobody_launched_has_never_started(stage: Stage) -> None:
    """The survey of an unknown attempt says that it never started."""
    order = stage.order("nothing")
    assert stage.executor.survey(order.spec.attempt_id) == NeverStarted()


@KINDS
async def test_the_environment_is_the_given_one_and_nothing_else(stage: Stage, how: str) -> None:
    """A task sees exactly the variables of its spec and its attempt's id, in its working folder."""
    stage.tasks(
        """
        import json, os
        def show():
            print(json.dumps([os.getcwd(), dict(os.environ)]))
        """
    )
    environment = {"PATH": "/usr/bin:/bin", "GREETING": "ünï $HOME `x` \n second line", "TZ": "Asia/Tokyo"}
    folder = stage.home / "work folder"
    folder.mkdir()
    if how == "shell":
        order = stage.shell("exec env -0", env=dict(environment), cwd=str(folder))
    else:
        order = stage.order("show", cold=how == "cold", env=dict(environment), cwd=str(folder))
    assert (await stage.run(order)).code == 0, stage.log(order)
    if how == "shell":
        seen = dict(pair.split("=", 1) for pair in stage.log(order).split("\0") if pair)
        where = seen.pop("PWD")
    else:
        where, seen = json.loads(stage.log(order))
    assert (where, seen) == (str(folder), {**environment, "DAGDECK_ATTEMPT_ID": order.spec.attempt_id})


@KINDS
async def test_a_task_inherits_no_descriptor_but_its_log_and_lock(stage: Stage, how: str) -> None:
    """Standard input is /dev/null, output and errors are the log, and all else that is open is the attempt's folder."""
    each = "{n: os.readlink(f'/proc/self/fd/{n}') for n in range(200) if os.path.lexists(f'/proc/self/fd/{n}')}"
    source = f"import os; print({each})"
    stage.tasks(
        f"""
        def show():
            {source}
        """
    )
    program = f'exec {sys.executable} -I -c "{source}"'
    order = stage.shell(program) if how == "shell" else stage.order("show", cold=how == "cold")
    await stage.run(order)
    path = str(stage.path(order))
    shown = ast.literal_eval(stage.log(order))
    assert [shown.pop(number) for number in (0, 1, 2)] == ["/dev/null", f"{path}/log", f"{path}/log"]
    assert set(shown.values()) == {path}


async def test_results_come_back_as_they_were(stage: Stage) -> None:
    """What a task returns is in its result file as JSON, tuples as lists, and the evidence gives its size."""
    stage.tasks(
        """
        def shapes():
            return {"n": [1, 2.5, True, None, "ü"], "t": (1, (2,)), "deep": {"": [{}]}, "big": 2**70}
        def nothing():
            return None
        """
    )
    order, none = stage.order("shapes"), stage.order("nothing")
    await stage.run(order)
    file = stage.path(order) / "result.json"
    expected = {"n": [1, 2.5, True, None, "ü"], "t": [1, [2]], "deep": {"": [{}]}, "big": 2**70}
    assert json.loads(file.read_bytes()) == expected
    assert stage.of(order, Ended)[0].result_bytes == file.stat().st_size
    await stage.run(none)
    assert not (stage.path(none) / "result.json").exists()
    assert stage.of(none, Ended)[0].result_bytes is None


async def test_a_result_that_is_not_json_fails_for_good_and_says_where(stage: Stage) -> None:
    """A value that would not survive as JSON fails its attempt as permanent, naming the place in the value."""
    stage.tasks(
        """
        def odd():
            return {"rows": [1, 2, 3, float("nan")]}
        """
    )
    status = await stage.run(stage.order("odd"))
    assert (status.outcome, status.failure_class, status.reason) == ("failed", "permanent", "result_invalid")
    assert status.error is not None and status.error.startswith('result["rows"][3]: NaN')


async def test_inputs_reach_the_task_inline_and_as_files(stage: Stage) -> None:
    """A task is handed its upstream's result, whether it stands in the spec or in a file."""
    stage.dag_file(
        """
        from dagdeck import DAG, task

        @task
        def before():
            return 1

        @task
        def after(value):
            return {"got": value}

        with DAG("flow", schedule=None):
            after(before())
        """
    )
    inline = stage.order("after", inputs=result_input([1, {"a": "b"}]))
    large = stage.home / "large.json"
    large.write_text('["from a file"]')
    filed = stage.order("after", inputs={"before": InputRef(path=str(large))})
    for order, value in ((inline, [1, {"a": "b"}]), (filed, ["from a file"])):
        assert (await stage.run(order)).code == 0, stage.log(order)
        assert json.loads((stage.path(order) / "result.json").read_bytes()) == {"got": value}


async def test_a_callback_runs_as_an_attempt(stage: Stage) -> None:
    """A task's callback is called with the context and the error of the attempt that it reports."""
    stage.dag_file(
        """
        from dagdeck import DAG, task

        def tell(context):
            print("called for", context["task_id"], "because of", context["error"])

        @task(on_failure_callback=tell)
        def fragile():
            pass

        with DAG("flow", schedule=None):
            fragile()
        """
    )
    order = stage.order("fragile", kind="callback", callback="on_failure", error="ValueError: no")
    assert (await stage.run(order)).code == 0
    assert stage.log(order) == "called for fragile because of ValueError: no\n"


@KINDS
async def test_output_bytes_are_kept_as_they_are(stage: Stage, how: str) -> None:
    """Control sequences, broken UTF-8 and NUL bytes reach the log unchanged."""
    hostile = bytes(range(256)) + b"\x1b]52;c;aGk=\x07\x9b2J\xff\xfe\r\n" * 3
    (stage.home / "bytes").write_bytes(hostile)
    stage.tasks(
        """
        import os
        def spill():
            os.write(1, open("bytes", "rb").read())
        """
    )
    order = stage.shell("cat bytes") if how == "shell" else stage.order("spill", cold=how == "cold")
    assert (await stage.run(order)).code == 0
    assert (stage.path(order) / "log").read_bytes() == hostile


async def test_files_of_an_attempt_are_its_owners_alone(stage: Stage) -> None:
    """Attempt folders are 0700 and every file in them is 0600, however the attempt was started."""
    stage.tasks(
        """
        def some():
            return 1
        """
    )
    orders = [stage.order("some"), stage.order("some", cold=True), stage.shell("echo x")]
    stage.executor.launch(orders)
    for order in orders:
        await stage.status_of(order)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in stage.path(order).iterdir()}
        assert set(modes.values()) == {0o600}, modes
        assert stat.S_IMODE(stage.path(order).stat().st_mode) == 0o700
        assert stat.S_IMODE(stage.path(order).parent.stat().st_mode) == 0o700


@KINDS
async def test_an_attempt_starts_at_most_once(stage: Stage, how: str) -> None:
    """Launching an attempt again while it runs, and after it ended, runs its task once and ends it once."""
    stage.tasks(
        """
        def mark():
            with open("marks", "a") as out:
                out.write("x")
            open("gate").read()
        """
    )
    stage.make_gate()
    order = stage.shell("printf x >>marks; cat gate") if how == "shell" else stage.order("mark", cold=how == "cold")
    for _ in range(5):
        stage.executor.launch([order])
    await stage.claim_of(order)
    stage.executor.launch([order])
    await stage.until(lambda: (stage.home / "marks").exists(), "the first line of the task")
    await stage.pass_gate()
    await stage.status_of(order)
    stage.executor.launch([order])
    await stage.until(lambda: len(stage.of(order, Ended)) == 2, "the second answer")
    assert (stage.home / "marks").read_text() == "x"
    assert len(stage.of(order, Ended)) == 2


async def test_many_attempts_at_once_all_end(stage: Stage) -> None:
    """Sixty attempts of all kinds, launched together, each give one claim and one end."""
    stage.tasks(
        """
        def quick():
            return 1
        """
    )
    orders = [stage.order("quick") for _ in range(35)] + [stage.shell("exit 0") for _ in range(20)]
    orders += [stage.order("quick", cold=True) for _ in range(5)]
    stage.executor.launch(orders)
    for order in orders:
        assert (await stage.status_of(order)).code == 0
        assert len(stage.of(order, Claimed)) == len(stage.of(order, Ended)) == 1


@KINDS
async def test_measurements_are_those_of_the_attempt(stage: Stage, how: str) -> None:
    """Start, end, duration and processor time describe the attempt; its memory counts what it allocated itself."""
    stage.tasks(
        """
        def work():
            block = bytearray(60_000_000)
            return sum(range(300_000)) and len(block)
        """
    )
    program = "block = bytearray(60_000_000); sum(range(300_000))"
    order = (
        stage.shell(f"exec {sys.executable} -I -c '{program}'")
        if how == "shell"
        else stage.order("work", cold=how == "cold")
    )
    before = stage.clock.now()
    status = await stage.run(order)
    assert before <= (status.started or 0) <= (status.ended or 0) <= stage.clock.now()
    assert 0 < (status.duration or 0) <= stage.clock.now() - before
    assert 0 < (status.cpu_seconds or 0) < 10
    assert 60_000_000 < (status.peak_bytes or 0) < 160_000_000


async def test_no_shells_end_is_told_as_earlier_than_it_was(stage: Stage) -> None:
    """A shell's end, which only its files tell, lies after the last thing that it did, for the watcher and later."""
    for _ in range(5):
        order = stage.shell("date +%s%N")
        status = await stage.run(order)
        last_act = int(stage.log(order)) // 1000
        later = stage.executor.survey(order.spec.attempt_id)
        assert isinstance(later, Finished)
        assert last_act <= (status.ended or 0)
        assert last_act <= (later.status.ended or 0)


@KINDS
async def test_a_kill_ends_with_the_evidence_of_death(stage: Stage, how: str) -> None:
    """A polite kill ends a task by SIGTERM; when its end is told, its process is gone."""
    stage.tasks(
        """
        import time
        def slow():
            print("up")
            time.sleep(600)
        """
    )
    order = stage.shell("echo up; sleep 600") if how == "shell" else stage.order("slow", cold=how == "cold")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    await stage.prints(order, "up")
    stage.executor.kill(order.spec.attempt_id, grace=10)
    status = await stage.status_of(order)
    assert (status.code, status.signal) == (143, int(signal.SIGTERM))
    assert not proc.is_alive(claim.pid, claim.pid_started)
    assert len(stage.of(order, Ended)) == 1
