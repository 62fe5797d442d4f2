"""What the kernel says of processes: start times, the boot, sessions. Linux's /proc; elsewhere answers are unknown."""

from __future__ import annotations

import os
import time

NO_BOOT_ID = "unknown"
_BOOT_TIME: int = getattr(time, "CLOCK_BOOTTIME", 0)
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def boot_id() -> str:
    """Identity of the present boot; `unknown` where the kernel gives none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as source:
            return source.read().strip()
    except OSError:
        return NO_BOOT_ID


class Stat:
    """The fields of a process that identify it and its place."""

    __slots__ = ("group", "parent", "session", "started", "state")

    def __init__(self, state: str, parent: int, group: int, session: int, started: int) -> None:
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.started = started
        """Clock ticks since boot: with the pid, the identity of a process during one boot."""

    @property
    def dead(self) -> bool:
        """Ended, at most waiting to be waited for."""
        return self.state in "ZX"


def stat(pid: int | str) -> Stat | None:
    """The process's fields; None when there is no such process (or no /proc)."""
    try:
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(handle, 4096)
    except OSError:
        return None
    finally:
        os.close(handle)
    fields = data[data.rfind(b")") + 2 :].split(None, 20)
    return Stat(fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def boot_time() -> int:
    """Nanoseconds since boot; 0 where there is no such clock."""
    return time.clock_gettime_ns(_BOOT_TIME) if _BOOT_TIME else 0


def own_start(not_before: int = 0) -> int:
    """This process's own start time in ticks; 0 where unknown.

    `not_before` is what `boot_time` gave before this process was made: where that lies in the present tick, so does the
    start, and the kernel need not be asked.
    """
    if not_before:
        tick = not_before // _TICK_NS
        if time.clock_gettime_ns(_BOOT_TIME) // _TICK_NS == tick:
            return tick
    try:
        handle = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    data = os.read(handle, 448)
    os.close(handle)
    return int(data[data.rfind(b")") :].split(None, 21)[20])


def is_alive(pid: int, started: int) -> bool:
    """True if the process that had this pid and start time still runs (a zombie does not)."""
    found = stat(pid)
    return found is not None and found.started == started and not found.dead


def processes() -> list[int]:
    """All pids of the moment."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def has_session(session: int) -> bool:
    """True if a process of this session is alive."""
    for pid in processes():
        found = stat(pid)
        if found is not None and found.session == session and not found.dead:
            return True
    return False


def exists(pid: int) -> bool:
    """True if there is a process of this number, whosoever it is. One system call."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def environment(pid: int) -> bytes:
    """The environment that the kernel shows of a process; empty when it may not be seen."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as source:
            return source.read()
    except OSError:
        return b""


def is_present(pid: int, started: int) -> bool:
    """True if the process that had this pid and start time runs, or has not been waited for."""
    found = stat(pid)
    return found is not None and found.started == started


def name(pid: int) -> str:
    """The short name of a process's program; empty when it is gone."""
    return _line(f"/proc/{pid}/comm")


def wait_channel(pid: int) -> str:
    """The kernel's function that a process sleeps in; empty where that is not told."""
    found = _line(f"/proc/{pid}/wchan")
    return "" if found == "0" else found


def owner(pid: int) -> int | None:
    """The user id that a process runs under; None when it is gone."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return "".join(letter for letter in source.read(200) if letter.isprintable())
    except OSError:
        return ""


def ticks_used(pid: int) -> int:
    """Clock ticks of processor time that a process, and the children that it has waited for, have used."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as source:
            fields = source.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])


def children(pid: int) -> list[int]:
    """The children of a process's first thread, where the kernel tells; none when it is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as source:
            return [int(number) for number in source.read().split()]
    except OSError:
        return []


def command_line(pid: int) -> str:
    """The command line of a process, arguments joined by blanks; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as source:
            return source.read(4096).replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def catches(pid: int, number: int) -> bool:
    """True if the process handles a signal itself."""
    try:
        with open(f"/proc/{pid}/status") as source:
            for line in source:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    except OSError:
        pass
    return False
