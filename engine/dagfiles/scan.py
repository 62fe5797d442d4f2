"""Watching `dags/`: which files have to be read, when, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.dagfiles.bundle import remove_unfinished
from engine.dagfiles.checkout import Checkout
from engine.dagfiles.parse import Parser, ParseStopped
from engine.dagfiles.reading import Order, Reading, read
from engine.dagfiles.tree import ROOT_ENTRY, Seen, look, sign
from engine.dagfiles.updates import Broken, FileUpdate, Gone
from engine.dagfiles.verdict import Judge
from engine.environments import Environments
from engine.model.dag import ImportFailure, ParsedFile

QUIET = 2.0
RESTLESS = 15.0
PARALLEL = 2
_PATIENCE = 0.4
_REST = 1.0
"""Seconds between looks at a tree that rests: less than QUIET, which runs from the change itself, so nothing waits."""
_FIRST_RETRY, _LAST_RETRY = 60.0, 3600.0
_LONG_AGO = float("-inf")


@dataclass(slots=True)
class _File:
    """What is known of one file."""

    changed_at: float = _LONG_AGO
    reading: asyncio.Future[Reading] | None = None
    last: Reading | None = None
    seen: Seen | None = None
    """As it was when it was last handled."""
    look: int = 0
    """The number of the tree at that time."""
    told: FileUpdate | None = None
    missing: int = 0
    failed: int = 0
    """Readings in a row that ended in Broken."""
    retry_at: float | None = None


class DagFiles:
    """The DAG files of one home. Call `scan` again and again, `poll_after()` seconds apart, one call at a time.

    `python_of` names the interpreter for a file, `pools` gives the slots of each pool, `owners` the file from which
    each DAG id was last loaded. A file is read once the tree has been quiet for `quiet` seconds; in a tree that never
    is, once the file itself has been. A file that fails is read again when anything changes, and now and then.
    """

    def __init__(
        self,
        dags: Path,
        versions: Path,
        parser: Parser,
        *,
        python_of: Callable[[str], str],
        pools: Callable[[], Mapping[str, int]],
        owners: Mapping[str, str] | None = None,
        environments: Environments | None = None,
        quiet: float = QUIET,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._dags, self._versions, self._parser = dags.absolute(), versions, parser
        self._python_of, self._pools = python_of, pools
        self._quiet, self._monotonic, self._wall = quiet, monotonic, wall
        self._threads = ThreadPoolExecutor(PARALLEL, "dagfiles")
        self._checkout = Checkout(self._dags)
        self._judge = Judge(owners or {}, pools, environments)
        self._files = {file: _File() for file in sorted(self._judge.files())}
        self._tree: dict[str, Seen] = {}
        self._data: dict[str, tuple[int, ...]] = {}
        """Files that DAG files read when they are loaded, as they were then or have been seen since."""
        self._look = 0
        self._looked_at = self._changed_at = _LONG_AGO
        self._restless_since: float | None = None
        self._unread = True
        self._undecided: set[str] = set()
        self._pools_seen = dict(pools())
        remove_unfinished(versions)

    async def scan(self) -> list[FileUpdate]:
        """Looks once, starts what has to be read, and returns what is new, after half a second at most."""
        tree = await asyncio.to_thread(look, self._dags)
        data = await asyncio.to_thread(self._look_at_data) if self._data else {}
        now = self._monotonic()
        self._note(tree, now)
        self._note_data(data, now)
        gone = self._find_gone(now)
        self._start(now)
        readings = self._readings()
        if readings:
            await asyncio.wait(readings, timeout=_PATIENCE)
        else:
            self._parser.rest()
        return [*self._settle(now), *gone]  # a DAG that moved to another file is found there before it is missed

    def retell(self, known: Iterable[str]) -> None:
        """Whoever took the updates has lost some: the next scan tells all of them again.

        `known` are the files that are still thought to define DAGs; those that are gone are found to be so once more.
        """
        for name in known:
            self._files.setdefault(name, _File())
        for name, file in self._files.items():
            if isinstance(file.told, Broken):
                file.retry_at = self._looked_at  # what broke the store's commits may have broken its reading, too
            file.told = None
            if file.last is not None:
                self._undecided.add(name)

    def poll_after(self) -> float:
        """Seconds after which another scan is worth while."""
        return 0.1 if self._unread or self._undecided or self._readings() else _REST

    async def close(self) -> None:
        """Ends all children and threads."""
        self._parser.close()
        readings = self._readings()
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def _readings(self) -> list[asyncio.Future[Reading]]:
        return [file.reading for file in self._files.values() if file.reading is not None]

    def _note(self, tree: dict[str, Seen], now: float) -> None:
        """Remembers which files changed since the last look, and about when they did."""
        if tree != self._tree:
            wall = self._wall()
            for name in tree.keys() | self._tree.keys():
                if tree.get(name) != self._tree.get(name):
                    age = wall - tree[name].changed_at if name in tree else 0.0
                    changed_at = max(now - age, self._looked_at) if age >= 0 else now
                    self._files.setdefault(name, _File()).changed_at = changed_at
                    self._changed_at = max(self._changed_at, changed_at)
            self._tree, self._unread = tree, True
            self._look += 1
        self._looked_at = now
        if now - self._changed_at >= self._quiet:
            self._restless_since = None
        elif self._restless_since is None:
            self._restless_since = now

    def _look_at_data(self) -> dict[str, tuple[int, ...]]:
        return {name: sign(f"{self._dags}/{name}") for name in self._data}

    def _note_data(self, data: dict[str, tuple[int, ...]], now: float) -> None:
        """Data files are no part of the tree: they are looked at one by one, for the files that read them."""
        if any(self._data.get(name) != signature for name, signature in data.items()):
            self._data |= data
            self._unread, self._changed_at = True, now
            self._restless_since = self._restless_since or now

    def _is_quiet(self, file: _File, now: float) -> bool:
        if self._restless_since is None:
            return True
        return now - self._restless_since >= RESTLESS and now - file.changed_at >= self._quiet

    def _find_gone(self, now: float) -> list[FileUpdate]:
        gone: list[FileUpdate] = []
        unread = any(self._files[name].last is None for name in self._tree)  # one of them may be the missing file
        for name, file in list(self._files.items()):
            if name in self._tree:
                file.missing = 0
            elif not self._is_hidden_by_problem(name):
                file.missing += 1
                if file.missing >= 2 and self._is_quiet(file, now) and not unread:
                    self._drop(name, file)
                    gone.append(Gone(name))
        return gone

    def _drop(self, name: str, file: _File) -> None:
        if file.reading is not None:
            file.reading.cancel()
        del self._files[name]
        self._undecided.discard(name)
        self._judge.forget(name)

    def _is_hidden_by_problem(self, name: str) -> bool:
        """Whether a folder on the way to the file cannot be read, so that its absence says nothing."""
        folders = (str(folder) for folder in PurePosixPath(name).parents)
        return name != ROOT_ENTRY and any(self._tree.get(folder, Seen()).problem for folder in folders)

    def _start(self, now: float) -> None:
        """Begins to read the files that have to be read and may be."""
        retry = any(file.retry_at is not None and now >= file.retry_at for file in self._files.values())
        if not self._unread and not retry:
            return
        self._unread = False
        for name, seen in sorted(self._tree.items()):
            file = self._files[name]
            if file.reading is not None or not self._is_due(file, seen, now):
                continue
            if not self._is_quiet(file, now):
                self._unread = True
                continue
            file.seen, file.look, file.retry_at = seen, self._look, None
            file.reading = self._read(name, seen)

    def _is_due(self, file: _File, seen: Seen, now: float) -> bool:
        if file.last is None or file.seen != seen or (file.retry_at is not None and now >= file.retry_at):
            return True
        if isinstance(file.told, Broken) and file.look != self._look:
            return seen.problem is None
        return any(self._signature(module) != known for module, known in file.last.signatures.items())

    def _signature(self, module: str) -> tuple[int, ...]:
        seen = self._tree.get(module)
        return seen.signature if seen is not None else sign(f"{self._dags}/{module}")

    def _read(self, name: str, seen: Seen) -> asyncio.Future[Reading]:
        loop = asyncio.get_running_loop()
        if seen.problem is not None:
            known: asyncio.Future[Reading] = loop.create_future()
            known.set_result(Reading(ParsedFile(name, errors=[ImportFailure(name, seen.problem)])))
            return known
        order = Order(name, self._dags, self._versions, self._python_of(name), politely=self._look == 1)
        return loop.run_in_executor(self._threads, read, order, self._parser, self._tree, self._checkout)

    def _settle(self, now: float) -> list[FileUpdate]:
        """Turns finished readings into updates; frees DAG ids before it gives them out again."""
        ready = self._finished() | self._undecided
        pools = dict(self._pools())
        if pools != self._pools_seen:
            self._pools_seen = pools
            ready |= {name for name, file in self._files.items() if file.last is not None}
        for name in ready:
            self._judge.release(self._parsed(name))
        updates: list[FileUpdate] = []
        self._undecided = set()
        while ready:
            updates.extend(self._judge_all(sorted(ready), now))
            ready = self._judge.hopeful() - self._undecided
        return updates

    def _finished(self) -> set[str]:
        """The files whose readings have ended and say something."""
        finished = set()
        for name, file in self._files.items():
            if file.reading is None or not file.reading.done():
                continue
            reading, file.reading = file.reading, None
            try:
                result = reading.result()
            except (ParseStopped, asyncio.CancelledError):
                continue
            if result.parsed is None:
                file.seen, self._unread = None, True
            else:
                file.last = result
                self._data |= {name: seen for name, seen in result.signatures.items() if not name.endswith(".py")}
                finished.add(name)
        return finished

    def _judge_all(self, names: list[str], now: float) -> list[FileUpdate]:
        updates: list[FileUpdate] = []
        for name in names:
            file, parsed = self._files[name], self._parsed(name)
            if any(self._is_open(rival) for rival in self._judge.rivals(parsed)):
                self._undecided.add(name)
                continue
            assert file.last is not None
            update = self._judge.judge(parsed, file.last.bundle, file.last.commit)
            self._plan_retry(file, isinstance(update, Broken) and name in self._tree, now)
            if update != file.told:
                file.told = update
                updates.append(update)
        return updates

    def _plan_retry(self, file: _File, broken: bool, now: float) -> None:
        """A broken file is read again after 1, 2, 4 … minutes: what it lacks may be installed by then."""
        if not broken or (file.seen is not None and file.seen.problem is not None):
            file.failed, file.retry_at = 0, None
        elif file.retry_at is None:
            file.retry_at = now + min(_FIRST_RETRY * 2**file.failed, _LAST_RETRY)
            file.failed = min(file.failed + 1, 16)

    def _parsed(self, name: str) -> ParsedFile:
        last = self._files[name].last
        assert last is not None and last.parsed is not None
        return last.parsed

    def _is_open(self, name: str) -> bool:
        """Whether it may soon be known that a file has given up ids: it is being read, or missing, perhaps for good."""
        file = self._files.get(name)
        if file is None:
            return False
        if name not in self._tree:
            return not self._is_hidden_by_problem(name)
        return file.reading is not None or file.last is None
