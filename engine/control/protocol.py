"""The messages of the control socket: JSON lines, each an object with a `type`, 1 MiB at most in both directions.

The socket carries previews and commands with their replies, the number of the last commit, and gauges. Rows are
never sent over it: a console reads committed rows from the store. Replies are stamped with `seq`, the last commit.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from engine.model.host import HostFigures

PROTOCOL = 1
MAX_LINE = 1024 * 1024
PREVIEW_ROWS = 200
PREVIEW_SECONDS = 300
MOST_QUIET = 500


class Message(msgspec.Struct, tag_field="type", omit_defaults=True):
    """Base of all messages."""


class Selector(msgspec.Struct, omit_defaults=True):
    """What a command is about: DAGs, or runs, or task instances of one run."""

    dag_ids: list[str] = []
    run_ids: list[str] = []
    task_ids: list[str] = []
    """Tasks of the runs in `run_ids`; empty means the runs themselves, or all their tasks, as the verb says.

    `RUN/TASK` is a task of that run alone: so one command is about different tasks of several runs.
    """
    expression: str = ""
    """`state:failed since:2h dag:trades_*`: everything that it fits, instead of names. See engine.model.terms."""
    kind: Literal["", "tasks", "runs", "dags"] = ""
    """What the expression is about; empty: what the verb usually takes."""


# --- from the client ---------------------------------------------------------------------------------------------


class Hello(Message, tag="hello"):
    """First message. `claimed` is what the client says of its operator (SUDO_USER, SSH_CONNECTION): kept, marked so."""

    protocol: int
    client: str
    version: str
    claimed: dict[str, str] = {}
    read_only: bool = False
    """Nothing that comes over this connection may change anything."""


class AskPreview(Message, tag="ask_preview"):
    """What would this command touch? `id` is the client's, to match the reply."""

    id: int
    verb: str
    select: Selector = msgspec.field(default_factory=Selector)
    args: dict[str, Any] = {}


class AskMore(Message, tag="ask_more"):
    """The next rows of a preview."""

    id: int
    preview_id: str
    more: str


class Command(Message, tag="command"):
    """Do it. `command_id` is made by the client (32 hex digits): sent twice, it is applied once.

    `seen_seq` is the commit the operator was looking at: rows that moved since are skipped and named.
    """

    id: int
    command_id: str
    verb: str
    select: Selector = msgspec.field(default_factory=Selector)
    args: dict[str, Any] = {}
    seen_seq: int | None = None
    preview_id: str | None = None
    note: str | None = None


class AskQuiet(Message, tag="ask_quiet"):
    """Which running attempts have written nothing for a while?"""

    id: int


class Follow(Message, tag="follow"):
    """From now on send `committed` and `gauges`."""


ClientMessage: TypeAlias = Hello | AskPreview | AskMore | AskQuiet | Command | Follow


# --- from the engine ---------------------------------------------------------------------------------------------


class Welcome(Message, tag="welcome"):
    """Answer to `hello`. Another major of `schema`, or another `protocol`: the client has to be restarted."""

    protocol: int
    schema: int
    version: str
    pid: int
    home: str
    seq: int
    started_at: int
    actor: str
    role: str = "admin"
    """Of this person, in this home; `viewer` on a connection that is read-only."""


class Effect(msgspec.Struct, omit_defaults=True):
    """One row of a preview: what it is, the state it is in, and what the command would make of it."""

    kind: str
    """`task`, `run`, `dag` or `engine`."""
    dag_id: str
    state: str
    becomes: str
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = -1
    detail: str = ""
    kills: bool = False


class Code(msgspec.Struct, omit_defaults=True):
    """Which version of its DAG a run, or several runs alike, would go on with. Versions by their key and number."""

    dag_id: str
    before: int
    """Key of the version that the run has used last."""
    after: int
    """Key of the version that it goes on with."""
    before_number: int
    after_number: int
    current_number: int
    """Of the DAG's current version: another than `after` when the run is not over, for it keeps its own."""
    runs: int = 1
    broken: bool = False
    """The DAG's file cannot be loaded now: its current version is the last good one."""


class Preview(Message, tag="preview"):
    """What a command would touch, exactly. It expires after five minutes."""

    id: int
    preview_id: str
    seq: int
    verb: str
    sentence: str
    """One line in words: `3 task instances of trades_us 01:10, 1 process killed`."""
    total: int
    counts: dict[str, int] = {}
    """Rows by the state they are in now."""
    rows: list[Effect] = []
    more: str | None = None
    kills: int = 0
    reopens: int = 0
    warnings: list[str] = []
    code: list[Code] = []
    """For what runs again: with which code."""
    takes: int | None = None
    """How long what it starts will take, in microseconds, if that takes as long as it usually does."""


class Done(Message, tag="done"):
    """The command is committed. `result` holds what it made, for instance `run_id`."""

    id: int
    seq: int
    message: str
    changed: int = 0
    skipped: list[str] = []
    """Rows left alone because they moved since they were seen, each with who moved it."""
    result: dict[str, Any] = {}


class Refused(Message, tag="refused"):
    """Nothing was changed. `code`: `not_found`, `stale`, `state`, `invalid`, `degraded`, `role`, `protocol`."""

    id: int
    code: str
    message: str
    seq: int = 0


class Committed(Message, tag="committed"):
    """Everything up to event `seq` is in the store."""

    seq: int


class Gauges(Message, tag="gauges"):
    """Figures of this moment; never stored. Sent once a second to whoever follows: the engine's sign of life."""

    at: int
    slots_used: int
    slots: int
    queued: int
    """Task instances that could start but for a limit."""
    running: int
    retrying: int
    waiting: int
    loop_lag_ms: float
    cpu_percent: float
    rss_bytes: int
    attached: list[str]
    degraded: str | None = None
    draining: bool = False
    warning: str | None = None
    """What an operator should see to before it stops anything."""
    console_versions: list[str] = []
    memory: tuple[int, int, int] | None = None
    """Bytes that a new process could have, all that there are, and below how many nothing starts."""
    quiet: dict[str, tuple[int, float | None]] = {}
    """Running attempts that have written nothing for a while: since when, and per cent of a core meanwhile.

    Those that have been silent longest; at most `MOST_QUIET`.
    """
    host: HostFigures | None = None


class Quiet(Message, tag="quiet"):
    """Answer to `ask_quiet`, as in `Gauges`."""

    id: int
    quiet: dict[str, tuple[int, float | None]] = {}


ServerMessage: TypeAlias = Welcome | Preview | Done | Refused | Committed | Gauges | Quiet


_encoder = msgspec.json.Encoder()
_client: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)


def encode(message: Message) -> bytes:
    """One line, newline included. Raises ValueError when it would be over the limit."""
    line = _encoder.encode(message) + b"\n"
    if len(line) > MAX_LINE:
        raise ValueError(f"message of {len(line)} bytes is over the limit of {MAX_LINE}")
    return line


def decode_client(line: bytes) -> ClientMessage:
    """Reads a client's line. Raises msgspec.DecodeError (also for a wrong shape)."""
    return _client.decode(line)


def decode_server(line: bytes) -> ServerMessage:
    """Reads an engine's line. Raises msgspec.DecodeError (also for a wrong shape)."""
    return _server.decode(line)
