"""The composition root: puts the rooms together, starts them in order, and takes them down again."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from engine import connections
from engine.archive import ReadLane, StoreArchive
from engine.clock import Clock, clock_from_environment
from engine.collector import calm
from engine.config import Settings, task_environment
from engine.control.commands import Commands
from engine.control.roles import Roles
from engine.control.server import KEEP_SECONDS, Server
from engine.daemon import READY
from engine.dagfiles.parse import Parser
from engine.dagfiles.scan import DagFiles
from engine.execution.local import LocalExecutor
from engine.execution.logs import LogLimits
from engine.execution.process.proc import boot_id
from engine.home import Home, HomeError, check_owner
from engine.housekeeping import Housekeeping
from engine.instruments import Instruments
from engine.lock import HomeLock, take_lock
from engine.mending import Mender
from engine.model.typed import quoted
from engine.observe.log import open_log
from engine.scheduler import due, loading
from engine.scheduler.breakers import Inbox
from engine.scheduler.core import Scheduler
from engine.scheduler.dags import post_updates
from engine.scheduler.dispatch import Dispatcher, Places
from engine.scheduler.pools import Pools
from engine.scheduler.turn import Turn
from engine.store.errors import CommitFailed, StoreError, StoreMissing, absence, making_sense
from engine.store.migrations import open_store
from engine.store.seal import seal
from engine.store.vigil import RESCUED
from engine.store.writer import Writer
from engine.upkeep.backup import backups_in
from engine.upkeep.filesystem import is_network, kind_of
from engine.upkeep.lasting import lasting
from engine.upkeep.memory import MemoryWatch
from engine.upkeep.night import Night
from engine.upkeep.outside import Outside
from engine.upkeep.readers import LogWatch
from engine.upkeep.watch import DiskWatch

_SWITCH_SECONDS = 0.001
"""How long the loop may keep the writer's thread waiting for the interpreter: the default doubles a commit's time."""
_FLUSH_SECONDS = 4.0
_KILL_POLL_SECONDS = 0.05
_DRAIN_POLL_SECONDS = 0.2
_IDLE_POLL_SECONDS = 2.0
_BREAKER_POLL_SECONDS = 0.25
_KILL_POLLS = 1200


def serve(home: Home, settings: Settings, ready: Callable[[str], None], *, foreground: bool) -> int:
    """Runs the engine of a home until it is told to stop; returns its exit code.

    Calls `ready` once everything stands. In the foreground its log goes to standard error too. Raises AlreadyRunning,
    HomeError or StoreError when it cannot start.
    """
    _vet(home)
    sys.setswitchinterval(_SWITCH_SECONDS)
    lock = take_lock(home.lock)
    try:
        for folder in (home.dags, home.versions, home.attempts):
            folder.mkdir(mode=0o700, exist_ok=True)
        _miss_nothing(home)
        open_store(home.database, boot_id())
        return asyncio.run(
            Engine(home, lock, settings, clock_from_environment(), open_log(home.log, aloud=foreground)).run(ready)
        )
    finally:
        lock.close()


def _vet(home: Home) -> None:
    """One user owns a home, and nobody else may look into it."""
    check_owner(home.root)
    if home.root.stat().st_mode & 0o077:
        raise HomeError(f"{home.root} is open to other users: chmod 700 {quoted(home.root)}")
    if is_network(kind := kind_of(home.root)):
        raise HomeError(
            f"{home.root} is on {kind}, a network file system, where locks do not hold: a home needs a local disk"
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


def _miss_nothing(home: Home) -> None:
    """A home whose attempts have left files had a store: a new one in its place would forget them all."""
    if home.store_is_lost:
        saved = [*home.backups.glob(RESCUED), *(backup.path for backup in backups_in(home.backups))]
        newest = max(saved, key=lambda path: path.stat().st_mtime, default="BACKUP")
        raise StoreMissing(
            f"{home.database} {absence(home.database)}, but {home.attempts} holds attempts: put a backup in its "
            f"place with `dagdeck restore {quoted(newest)} --replace`, or move {home.attempts.name}/ away to begin "
            "with an empty history"
        )


class Engine:
    """One life of an engine."""

    def __init__(self, home: Home, lock: HomeLock, settings: Settings, clock: Clock, log: FilteringBoundLogger) -> None:
        self._home, self._lock = home, lock
        self._settings = settings
        self._clock = clock
        self._log = log
        self._pools = Pools.of(settings.pools, settings.pools_including_deferred)
        self._stop = asyncio.Event()
        self._kill_first = False
        self._retell = False
        self._boot_id = boot_id()

    async def run(self, ready: Callable[[str], None]) -> int:
        """Start, work, stop. Returns 0 after an orderly stop."""
        self._watch_signals()
        self._build()
        await self._writer.open()
        await self._executor.open(self._scheduler.deliver)
        try:
            self._disk.look()
            await self._load(first=True)
            await self._server.open()
            ready(f"{READY} pid {os.getpid()} home {self._home.root}")
            calm()
            async with asyncio.TaskGroup() as tasks:
                working = [
                    tasks.create_task(self._watch_files()),
                    tasks.create_task(self._mender.mend()),
                    tasks.create_task(self._mender.watch()),
                    tasks.create_task(self._server.keep()),
                    tasks.create_task(lasting("found", self._keep_found, self._log)),
                    tasks.create_task(self._housekeeping.run()),
                    tasks.create_task(lasting("night", self._night.run, self._log)),
                    *map(tasks.create_task, self._outside.work()),
                    tasks.create_task(self._drained()),
                    tasks.create_task(lasting("breakers", self._hear_of_breakers, self._log)),
                    tasks.create_task(self._instruments.beat(lambda: self._server.following)),
                ]
                await self._stop.wait()
                for task in working:
                    task.cancel()
        finally:
            await self._take_down()
        return 0

    def _build(self) -> None:
        places = Places(self._home, self._settings.python or sys.executable)
        environment = task_environment(self._home, self._settings)
        self._executor = LocalExecutor(
            self._home.attempts,
            self._clock,
            self._home.log,
            environment=environment,
            dags=self._home.dags,
            python=places.python,
            log_limits=LogLimits.of(self._settings.log_limit),
            resolve=lambda wanted: connections.resolve(self._home.root, wanted, os.environ),
        )
        self._writer = Writer(
            self._home.database,
            clock=self._clock.now,
            on_commit=lambda seq: self._server.committed(seq),
            on_failure=lambda error: self._mender.commit_failed(error),
        )
        self._lane = ReadLane(self._home.database)
        self._scheduler = Scheduler(
            clock=self._clock,
            writer=self._writer,
            executor=self._executor,
            places=places,
            dispatcher=Dispatcher(places, self._settings),
            log=self._log,
            on_broken=lambda _reason: self._mender.broken(),
            on_stop=self._request_stop,
        )
        self._mender = Mender(self._writer, self._scheduler, self._load_again, self._log)
        self._scheduler.configured_pools = self._pools
        self._scheduler.production = self._settings.production
        self._scheduler.environments = self._settings.environments
        due.install(self._scheduler)
        archive = StoreArchive(self._lane, self._scheduler)
        self._disk = DiskWatch(self._home, self._settings.min_free, self._scheduler, self._clock, self._log)
        self._memory = MemoryWatch(self._settings.min_free_memory, self._scheduler, self._log)
        self._log_watch = LogWatch(self._writer.figures, self._log)
        looks = self._disk.look, self._memory.look, self._log_watch.look
        self._housekeeping = Housekeeping(self._scheduler, self._boot_id, *looks)
        care = self._settings.retention, self._settings.timezone
        self._night = Night(self._home, *care, self._scheduler, self._lane, self._clock, self._log, self._disk.pruned)
        self._scheduler.request_prune = self._night.ask
        self._outside = Outside(self._home, self._settings, self._scheduler, self._lane, self._clock, self._log)
        watches = self._disk, self._memory, self._log_watch, self._outside
        self._instruments = Instruments(self._home, self._scheduler, self._executor, self._clock, *watches)
        self._socket = self._home.place_socket()
        self._server = Server(
            self._socket,
            Commands(self._scheduler, archive),
            Roles.read(self._settings.roles),
            home=str(self._home.root),
            started_at=self._clock.now(),
            committed=lambda: self._writer.committed_seq,
            gauges=self._instruments.gauges,
            quiet=self._instruments.quiet,
            log=self._log,
        )
        self._parser = Parser(environment, self._settings.timezone)

    # --- loading and mending --------------------------------------------------------------------------------------

    async def _load(self, *, first: bool) -> None:
        """Memory from the store, then the first turn: adopt, book, launch, plan. Raises StoreError, CommitFailed."""
        try:
            with making_sense(self._home.database):
                await self._resume(first)
        except StoreError as error:
            self._scheduler.degrade(str(error))
            raise

    async def _resume(self, first: bool) -> None:
        loaded = await self._lane(loading.read)
        reported = await self._lane(lambda reader: reader.one("home", "open_report"))
        loading.build(self._scheduler, loaded, self._settings.slots, self._pools, self._settings.max_mapped)

        def resume(turn: Turn) -> None:
            report = loading.resume(self._scheduler, turn, loaded, self._executor, self._boot_id)
            if first:
                self._housekeeping.begin(turn, loaded, report, reported is not None)
            turn.note("engine", after="ready" if first else "mended")

        self._scheduler.degraded = None
        await self._scheduler.commit(resume)

    async def _load_again(self) -> None:
        await self._load(first=False)
        self._retell = True

    # --- work -----------------------------------------------------------------------------------------------------

    async def _watch_files(self) -> None:
        files = DagFiles(
            self._home.dags,
            self._home.versions,
            self._parser,
            python_of=lambda _file: self._scheduler.places.python,
            pools=lambda: self._scheduler.ledger.pools,
            environments=self._settings.environments,
            owners={
                entry.dag_id: entry.file for entry in self._scheduler.state.dags.values() if entry.state != "inactive"
            },
        )
        try:
            while True:
                if self._retell:
                    self._retell = False
                    known = self._scheduler.state.dags.values()
                    files.retell(entry.file for entry in known if entry.state != "inactive")
                updates = await files.scan()
                if updates:
                    post_updates(self._scheduler, updates)
                await asyncio.sleep(files.poll_after())
        finally:
            await files.close()

    async def _hear_of_breakers(self) -> None:
        """Takes in what the code of tasks says of circuit breakers."""
        breakers = self._scheduler.breakers
        inbox = Inbox(breakers.folder, self._scheduler.post, breakers)
        while True:
            if self._scheduler.degraded is None:
                inbox.look()
            await asyncio.sleep(_BREAKER_POLL_SECONDS)

    async def _drained(self) -> None:
        """Stops the engine once it was told to drain and nothing runs."""
        while True:
            await asyncio.sleep(_DRAIN_POLL_SECONDS if self._scheduler.draining else _IDLE_POLL_SECONDS)
            if self._scheduler.draining and self._scheduler.runs_nothing and not self._scheduler.state.callbacks:
                self._request_stop(False)

    async def _keep_found(self) -> None:
        """Has the engine found by whoever looks for it, whatever somebody has removed."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self._lock.keep():
                self._log.warning("lock_again", path=str(self._home.lock))
            if self._home.record_socket(self._socket):
                self._log.warning("socket_recorded_again", path=str(self._socket))

    # --- stopping -------------------------------------------------------------------------------------------------

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._request_stop, False)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _request_stop(self, kill: bool) -> None:
        self._kill_first = kill
        self._stop.set()

    async def _take_down(self) -> None:
        """Within five seconds: commit what is under way, say goodbye in the store, let go. Attempts run on."""
        if self._kill_first:
            await self._kill_everything()
        self._scheduler.stopping = True
        if self._scheduler.degraded is None:
            await self._flush()
        self._scheduler.close()
        await self._disk.close()
        await self._server.close()
        await self._executor.close()
        self._parser.close()
        await self._writer.close()
        self._lane.close()
        if self._scheduler.degraded is None:
            seal(self._home.database)
        self._log.info("stopped")

    async def _kill_everything(self) -> None:
        self._scheduler.limit(draining=True)
        self._scheduler.kill_all()
        for _ in range(_KILL_POLLS):
            if self._scheduler.runs_nothing:
                return
            await asyncio.sleep(_KILL_POLL_SECONDS)
        self._log.warning("stopped_before_all_were_dead", attempts=self._scheduler.ledger.used)

    async def _flush(self) -> None:
        reason = "kill" if self._kill_first else "stop"
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._scheduler.commit(lambda turn: self._housekeeping.end(turn, reason))
        except (TimeoutError, CommitFailed) as error:
            self._log.warning("stopped_without_a_goodbye", error=str(error))
