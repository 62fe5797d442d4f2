"""The one writer: a thread with the one connection that commits and checkpoints.

Batches are numbered when they are submitted and written by the thread, everything queued in one transaction (group
commit). Whoever submitted hears of it after the commit, on the event loop. A failed commit fails everything behind it
too, because what follows was thought out on top of it; nothing is accepted again until memory has been reloaded.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

from engine.store.batch import Batch
from engine.store.connection import connect_writer
from engine.store.encode import Encoded, Head, encode
from engine.store.errors import CommitFailed, StateDiverged, StoreError, damaged, explain
from engine.store.transaction import IDLE_PAGES, Committer

MAX_BATCHES = 512
MAX_ROWS = 20_000
"""Bounds of one transaction, so that a flood of batches cannot make one commit arbitrarily late."""
IDLE_SECONDS = 1.0
"""After this long without work the write-ahead log is emptied."""
IDLE_SECONDS_AT_MOST = 60.0
"""Between two tries while a reader stands in the way."""

T = TypeVar("T")
Connect: TypeAlias = Callable[[Path], sqlite3.Connection]


@dataclass(frozen=True, slots=True)
class WriterFigures:
    """How the write-ahead log is doing."""

    wal_pages: int
    """Pages in it."""
    stuck_pages: int
    """Of those, pages that could not be moved to the database: a reader holds an older state."""
    checkpoint_error: str | None


@dataclass(frozen=True, slots=True)
class _Work:
    encoded: Encoded
    future: asyncio.Future[int]


@dataclass(frozen=True, slots=True)
class _Errand:
    """Something else to be done by the writer's thread, between two transactions."""

    what: Callable[[], Head | None]
    future: asyncio.Future[Head | None]


_STOP = object()


class Writer:
    """Submits batches to the store. All methods belong to the event loop that `open` was called on.

    `on_commit(seq)` is called on the loop after every transaction, once the futures of its batches are done;
    `on_failure(error)` when a commit failed. `connect` is a seam for tests that inject faults.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_commit: Callable[[int], None] | None = None,
        on_failure: Callable[[CommitFailed], None] | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        connect: Connect = connect_writer,
    ) -> None:
        self._path = path
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._clock = clock
        self._committer = Committer(path, connect)
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._head = Head()
        self._committed = 0
        self._failure: CommitFailed | None = None
        self._probed: Head | None = None
        self._broken = False  # the thread's own view: everything it meets fails until a reset reaches it

    @property
    def committed_seq(self) -> int:
        """Number of the last committed event."""
        return self._committed

    @property
    def failure(self) -> CommitFailed | None:
        """Why the writer refuses work, or None while it accepts it."""
        return self._failure

    def figures(self) -> WriterFigures:
        """What the last checkpoint found."""
        wal = self._committer.wal
        return WriterFigures(wal.pages, wal.stuck, wal.error)

    async def open(self) -> int:
        """Opens the store, which has to be at the present schema, and returns its last event's number.

        Raises StoreError when the store cannot be opened for writing.
        """
        self._loop = asyncio.get_running_loop()
        try:
            self._head = await self._loop.run_in_executor(None, self._committer.open)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        self._committed = self._head.seq
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()
        return self._committed

    def submit(self, batch: Batch) -> asyncio.Future[int]:
        """Hands a batch over. The future gives the number of the last committed event once the batch is durable.

        Sets `changed_seq` on the batch's runs and task instances. Raises CommitFailed at once while the writer refuses
        work; the future raises it (StateDiverged if memory was wrong) when the commit fails, in which case nothing of
        the batch is true.
        """
        if self._failure is not None:
            raise CommitFailed(f"the store takes no changes: {self._failure}") from self._failure
        encoded = encode(batch, self._head, self._clock())
        future: asyncio.Future[int] = self._loop.create_future()
        self._queue.put(_Work(encoded, future))
        return future

    async def probe(self) -> int:
        """After a failure: opens the store anew and makes one tiny commit, to see whether it works again.

        Returns the last committed event's number; memory may be reloaded from then on. Raises CommitFailed.
        """
        future: asyncio.Future[Head | None] = self._loop.create_future()
        self._queue.put(_Errand(self._committer.probe, future))
        probed = await future
        assert probed is not None
        if probed.seq < self._committed:
            found = f"it went back from event {self._committed} to {probed.seq}: an older copy was put in its place"
            raise CommitFailed(str(damaged(self._path, found)))
        self._probed, self._committed = probed, probed.seq
        return self._committed

    async def inspect(self) -> None:
        """Looks whether somebody has removed, replaced, cut or overwritten the store: that is as a failed commit."""
        if self._failure is None:
            future: asyncio.Future[Head | None] = self._loop.create_future()
            self._queue.put(_Errand(self._inspect, future))
            await future

    def reset(self) -> None:
        """Accepts work again, numbered from the store's last event. Call when memory has been reloaded.

        Raises RuntimeError unless a probe has succeeded since the failure.
        """
        if self._failure is None:
            return
        if self._probed is None:
            raise RuntimeError("the store has not been probed since its failure")
        self._head, self._probed, self._failure = self._probed, None, None
        self._queue.put(_Errand(self._mend, self._loop.create_future()))

    async def close(self) -> None:
        """Commits what is queued, empties the write-ahead log and closes the store."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        self._failure = self._failure or CommitFailed(f"{self._path}: the store is closed")
        self._queue.put(_STOP)
        await self._loop.run_in_executor(None, thread.join)

    # --- on the writer's thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while self._step():
                pass
        finally:
            self._committer.close()

    def _step(self) -> bool:
        """Does the next thing in the queue; False at the end. Whatever goes wrong, the thread lives on and tells it."""
        try:
            item = self._next()
            while isinstance(item, _Work):
                item = self._transact(item)
            if isinstance(item, _Errand):
                self._run(item)
            return item is not _STOP
        except Exception as error:
            self._break(error)
            return True

    def _next(self) -> object:
        """Waits for something to do; empties the write-ahead log when nothing comes for a while."""
        wait = IDLE_SECONDS
        while self._committer.wal.owed >= IDLE_PAGES and not self._broken:
            try:
                return self._queue.get(timeout=wait)
            except Empty:
                self._committer.truncate()
                wait = min(2 * wait, IDLE_SECONDS_AT_MOST)
        return self._queue.get()

    def _transact(self, first: _Work) -> object | None:
        """Commits everything queued in one transaction; returns the queue's first entry that is not a batch."""
        works, rest = [first], None
        rows = first.encoded.weight
        while len(works) < MAX_BATCHES and rows < MAX_ROWS:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if not isinstance(item, _Work):
                rest = item
                break
            works.append(item)
            rows += item.encoded.weight
        error = self._attempt_commit(works)
        if error is None:
            self._tell(self._committed_on_loop, works, works[-1].encoded.seq)
            try:
                self._committer.checkpoint_if_due()
            except Exception as problem:  # told here: what was taken from the queue meanwhile is still to be done
                self._break(problem)
        else:
            self._tell(self._failed_on_loop, works, error)
        return rest

    def _attempt_commit(self, works: list[_Work]) -> CommitFailed | None:
        if self._broken:
            return CommitFailed("an earlier commit failed")
        try:
            self._committer.commit([work.encoded for work in works])
        except StateDiverged as error:
            self._broken = True
            return error
        except Exception as error:
            self._broken = True
            return _as_failure(error, self._path)
        return None

    def _run(self, errand: _Errand) -> None:
        try:
            result = errand.what()
        except Exception as error:
            failure = error if isinstance(error, CommitFailed) else _as_failure(error, self._path)
            self._tell(_set_exception, errand.future, failure)
        else:
            self._tell(_set_result, errand.future, result)

    def _inspect(self) -> None:
        if self._broken:
            return
        try:
            self._committer.inspect()
        except Exception as error:
            self._break(error)

    def _break(self, error: Exception) -> None:
        self._broken = True
        self._tell(self._failed_on_loop, [], _as_failure(error, self._path))

    def _mend(self) -> None:
        self._broken = False

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    # --- back on the loop ---------------------------------------------------------------------------------------

    def _committed_on_loop(self, works: list[_Work], seq: int) -> None:
        self._committed = seq
        for work in works:
            _set_result(work.future, seq)
        if self._on_commit is not None:
            self._on_commit(seq)

    def _failed_on_loop(self, works: list[_Work], error: CommitFailed) -> None:
        first = self._failure is None
        if first:
            self._failure = error
        for work in works:
            _set_exception(work.future, error)
        if first and self._on_failure is not None:
            self._on_failure(error)


def _as_failure(error: Exception, path: Path) -> CommitFailed:
    if isinstance(error, sqlite3.IntegrityError):
        failure: CommitFailed = StateDiverged(f"{path}: a row contradicts the store: {error}")
    elif isinstance(error, sqlite3.Error):
        failure = CommitFailed(str(explain(error, path)))
    elif isinstance(error, StoreError):
        failure = CommitFailed(str(error))
    else:
        failure = CommitFailed(f"{path}: the commit failed: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _set_result(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _set_exception(future: asyncio.Future[T], error: Exception) -> None:
    """Nobody has to look: the failure is told once, by `on_failure`."""
    if not future.done():
        future.set_exception(error)
        future.exception()
