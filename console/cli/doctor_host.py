"""The part of `dagdeck doctor` that looks at the machine, at running processes and at what they left behind."""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import resource
import time
from collections.abc import Iterator

from console.cli import systemd
from console.cli.errors import CliError
from console.cli.finding import Finding
from console.cli.link import engine_pid
from console.cli.reading import open_store
from console.cli.session import Session
from console.cli.spawning import package_root
from console.figures import bytes_

_TIME_ERROR = 5
_TIMEX_BYTES = 512
_RELEASED = 1_767_225_600
"""No clock that is right shows an earlier second: it is the beginning of 2026."""
_FILES_NEEDED = 1024
_MOST = 5


def file_system(session: Session) -> Iterator[Finding]:
    """A home on another machine's disk loses data."""
    from engine.upkeep.filesystem import is_network, kind_of

    kind = kind_of(session.home.root)
    if is_network(kind):
        yield Finding(
            "wrong",
            "file system",
            f"{session.home.root} is on {kind}, a network file system: locks do not hold there",
            "move the home to a local disk: `dagdeck backup` and `dagdeck restore`",
        )
    else:
        yield Finding("ok", "file system", kind or "unknown to this system")


def clock(session: Session) -> Iterator[Finding]:
    """Schedules follow the wall clock."""
    now = time.time()
    if now < _RELEASED:
        yield Finding("wrong", "clock", f"it shows {time.strftime('%F %T', time.gmtime(now))}", "set the clock")
        return
    if session.home.database.exists():
        with open_store(session.home) as store:
            last = store.one("evidence", "last_event")
        if last is not None and last[0] / 1e6 > now + 60:
            ahead = f"{last[0] / 1e6 - now:.0f} s"
            yield Finding(
                "wrong",
                "clock",
                f"the store's last event is {ahead} in the future: the clock was set back",
                "let the clock be synchronised; schedules repeat nothing, and go on when the time comes",
            )
            return
    state = _kernel_clock()
    if state == _TIME_ERROR:
        yield Finding(
            "note",
            "clock",
            "the kernel does not know its clock to be right",
            "run chrony or systemd-timesyncd; in a container or a guest the host may see to it",
        )
    else:
        yield Finding("ok", "clock", "synchronised" if state is not None else "the system does not say")


def _kernel_clock() -> int | None:
    """What the kernel says of its clock; None where it cannot be asked."""
    try:
        buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
        found = int(ctypes.CDLL(None).ntp_adjtime(buffer))
    except (OSError, AttributeError):
        return None
    return found if found >= 0 else None


def limits(session: Session) -> Iterator[Finding]:
    """Open files: of the engine that runs, as its service may have allowed it others than this terminal has."""
    pid = engine_pid(session.home)
    try:
        _, files = resource.prlimit(pid or 0, resource.RLIMIT_NOFILE)
    except (ProcessLookupError, PermissionError):
        return  # it has ended meanwhile, or is somebody else's, which the engine's own finding says
    enough = files == resource.RLIM_INFINITY or files >= _FILES_NEEDED
    yield Finding(
        "ok" if enough else "wrong",
        "open files",
        f"{'no limit' if files == resource.RLIM_INFINITY else files} allowed{' to the engine' if pid else ''}",
        "" if enough else f"raise `ulimit -Hn` (LimitNOFILE= of a unit) to {_FILES_NEEDED} or more",
    )


def service(session: Session) -> Iterator[Finding]:
    """Whether the engine is there after the machine's next start, and after this logout."""
    home = session.home
    owner = pwd.getpwuid(home.root.stat().st_uid).pw_name
    if not systemd.SYSTEMD.is_dir():
        yield Finding(
            "note", "service", "systemd does not run this machine", "`dagdeck service install` names other ways"
        )
        return
    unit = systemd.unit_of(home)
    installed = unit.path.exists()
    if not installed:
        yield Finding("note", "service", "the engine does not start with the machine", "`dagdeck service install`")
    if not unit.of_machine and not systemd.lingers(owner):
        yield Finding(
            "note",
            "lingering",
            f"{owner} does not linger: what runs may end with the last session",
            f"loginctl enable-linger {owner}",
        )
    if installed:
        yield _service_condition(unit, engine_pid(home))


def _service_condition(unit: systemd.Unit, pid: int | None) -> Finding:
    try:
        enabled = unit.ask("is-enabled", unit.name)[0] == 0
        condition = unit.condition()
    except CliError as error:
        return Finding("note", "service", str(error), "log in as the owner of the home and look again")
    if condition.active == "failed":
        said = f": {condition.said}" if condition.said else ""
        return Finding("wrong", "service", f"it {condition.words}{said}", f"see {unit.journal}; then {unit.again}")
    if not enabled:
        return Finding("note", "service", "it does not start with the machine", unit.line("enable"))
    if pid and condition.pid != pid:
        text = f"the engine (pid {pid}) was started by hand: nothing starts it again after a failure"
        return Finding("note", "service", text, f"`dagdeck engine stop`, then {unit.line('start')}")
    return Finding("ok", "service", f"starts with the machine; {condition.words or 'its state is not known'}")


def processes(session: Session) -> Iterator[Finding]:
    """Runners of other installations, processes of attempts that are over."""
    from engine.upkeep.leftovers import runners, strays

    home = session.home
    if not home.database.exists():
        return
    ours = str(package_root())
    for pid, place in runners(home).items():
        if place != ours:
            yield Finding(
                "note",
                "runner",
                f"process {pid} is of the installation in {place}: it ends with its last task",
                "nothing: an upgrade leaves it until then",
            )
    with open_store(home) as store:
        found = list(strays(home, store))
    for stray in found[:_MOST]:
        yield Finding(
            "note",
            "left over",
            f"process {stray.pids[0]} ({stray.command}) is of attempt {stray.attempt_id}, "
            + ("which is over" if stray.known else "which the store does not know: it is of a time after the backup"),
            f"kill {' '.join(map(str, stray.pids))}, unless "
            + ("the task meant to leave it behind" if stray.known else "its work is to be done: nobody waits for it"),
        )
    if not found:
        yield Finding("ok", "processes", "none is left of attempts that are over")
    if engine_pid(home) is None and runners(home):
        yield Finding("note", "processes", "tasks may run while no engine does", "`dagdeck engine start` picks them up")


def directories(session: Session) -> Iterator[Finding]:
    """Attempt directories that no row names, half-made copies of stores, kept damaged ones."""
    from engine.upkeep.leftovers import unknown_directories

    home = session.home
    if not home.database.exists():
        return
    with open_store(home) as store:
        unknown = unknown_directories(home, store, _MOST)
    if unknown and engine_pid(home) is None:
        yield Finding(
            "note",
            "directories",
            f"the store does not know {', '.join(path.name for path in unknown)}",
            "they are of a time after the backup that was restored; `dagdeck prune` removes them when they are old",
        )
    for path in sorted(home.root.glob(f"{home.database.name}.*")):
        if not path.name.endswith(("-wal", "-shm")):
            yield Finding("note", "directories", f"{path} was moved aside", "remove it when you no longer need it")
    half = list(home.backups.glob("*.partial")) if home.backups.is_dir() else []
    if half:
        yield Finding(
            "note",
            "directories",
            f"{half[0]} is half a backup",
            "the next `dagdeck backup` removes it, unless one is being made now",
        )


def readers(session: Session) -> Iterator[Finding]:
    """Processes that stay in an old state of the store, where its log has grown by that."""
    from engine.upkeep.readers import LARGE_BYTES, log_bytes, staying

    size = log_bytes(session.home.database)
    if size <= LARGE_BYTES:
        return
    text = f"the store's log has {bytes_(size)}"
    found = staying(session.home.database)
    if found:
        remedy = "let them go on, or end them: tasks are not touched"
        yield Finding("note", "readers", f"{text}: these stay in an old state of the store: {', '.join(found)}", remedy)
    else:
        yield Finding(
            "note", "readers", f"{text}; nobody stays in its way now", "it is emptied at the next calm moment"
        )


def socket(session: Session) -> Iterator[Finding]:
    """A socket that nobody serves, or that is somebody else's."""
    home = session.home
    try:
        found = home.socket.lstat()
    except OSError as error:
        if error.errno != errno.ENOENT:
            yield Finding("wrong", "socket", f"{home.socket}: {error.strerror}", "see who owns its folder")
        return
    if found.st_uid != (os.getuid() or home.root.stat().st_uid):
        yield Finding("wrong", "socket", f"{home.socket} is of uid {found.st_uid}", "remove it, and start the engine")


HOST_CHECKS = (file_system, clock, limits, service, processes, directories, readers, socket)
"""What is looked at beside installation, settings, engine and store."""
