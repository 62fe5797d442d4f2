"""What an attempt is doing right now, written into its own log: its processes, and the stacks of its Python threads."""

from __future__ import annotations

import os
import time

from engine.execution import directory as files
from engine.execution.process import proc
from engine.execution.process.stacks import SIGNAL
from engine.execution.sessions import Census, Member, signal_member
from engine.model.attempt_files import LOG

_LONGEST = 300
_MOST_PROCESSES = 200


def write(attempt_id: str, path: str) -> None:
    """Appends the attempt's process tree to its log, then has its Python processes append their stacks."""
    claim = files.read_claim(path)
    if claim is None:
        return
    members = Census().members(attempt_id, claim.pid, claim.started)
    with open(f"{path}/{LOG}", "ab", opener=_no_follow) as log:
        log.write(
            "".join(f"dagdeck: {line}\n" for line in tree(members, claim.pid)).encode("utf-8", "backslashreplace")
        )
    title = proc.command_line(claim.pid)
    for member in members:
        if proc.catches(member.pid, SIGNAL) and proc.command_line(member.pid) == title:
            signal_member(member, SIGNAL)


def tree(members: list[Member], leader: int = 0) -> list[str]:
    """The processes as lines, children below their parents; command lines are short and without control characters."""
    stats = {member.pid: proc.stat(member.pid) for member in members[:_MOST_PROCESSES]}
    children: dict[int, list[int]] = {}
    for pid, seen in stats.items():
        if seen is not None:
            children.setdefault(seen.parent if seen.parent in stats else 0, []).append(pid)
    at = time.strftime("%H:%M:%SZ", time.gmtime())
    lines = [f"stack at {at}: {len(members)} process{'' if len(members) == 1 else 'es'}"]
    waiting = [(pid, 1) for pid in sorted(children.get(0, ()), reverse=True)]
    while waiting:
        pid, depth = waiting.pop()
        lines.append("  " * depth + describe(pid, leads=pid == leader))
        waiting += [(child, depth + 1) for child in sorted(children.get(pid, ()), reverse=True)]
    if len(members) > _MOST_PROCESSES:
        lines.append(f"  … and {len(members) - _MOST_PROCESSES} more")
    return lines


def describe(pid: int, *, leads: bool = False) -> str:
    """One process: pid, state, what it sleeps in, the processor time it used, its command line.

    `leads`: it is the attempt's own, whose command line is of our making and says nothing.
    """
    seen = proc.stat(pid)
    state = "gone" if seen is None else seen.state
    seconds = proc.ticks_used(pid) / os.sysconf("SC_CLK_TCK")
    where = proc.wait_channel(pid)
    command = f"{proc.name(pid)} (the attempt's own process)" if leads else proc.command_line(pid).strip()
    command = "".join(letter if letter.isprintable() else "?" for letter in command)
    command = command if len(command) <= _LONGEST else command[: _LONGEST - 1] + "…"
    return f"{pid} {state}{f' in {where}' if where else ''}  cpu {seconds:.1f}s  {command or f'[{proc.name(pid)}]'}"


def _no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
