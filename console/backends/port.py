"""The ports of a backend, one for each role. Screens know these alone, so they do not know which engine is behind.

Nothing of a backend blocks the loop. Text in everything it returns is sanitised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from console.model.asks import PreviewCard, Receipt, Selection
    from console.model.limits import WaitCard
    from console.model.link import Link
    from console.model.place import Place
    from console.model.runs import TriggerForm
    from console.model.snapshot import Interest, Snapshot


class News(NamedTuple):
    """What has come in since it was last asked for: the newest commit that is known of, and the link."""

    seq: int
    link: Link


class Reads(Protocol):
    """Committed state."""

    async def refresh(self, interest: Interest) -> Snapshot:
        """The picture at the newest commit. One that cannot be taken is the last one again, with `trouble` told."""

    async def form(self, dag_id: str, like: str | None = None) -> TriggerForm:
        """What it takes to start a run of a DAG by hand; `like` is a run whose params and date are filled in.

        Raises LookupError when there is no such DAG or run.
        """

    async def locate(self, place: Place) -> Place:
        """The place with the whole id of a run that it names in short, such as `DAG@latest`.

        Raises LookupError when its DAG, run or task is not there.
        """

    async def waiting(self, run_id: str, task_id: str, map_index: int) -> WaitCard:
        """Why a task waits, in sentences, and what it asks of a person."""

    async def limit(self, kind: str, name: str) -> WaitCard:
        """How a `pool` or a `breaker` stands, in sentences: who holds it, who waits for it, what frees it and when."""


class Follow(Protocol):
    """The engine's signs of life."""

    async def news(self) -> News:
        """Waits until there is something new. Newer news replaces older: whoever is slow misses none of the state."""


class Source(Reads, Follow, Protocol):
    """What a feed needs of a backend."""


class Commands(Protocol):
    """Changes. Both raise Refused and Unreachable of `console.model.asks`."""

    async def preview(self, verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        """What a command would touch."""

    async def more(self, preview: PreviewCard) -> PreviewCard:
        """The rows after those of a preview that says `more`."""

    async def command(
        self,
        verb: str,
        selection: Selection,
        args: Mapping[str, Any],
        *,
        command_id: str,
        seen_seq: int,
        preview_id: str | None = None,
        note: str | None = None,
    ) -> Receipt:
        """Asks for a change and returns once it is committed. Sent twice under one id, it is done once."""


class LogBytes(Protocol):
    """The log of one attempt, by offset. Both methods may be called from any thread."""

    def size(self) -> int:
        """Bytes written so far; 0 while there is no file yet. Raises OSError when it cannot be read."""

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`; fewer at the end. Raises OSError when it cannot be read."""

    def close(self) -> None:
        """Gives the file back."""


def take_end(log: LogBytes, count: int) -> bytes:
    """The last `count` bytes of a log, or all of it, which is given back. Raises OSError when it cannot be read."""
    try:
        size = log.size()
        return log.read(max(size - count, 0), min(size, count))
    finally:
        log.close()


class Logs(Protocol):
    """What attempts wrote."""

    def log(self, attempt_id: str) -> LogBytes:
        """The log of an attempt. Raises LookupError when the id cannot name one."""


class Backend(Reads, Follow, Commands, Logs, Protocol):
    """All roles together, with what this backend is able to do."""

    @property
    def verbs(self) -> frozenset[str]:
        """The changes it can be asked for."""

    async def open(self) -> None:
        """Begins to look for the engine. Never waits for it."""

    async def close(self) -> None:
        """Ends everything that is under way."""
