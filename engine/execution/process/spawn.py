"""Starting processes by exec, in one synchronous call each, so that nothing is ever inherited by accident."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from engine import failpoints
from engine.execution import directory as files
from engine.execution.process.bootstrap import ROOT
from engine.execution.process.channels import NEWS_FD, SECRETS_FD
from engine.execution.process.shim import LIMIT, LOCK_FD, SCRIPT
from engine.model.attempt_files import LOG

SHELL = "/bin/sh"
BOOTSTRAP = ROOT + "/engine/execution/process/bootstrap.py"
TAG = "DAGDECK_ATTEMPT_ID"
"""Variable by which every process of an attempt can be found, wherever it moved."""
BLANK_TAG = "0" * 26
BLANK_TITLE = "-" * 80
"""An argument that processes of ours overwrite with what they are."""
_HOSTS_OWN = {TAG: BLANK_TAG, "LD_BIND_NOW": "1"}
"""Libraries are bound when a host starts, not function by function in each of its children."""
_DEFAULTS = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGCHLD,
    signal.SIGTSTP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_INTERPRETER_VARIABLES = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


HOSTS = "DAGDECK_HOSTS"
"""Variable of the runner: JSON of the environment that hosts import DAG files in (`env`), of the folder of those files
(`dags`), and of the interpreter that will be needed first (`python`)."""


class Begun(Exception):
    """The attempt has been claimed before: it is not to be started again."""


class Locked(Exception):
    """Somebody holds the attempt's lock: it is being started, or its lock is just being probed."""


def base_environment() -> dict[str, str]:
    """What runner, hosts and cold starts are started with: little, and nothing of whoever started the engine."""
    kept = {name: os.environ[name] for name in _INTERPRETER_VARIABLES if name in os.environ}
    kept.update({name: value for name, value in os.environ.items() if name.startswith("DAGDECK_FAILPOINT")})
    return kept


def host_setting() -> tuple[dict[str, str], str, str]:
    """The environment in which a host imports, the folder of the DAG files, and the first interpreter.

    Without a folder hosts stay where they are; without an interpreter none is made ready.
    """
    setting = json.loads(os.environ.get(HOSTS, "{}"))
    return (
        {**base_environment(), **setting.get("env", {}), **_HOSTS_OWN},
        setting.get("dags", ""),
        setting.get("python", ""),
    )


def python(
    interpreter: str, arguments: Sequence[str], environment: dict[str, str], moves: list[tuple[int, int]]
) -> int:
    """Starts one of bootstrap's entries in a session of its own; `moves` are (descriptor, number there). The pid.

    Raises OSError when the interpreter cannot be started.
    """
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    ]
    actions += [(os.POSIX_SPAWN_DUP2, source, target) for source, target in moves]
    command = [interpreter, "-I", "-X", "utf8", BOOTSTRAP, *arguments]
    return os.posix_spawn(
        interpreter, command, environment, file_actions=actions, setsid=True, setsigdef=_DEFAULTS, setsigmask=()
    )


def cold(interpreter: str, root: str, attempt_id: str, pipe: int | None, guard: Guard | None = None) -> int:
    """Starts a Python attempt in an interpreter of its own. Returns its pid; raises OSError."""
    environment = {**base_environment(), TAG: attempt_id}
    there = -1 if pipe is None else NEWS_FD
    moves = [] if pipe is None else [(pipe, NEWS_FD)]
    arguments = ["cold", root, attempt_id, str(there)]
    if guard is not None:
        moves += [(guard.secrets, SECRETS_FD), (guard.output, 1), (guard.output, 2)]
        arguments.append("guarded")
    return python(interpreter, arguments, environment, moves)


class Guard:
    """For an attempt with secrets: the process through which all that it writes goes to its log, and what it is given.

    `open` starts it; the descriptors are given to the attempt's process, and closed here by `close`.
    """

    __slots__ = ("output", "pid", "secrets")

    def __init__(self, pid: int, output: int, secrets: int) -> None:
        self.pid = pid
        self.output = output
        self.secrets = secrets

    @classmethod
    def open(cls, root: str, attempt_id: str, given: dict[str, Any]) -> Guard:
        """Starts one. Secrets are handed on in memory alone. Raises OSError."""
        secrets = _high(os.memfd_create("dagdeck", os.MFD_CLOEXEC))
        theirs, ours = map(_high, os.pipe2(os.O_CLOEXEC))
        try:
            os.write(secrets, json.dumps(given).encode())
            arguments = ["redact", f"{files.path_of(root, attempt_id)}/{LOG}"]
            pid = python(sys.executable, arguments, base_environment(), [(theirs, 0), (secrets, SECRETS_FD)])
        except OSError:
            os.close(ours)
            os.close(secrets)
            raise
        finally:
            os.close(theirs)
        return cls(pid, ours, secrets)

    def close(self) -> None:
        """Lets go of the descriptors: once the attempt's processes have, too, the log is whole."""
        os.close(self.output)
        os.close(self.secrets)


def shell_variables(given: dict[str, Any] | None) -> dict[str, str]:
    """What a shell attempt finds of its connections in its environment."""
    if given is None:
        return {}
    from engine.authoring.connections import variables  # most runners never need it

    return variables(given["connections"])


def _high(fd: int) -> int:
    """The same file under a number that no child's descriptor is moved to."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64)
    os.close(fd)
    return moved


def shell(
    root: str,
    attempt_id: str,
    boot_id: str,
    pipe: int | None,
    guard: Guard | None = None,
    variables: Mapping[str, str] | None = None,
) -> int:
    """Locks a shell attempt's directory and starts its shim, which inherits the lock. Returns the shim's pid.

    Raises Begun or Locked when it is not ours to start, OSError when the system does not let it start.
    """
    path = files.path_of(root, attempt_id)
    directory = files.open_directory(path)
    try:
        if not files.try_lock(directory):
            raise Locked(attempt_id)
        if files.has_claim(path):
            raise Begun(attempt_id)
        spec = json.loads(files.read_spec(path))
        log = f"{path}/{LOG}"
        environment = {**spec["env"], **(variables or {}), TAG: attempt_id}
        argv = spec["argv"]
        if spec.get("memory_limit"):
            argv = [SHELL, "-c", LIMIT, str(spec["memory_limit"] // 1024), spec.get("cgroup") or "", *argv]
        command = ["sh", "-c", SCRIPT, path, boot_id, attempt_id, spec.get("cwd") or "/", *argv]
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, directory, LOCK_FD),
            (os.POSIX_SPAWN_OPEN, NEWS_FD, os.devnull, os.O_WRONLY, 0)
            if pipe is None
            else (os.POSIX_SPAWN_DUP2, pipe, NEWS_FD),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, _APPEND, 0o600) if guard is None else (os.POSIX_SPAWN_DUP2, guard.output, 1),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        failpoints.hit("runner.shell.locked")
        return os.posix_spawn(
            SHELL, command, environment, file_actions=actions, setsid=True, setsigdef=_DEFAULTS, setsigmask=()
        )
    finally:
        os.close(directory)
