"""Real engines on homes of their own: made, started, killed, asked, looked at, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import quote

from engine.control import protocol as p
from engine.control.client import Client, connect
from engine.execution.process import proc
from engine.home import Home
from tests.support.source import PROJECT

PATIENCE = 60.0
JOURNAL = """
import os, time
from dagdeck import DAG, PermanentError, SkipTask, dag, shell, task

def note(word):
    line = f"{os.environ['DAGDECK_ATTEMPT_ID']} {word} {time.clock_gettime(time.CLOCK_BOOTTIME):.3f}\\n"
    journal = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(journal, line.encode())
    os.close(journal)

def until_exists(name):
    while not os.path.exists(os.path.join(os.environ["DAGDECK_HOME"], name)):
        time.sleep(0.01)

NOTE = 'note() { read up rest </proc/uptime; echo "$DAGDECK_ATTEMPT_ID $1 $up" >>"$JOURNAL"; }; '
"""
"""What DAG files of tests begin with: a body notes in the home's journal that it runs, in one appended line."""


async def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> Any:
    """The condition's value once it is true. Fails, saying what was waited for, when it is not within `seconds`."""
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(min(0.015 + waited / 50, 0.1))
    return value


class EngineProcess:
    """One life of an engine."""

    def __init__(self) -> None:
        self.pid = 0
        self.said: list[str] = []
        self.code: int | None = None
        """Exit code, or the negative number of the signal that ended it; None while it runs."""

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal, unless it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.pid == 0:  # it has been ordered, and not been born yet
            assert time.monotonic() < deadline, "an engine was never started"
            time.sleep(0.001)
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Its exit code, once it has ended."""
        await until(lambda: self.code is not None, f"engine {self.pid} ends", seconds)
        assert self.code is not None
        return self.code


class Nursery:
    """Starts engines that have been imported before. One per test process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.engine_nursery"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        self._process.wait(PATIENCE)  # it goes on in a process of its own
        self._engines: dict[str, EngineProcess] = {}
        self._keys = itertools.count(1)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def start(self, arguments: list[str], environment: Mapping[str, str], stderr: Path) -> EngineProcess:
        """An engine that is about to start."""
        key = str(next(self._keys))
        engine = self._engines[key] = EngineProcess()
        order = {"key": key, "arguments": arguments, "environment": dict(environment), "stderr": str(stderr)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return engine

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            key, what, value = json.loads(line)
            engine = self._engines[key]
            if what == "said":
                engine.said.append(value)
            else:
                setattr(engine, what, value)

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._thread.join(PATIENCE)
        self._process.stdout.close()


class Site:
    """A home with its engines, its journal, and eyes on its store."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        self.root = root
        self.home = Home(root)
        self.journal = root / "journal"
        self.engine: EngineProcess | None = None
        self._nursery = nursery
        self._launched: list[EngineProcess] = []
        self._store: sqlite3.Connection | None = None

    # --- making ---------------------------------------------------------------------------------------------------

    def configure(self, config: str = "") -> None:
        """Writes the home's settings; the journal's place is part of them."""
        text = f'{dedent(config)}\n[env]\nJOURNAL = "{self.journal}"\n'
        self.home.config.write_text(text)

    def copy_at(self, root: Path) -> Site:
        """The same kind of thing on a copy of the home, made while no engine ran."""
        return Site(root, self._nursery)

    def write(self, name: str, text: str) -> None:
        """Puts a DAG file in place, whole at once."""
        spare = self.root / "spare"
        spare.write_text(JOURNAL + dedent(text))
        self.home.dags.mkdir(mode=0o700, exist_ok=True)
        spare.rename(self.home.dags / name)

    # --- engines --------------------------------------------------------------------------------------------------

    def launch(self, **environment: str) -> EngineProcess:
        """Starts an engine and does not wait for it."""
        base = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TZ", "TMPDIR")}
        engine = self._nursery.start(
            ["--home", str(self.root)], {**base, "PYTHONPATH": str(PROJECT), **environment}, self.root / "stderr"
        )
        self._launched.append(engine)
        return engine

    async def start(self, **environment: str) -> EngineProcess:
        """Starts an engine and returns once it is ready."""
        self.engine = engine = self.launch(**environment)
        await until(lambda: engine.said or engine.code is not None, "the engine says something")
        assert engine.said and engine.said[0].startswith("ready"), f"{engine.said} {engine.code}\n{self.log()}"
        return engine

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.engine is not None
        self.engine.kill(signal.SIGTERM)
        return await self.engine.ended()

    async def crash(self) -> None:
        """SIGKILL, and the end of it."""
        assert self.engine is not None
        self.engine.kill()
        await self.engine.ended()

    def log(self) -> str:
        """What engines, runners and hosts have printed."""
        texts = [path.read_text(errors="replace") for path in (self.root / "stderr", self.home.log) if path.exists()]
        return "\n".join(texts)[-6000:]

    # --- asking ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def client(self, name: str = "cli") -> AsyncIterator[Client]:
        """A connection to the engine."""
        async with connect(self.home, name) as client:
            yield client

    async def command(self, verb: str, select: p.Selector, args: dict[str, Any] | None = None, **more: Any) -> p.Done:
        """One command over a connection of its own."""
        async with asyncio.timeout(PATIENCE), self.client() as client:
            return await client.command(verb, select, args, **more)

    async def trigger(self, dag_id: str, **args: Any) -> str:
        """A new run's id."""
        done = await self.command("trigger", p.Selector(dag_ids=[dag_id]), args)
        return str(done.result["run_id"])

    async def act(self, verb: str, run_id: str, *tasks: str, **args: Any) -> p.Done:
        """A command about a run or tasks of it."""
        return await self.command(verb, p.Selector(run_ids=[run_id], task_ids=list(tasks)), args)

    # --- looking --------------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query of the test's own finds in the committed store."""
        if self._store is None:
            uri = f"file:{quote(str(self.home.database))}?mode=ro"
            self._store = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None)
        return self._store.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of the first row, None where there is none."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    def run_state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self.value("SELECT state FROM run WHERE run_id = ?", run_id))

    def tasks(self, run_id: str) -> dict[str, str]:
        """The states of a run's tasks."""
        return dict(
            self.rows(
                "SELECT t.task_id, t.state FROM task_instance t JOIN run r ON r.id = t.run WHERE run_id = ?", run_id
            )
        )

    def attempts(self, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """The attempts of a task, in order."""
        names = (
            "id",
            "number",
            "state",
            "outcome",
            "failure_class",
            "reason",
            "exit_code",
            "signal",
            "error",
            "pid",
            "started_at",
            "ended_at",
        )
        found = self.rows(
            f"SELECT {', '.join('a.' + name for name in names)} FROM attempt a JOIN task_instance t "
            "ON t.id = a.task_instance JOIN run r ON r.id = t.run WHERE r.run_id = ? AND t.task_id = ? ORDER BY number",
            run_id,
            task_id,
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    async def state(self, run_id: str, task_id: str, *wanted: str, seconds: float = PATIENCE) -> str:
        """Waits until a task is in one of these states."""
        what = f"{task_id} of {run_id} is {' or '.join(wanted)}"
        try:
            await until(lambda: self.tasks(run_id).get(task_id) in wanted, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.tasks(run_id)}\n{self.log()}") from None
        return self.tasks(run_id)[task_id]

    async def over(self, run_id: str, seconds: float = PATIENCE) -> str:
        """Waits until a run is over, and gives its outcome."""
        try:
            await until(lambda: self.run_state(run_id) in ("success", "failed", "cancelled"), f"{run_id} ends", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.run_state(run_id)}, {self.tasks(run_id)}\n{self.log()}") from None
        return self.run_state(run_id)

    def knows(self, *dag_ids: str) -> bool:
        """Whether the store has these DAGs."""
        if not self.home.database.exists():
            return False
        return {row[0] for row in self.rows("SELECT dag_id FROM dag WHERE state = 'active'")} >= set(dag_ids)

    def bodies(self, word: str = "begin") -> list[str]:
        """Attempt ids in the journal, in the order in which their bodies noted the word."""
        if not self.journal.exists():
            return []
        lines = [line.split() for line in self.journal.read_text().splitlines()]
        return [line[0] for line in lines if line[1] == word]

    # --- processes ------------------------------------------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """Every live process of the home but the engine: pid and what its command line and environment say."""
        mark, found = re.compile(re.escape(os.fsencode(self.root)) + rb"(?![\w-])"), {}  # h1 is not h12
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit() or int(entry.name) in (os.getpid(), self.engine.pid if self.engine else 0):
                continue
            try:
                folder = Path(entry.path)
                text = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
                dead = (folder / "stat").read_bytes().rsplit(b") ", 1)[1][:1] in b"ZX"
            except OSError:
                continue
            if mark.search(text) and not dead:
                found[int(entry.name)] = text.replace(b"\0", b" ").decode(errors="replace")
        return found

    def runner(self) -> int:
        """The pid of the engine's runner, 0 while there is none."""
        for pid, text in self.processes().items():
            found = proc.stat(pid)
            if " runner " in text and self.engine is not None and found is not None and found.parent == self.engine.pid:
                return pid
        return 0

    def terminal_of(self, pid: int) -> int:
        """The controlling terminal of a process, 0 for none."""
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[4])

    def clear(self) -> None:
        """Ends everything that belongs to the home, by force."""
        if self._store is not None:
            self._store.close()
            self._store = None
        for engine in self._launched:
            engine.kill()
        self.kill_processes()

    def kill_processes(self) -> None:
        """SIGKILL to every process of the home but the engine, until none is left."""
        deadline = time.monotonic() + PATIENCE
        while left := self.processes():
            assert time.monotonic() < deadline, f"these do not end: {left}"
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)


class Sites:
    """Makes homes. A home whose DAG files were asked for before begins as a copy of one whose engine knows them."""

    def __init__(self) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="dd-t"))
        self._nursery: Nursery | None = None
        self._known: dict[tuple[tuple[str, str], ...], Path] = {}
        self._numbers = itertools.count(1)

    @property
    def nursery(self) -> Nursery:
        """Started when it is first needed."""
        if self._nursery is None:
            self._nursery = Nursery()
        return self._nursery

    def bare(self, config: str = "") -> Site:
        """A home without DAGs that no engine has seen."""
        root = self._base / f"h{next(self._numbers)}"
        root.mkdir(mode=0o700)
        site = Site(root, self.nursery)
        site.home.dags.mkdir(mode=0o700)
        site.configure(config)
        return site

    async def make(self, dags: Mapping[str, str], config: str = "", deep: int = 0) -> Site:
        """A home whose store knows the DAGs of these files, by name and text; no engine runs yet.

        `deep` is how many characters its path has at least.
        """
        key = tuple(sorted(dags.items()))
        if key not in self._known:
            self._known[key] = await self._prepare(dags)
        root = self._base / f"h{next(self._numbers)}".ljust(deep, "x")
        shutil.copytree(self._known[key], root)
        site = Site(root, self.nursery)
        site.configure(config)
        return site

    async def _prepare(self, dags: Mapping[str, str]) -> Path:
        site = self.bare("[pools]\nnarrow = 3")
        for name, text in dags.items():
            site.write(name, text)
        try:
            await site.start()
            loaded = "SELECT count(*) FROM event WHERE kind = 'import'"
            await until(lambda: site.value(loaded) == len(dags), f"{list(dags)} are loaded")
            broken = site.rows("SELECT file, line, message FROM import_error")
            assert not broken, broken
            await site.stop()
        finally:
            site.clear()
        for name in ("engine.log", "stderr", "engine.lock"):
            (site.root / name).unlink(missing_ok=True)
        return site.root

    def close(self) -> None:
        """Ends the nursery and removes all homes."""
        if self._nursery is not None:
            self._nursery.close()
        shutil.rmtree(self._base, ignore_errors=True)


@contextmanager
def closing(site: Site) -> Iterator[Site]:
    """The home, with nothing of it left behind at the end."""
    try:
        yield site
    finally:
        site.clear()
        shutil.rmtree(site.root, ignore_errors=True)
