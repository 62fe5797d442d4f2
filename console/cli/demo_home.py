"""The demo's home: its settings, its past, and its end.

The past is made by an engine whose clock is set back, in two passes: a day ago, and a quarter of an hour ago. The DAGs
with short schedules arrive with the second pass, so that no day of missed runs has to be made up for.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.cli.errors import CliError
from console.cli.init import make_home
from console.cli.link import EngineLink, engine_pid, select
from console.cli.reading import Reader, open_store, reads_overview, reads_run
from console.cli.spawning import package_root, start_engine
from engine.clock import OFFSET_VARIABLE
from engine.home import Home
from engine.model.moments import SECOND, to_iso
from engine.model.states import TERMINAL_RUN

CONFIG = """\
# The home of `dagdeck demo`. It is removed when the console ends, unless you said --keep.
name = "demo"
slots = 8

[pools]
demo_db = 2
demo_source = { slots = 1, include_deferred = true }

[connections.demo_api]
uri = "https://api.example.org"
token = { file = "demo_secrets.toml", key = "demo.token" }
"""
SECRETS = '[demo]\ntoken = "not-a-real-token"\n'
MINUTE, HOUR, DAY = 60, 3600, 86_400
PASS_SECONDS = 60.0
BUSY = frozenset({"weather_replay.py", "flaky_api.py", "broken_export.py", "slow_steps.py", "fan_out.py"})
"""Files of DAGs with short schedules."""


@dataclass(frozen=True, slots=True)
class Order:
    """A run that the past is to hold. With `minute`, its logical date is that minute of the hour before the pass."""

    dag_id: str
    logical_date: str | None = None
    minute: int | None = None
    params: dict[str, Any] = field(default_factory=dict)


def _weather(first: int, last: int) -> list[Order]:
    return [Order("weather_daily", f"2012-01-{day:02}") for day in range(first, last + 1)]


YESTERDAY = [
    *_weather(1, 8),
    Order("dependencies"),
    Order("data_passing"),
    Order("shell_tools"),
    Order("trigger_rules"),
]
JUST_NOW = [
    *_weather(9, 14),
    Order("dependencies"),
    Order("data_passing"),
    Order("trigger_rules", params={"fail": True}),
    Order("broken_export", minute=15),
    *(Order("fan_out", minute=minute) for minute in (5, 10, 15)),
    *(Order("flaky_api", minute=minute) for minute in (0, 8)),
]

LIVE = [
    Order("circuit_breaker", params={"down": True}),
    Order("approval_demo"),
    Order("pools_demo", params={"seconds": 20}),
    Order("kept_slots"),
    Order("mapped_files"),
    Order("task_groups"),
    # Its calls find the breaker open that those of the first have opened.
    Order("circuit_breaker", params={"down": True}),
]
"""Runs that begin when the console opens."""
BACKFILL = {"start": "2012-02-01", "end": "2013-12-31", "max_active": 1}


def furnish(root: Path, tell: Callable[[str], None]) -> Home:
    """Makes the demo's home in an empty folder, gives it its past, and starts its live engine."""
    home = make_home(root, {}, CONFIG)
    secrets = home.root / "demo_secrets.toml"
    secrets.touch(mode=0o600)
    secrets.write_text(SECRETS, encoding="utf-8")
    copy_samples(home.dags, without=BUSY)
    tell("running the sample DAGs as of yesterday …")
    live_through(home, 25 * HOUR, YESTERDAY)
    copy_samples(home.dags, only=BUSY)
    tell("… and as of a quarter of an hour ago …")
    live_through(home, 15 * MINUTE, JUST_NOW, {path.removesuffix(".py") for path in BUSY})
    start_engine(home)
    enliven(home)
    return home


def samples_folder() -> Path:
    """Where the sample DAGs of this installation stand. Raises CliError when it has none."""
    folder = package_root() / "sample_dags"
    if not folder.is_dir():
        raise CliError(f"this installation has no sample DAGs: {folder} is missing")
    return folder


def copy_samples(target: Path, *, only: frozenset[str] | None = None, without: frozenset[str] = frozenset()) -> None:
    """Copies sample DAGs and their data into a home's `dags/`, private as everything in a home."""
    for source in sorted(samples_folder().rglob("*")):
        relative = source.relative_to(samples_folder())
        wanted = only is None or relative.parts[0] in only
        if not source.is_file() or "__pycache__" in relative.parts or relative.parts[0] in without or not wanted:
            continue
        place = target / relative
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(0o600)


def live_through(home: Home, seconds_ago: int, orders: list[Order], known: Set[str] = frozenset()) -> None:
    """Runs an engine whose clock is set back, has it run the orders, and ends it once nothing runs.

    Before that it is to have loaded the DAGs of `known` too: what their schedules missed since is then due at once.
    """
    start_engine(home, {OFFSET_VARIABLE: str(-seconds_ago)})
    with open_store(home) as store:
        _wait(lambda: _known(store) >= {order.dag_id for order in orders} | known, "the sample DAGs were not loaded")
        with EngineLink(home) as link:
            runs = [_trigger(link, order, seconds_ago) for order in orders]
            _wait(lambda: _over(store, runs), "the sample DAGs did not end")
            link.command("drain", select(), {}, None, "the past of the demo is over")
    _wait(lambda: engine_pid(home) is None, "the engine did not stop")


def enliven(home: Home) -> None:
    """Gives the live engine something of each kind to do: what opens a breaker, asks a person, waits for a pool, and
    goes on for a while: a backfill of the weather.
    """
    with open_store(home) as store:
        _wait(lambda: _known(store) >= {*(order.dag_id for order in LIVE), "weather_daily"}, "samples were not loaded")
    with EngineLink(home) as link:
        for order in LIVE:
            _trigger(link, order, 0)
        link.command("backfill_create", select(dags=("weather_daily",)), dict(BACKFILL), None, None)


def _trigger(link: EngineLink, order: Order, seconds_ago: int) -> str:
    args: dict[str, Any] = {"params": order.params}
    if order.logical_date is not None:
        args["logical_date"] = order.logical_date
    elif order.minute is not None:
        then = int(time.time()) - seconds_ago - HOUR
        args["logical_date"] = to_iso((then - then % HOUR + order.minute * MINUTE) * SECOND)
    done = link.command("trigger", select(dags=(order.dag_id,)), args, None, None)
    return str(done.result["run_id"])


def _known(store: Reader) -> set[str]:
    return {dag.dag_id for dag in reads_overview.dags(store)}


def _over(store: Reader, run_ids: list[str]) -> bool:
    """Whether these runs, the newest of the home, have ended."""
    ended = {run.run_id for run in reads_run.runs(store, count=500) if run.state in TERMINAL_RUN}
    return ended.issuperset(run_ids)


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PASS_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise CliError(f"{otherwise} within {PASS_SECONDS:.0f} s")
        time.sleep(0.05)


def nothing() -> None:
    """For a home that stays."""


def keep_watch(root: Path) -> Callable[[], None]:
    """Has a process of its own tear the home down when this one is gone, however it ended: also by SIGKILL.

    Returns what calls that off. Call before anything starts a thread: it forks.
    """
    heard, told = os.pipe()
    if os.fork() == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                os.close(told)
                null = os.open(os.devnull, os.O_RDWR)
                for descriptor in (0, 1, 2):
                    os.dup2(null, descriptor)
                if not os.read(heard, 1):
                    tear_down(root)
        finally:
            os._exit(0)
    os.close(heard)
    os.wait()

    def call_off() -> None:
        os.write(told, b".")
        os.close(told)

    return call_off


def tear_down(root: Path) -> None:
    """Stops the home's engine with everything that it runs, and removes the home."""
    home = Home(root)
    pid = engine_pid(home) if home.lock.exists() else None
    if pid:
        try:
            with EngineLink(home) as link:
                link.command("stop", select(), {"kill": True}, None, "the demo is over")
        except Exception:
            # Whatever state it is in, an engine of a home that is about to vanish must not stay.
            os.kill(pid, signal.SIGTERM)
        _wait(lambda: engine_pid(home) is None, "the demo's engine did not stop")
    shutil.rmtree(root, ignore_errors=True)
