"""A home whose attempts have left their files: rows by the engine's own lifecycle, evidence as processes leave it."""

from __future__ import annotations

from pathlib import Path

from engine.execution import directory
from engine.home import Home
from engine.model.attempt_files import LOG, AttemptStatus
from engine.model.dag import DagSpec
from engine.model.moments import HOUR, SECOND
from engine.store.batch import Batch, ResultRow
from engine.store.connection import connect_reader
from tests.support.console_store import NOW, FilledHome, task
from tests.support.store import a_command

BUNDLE = "0" * 16


def spec(dag_id: str) -> DagSpec:
    """Three tasks in a row."""
    return DagSpec(dag_id, f"{dag_id}.py", [task("fetch"), task("clean", "fetch"), task("load", "clean", retries=1)])


async def a_day(root: Path) -> Home:
    """Two DAGs with six runs each, one failed, one that is under way; logs of known lengths, one result in a file."""
    filled = FilledHome(root)
    home = filled.home
    _write_files(home)
    await filled.open()
    for name in ("sales", "stock"):
        await filled.put_dag(spec(name))
        for hour in range(6, 0, -1):
            filled.now = NOW - hour * HOUR
            memory = await filled.start(name, NOW - (hour + 1) * HOUR)
            await filled.play(memory)
    filled.now = NOW - 600 * SECOND
    failed = await filled.start("sales", NOW - HOUR - 600 * SECOND)
    for task_id, code in (("fetch", 0), ("clean", 1)):
        await filled.claim(failed, task_id)
        await filled.end(failed, task_id, code=code, error="no such table" if code else None)
    under_way = await filled.start("stock", NOW - HOUR - 600 * SECOND)
    await filled.claim(under_way, "fetch")
    await filled.commit(Batch(command=a_command()))
    await _leave_evidence(filled)
    await filled.close()
    return home


def _write_files(home: Home) -> None:
    home.root.chmod(0o700)
    for folder in (home.dags, home.versions, home.versions / BUNDLE):
        folder.mkdir(mode=0o700)
    for name in ("sales", "stock"):
        (home.dags / f"{name}.py").write_text("from dagdeck import dag\n")
        (home.versions / BUNDLE / f"{name}.py").write_text("from dagdeck import dag\n")


async def _leave_evidence(filled: FilledHome) -> None:
    reading = connect_reader(filled.home.database)
    rows = reading.execute("SELECT id, task_instance, outcome, exit_code FROM attempt ORDER BY id").fetchall()
    reading.close()
    for number, (attempt_id, instance, outcome, code) in enumerate(rows, 1):
        path = directory.path_of(str(filled.home.attempts), attempt_id)
        directory.create(path, b"{}\n")
        handle = directory.open_directory(path)
        directory.make_claim(handle, 4711, 99, "boot", 1)
        (Path(path) / LOG).write_bytes(b"line\n" * 1000 * number)
        if outcome is not None:
            directory.write_own_status(path, AttemptStatus(code, "child", started=1, ended=2, duration=1).dumps())
        if number == 1:
            directory.write_result(path, b'"large"')
            row = ResultRow(instance, attempt_id, None, 7, filled.now)
            await filled.commit(Batch(results=[row]))
