"""The text of a systemd unit for an engine, each line of it with its reason. Pure."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_SAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def unit_name(root: Path) -> str:
    """The unit of a home: its name for people, and what tells two homes of one name apart."""
    mark = hashlib.sha256(bytes(root)).hexdigest()[:6]
    return f"dagdeck-{_SAFE.sub('-', root.name)[:60]}-{mark}.service"


def quoted(text: str) -> str:
    """One word of a command line as systemd reads it. Raises ValueError for what no unit can hold."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"{text!r} holds control characters: a unit file cannot name it")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _of_machine(root: Path) -> str:
    """What a unit of the machine has to wait for: the network, and the disk with the home."""
    place = quoted(str(root)).replace("$$", "$")
    return f"After=network-online.target\nWants=network-online.target\nRequiresMountsFor={place}\n"


def unit_text(root: Path, python: str, user: str | None) -> str:
    """The unit. `user` is the account of a system unit; None for a unit of one's own. Raises ValueError."""
    command = " ".join(map(quoted, (python, "-m", "dagdeck", "--home", str(root), "engine", "run")))
    own = user is None
    return f"""\
# The dagdeck engine of {str(root)!r}. Written by `dagdeck service install`; `dagdeck service uninstall` removes it.
[Unit]
Description=dagdeck engine of {str(root).replace("%", "%%")}
{"" if own else _of_machine(root)}\
# Ten failures within five minutes, and it stays down until somebody looks.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
# The engine says when it is ready, or why it refuses: that is what `systemctl start` waits for.
Type=notify
# A large store that is upgraded at a start takes its time.
TimeoutStartSec=infinity
{"" if user is None else f"User={user}{chr(10)}"}\
ExecStart={command}
# Only the engine is told to stop: its tasks run on, and the next engine picks them up.
KillMode=process
TimeoutStopSec=30
Restart=on-failure
RestartSec=5
# It refused to start (damaged store, wrong settings, an engine is there already): trying again would not help.
RestartPreventExitStatus=2 3 5
# A task that is killed for its memory takes neither the engine nor other tasks with it.
OOMPolicy=continue
UMask=0077
# Two open files for each running task, and some: raise it with `slots`.
LimitNOFILE=65536
# Tasks may make as many processes as the account may. A number here is a limit for all tasks together.
TasksMax=infinity
# MemoryHigh=80% would slow all tasks together before the machine runs out of memory.

[Install]
WantedBy={"default.target" if own else "multi-user.target"}
"""
