"""One home at work for hours: steady load, consoles attached and stopped, kills, pruning; what grows is told.

`python -m benchmarks.steady --seconds 3900 [--seed N] [--kill-every 10] [--samples FILE]`: one engine serves a home
whose DAGs run without a pause. Five consoles are attached: one is typed at, one is stopped for every other minute, one
is stopped for good until the end; and a client follows and never reads. Tasks, hosts and runners are killed at random,
the engine itself twice in the first third; the last two thirds are one life of it, over which memory, descriptors, the
write-ahead log and the disk are judged. All the while the home is pruned, verified and listed.
Prints one JSON document. Exit code 1 if something grows, or if something was found wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

from benchmarks.homes import BenchHome, bench_home
from benchmarks.probe import Probe
from benchmarks.slopes import Growth, Sample, descriptors, growth, resident, size, taken, threads
from console.cli.link import EngineLink, engine_pid

DAGS = {
    "steady.py": '''
import os, time
from dagdeck import dag, shell, task

def note(word):
    journal = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(journal, (os.environ["DAGDECK_ATTEMPT_ID"] + " " + word + "\\\\n").encode())
    os.close(journal)

@task(retries=3, retry_delay="1s")
def extract():
    note("begin")
    for line in range(200):
        print("row", line, "of what is read, with some words to make a line of it")
    return {"rows": list(range(100))}

@task(retries=3, retry_delay="1s")
def count(data, part):
    note("begin")
    time.sleep(0.05)
    return len(data["rows"]) + part

@task(retries=1, retry_delay="1s")
def flaky(try_number):
    note("begin")
    if try_number == 1:
        raise ConnectionError("db-1:5432 refused")

@task(retries=3, retry_delay="1s")
def lengthy():
    note("begin")
    time.sleep(100)

@dag(max_active_runs=4)
def steps():
    data = extract()
    parts = [count.override(task_id=f"count{n}")(data, n) for n in range(3)]
    parts >> shell("load", 'seq 1 100', retries=3, retry_delay="1s")
    flaky()

@dag(schedule="* * * * *", start_date="2024-01-01", catchup=False)
def minutely():
    extract() >> shell("fails", 'echo "$DAGDECK_LOGICAL_DATE"; case $DAGDECK_LOGICAL_DATE in *[05]:00Z) exit 7;; esac')

@dag(max_active_runs=2)
def long():
    lengthy()
'''.replace("\\\\n", "\\n")
}  # fmt: skip
CONFIG = """
name = "soak"
slots = 8
min_free_mb = 0
[retention]
log_days = 0.004
run_days = 0.006
event_days = 0.004
[env]
JOURNAL = "{journal}"
"""
"""Six minutes of logs and nine of runs: what is kept has its full size long before the figures are judged."""
SAMPLE_SECONDS = 10.0
PRUNE_SECONDS = 60.0
VERIFY_SECONDS = 180.0
STOP_SECONDS = 60.0
TRIGGER_SECONDS = 1.5
JUDGED_SECONDS = 1800.0
"""What is looked at for less than this is told, and not judged: it is still warming up."""
VIEWS = ("enter", "enter", "esc", "esc", "t", "esc", "I", "esc", "j", "k", "g", "esc")


class Steady:
    """A home under load, and everything that is done to it."""

    def __init__(
        self, bench: BenchHome, journal: Path, seed: int, seconds: float, kill_every: float, log: IO[str]
    ) -> None:
        self.bench = bench
        self.home = bench.home
        self.journal = journal
        self.dice = random.Random(seed)
        self.seconds = seconds
        self.kill_every = kill_every
        self.log = log
        self.began = time.monotonic()
        self.life = 0
        self.samples: list[Sample] = []
        self.done: Counter[str] = Counter()
        self.problems: list[str] = []
        self.consoles: dict[str, Probe] = {}
        self.begun: Counter[str] = Counter()
        self._read_of_journal = 0
        self._due: dict[str, float] = {}
        self._children: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._silent: socket.socket | None = None
        self._view = 0

    # --- the whole ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Works until the time is up."""
        self.bench.start({"steps", "minutely", "long"})
        self._open_consoles()
        engine_kills = [self.seconds / 6, self.seconds / 3]
        try:
            while (at := time.monotonic() - self.began) < self.seconds:
                if engine_kills and at > engine_kills[0]:
                    engine_kills.pop(0)
                    self._next_life()
                self._turn()
                self._drain(0.1)
            self._resume()
        finally:
            for probe in self.consoles.values():
                os.kill(probe.pid, signal.SIGCONT)
                probe.__exit__(None, None, None)

    def _turn(self) -> None:
        for name, every, work in (
            ("trigger", TRIGGER_SECONDS, self._trigger),
            ("kill", self.kill_every, self._kill_one),
            ("type", 2.0, self._type),
            ("stop", STOP_SECONDS, self._stop_or_go_on),
            ("sample", SAMPLE_SECONDS, self._sample),
            ("list", 15.0, lambda: self._child("list", "runs", "list", "--json")),
            ("prune", PRUNE_SECONDS, lambda: self._child("prune", "prune", "--yes", "--json")),
            ("verify", VERIFY_SECONDS, lambda: self._child("verify", "verify", "--json")),
        ):
            if time.monotonic() >= self._due.get(name, 0.0):
                self._due[name] = time.monotonic() + every
                work()
        self._reap()

    def _next_life(self) -> None:
        self.bench.crash()
        self.done["engine killed"] += 1
        self.bench.start()
        self.life += 1

    # --- load -----------------------------------------------------------------------------------------------------

    def _trigger(self) -> None:
        for dag_id in ("steps", *(["long"] if self.done["triggered"] % 30 == 0 else [])):
            with EngineLink(self.home) as link:
                self.bench.trigger(dag_id, link)
            self.done["triggered"] += 1

    def _child(self, name: str, *words: str) -> None:
        """Starts a verb, unless the last of its kind is still at work."""
        if name not in self._children:
            command = [sys.executable, "-m", "dagdeck", "--home", str(self.home.root), *words]
            handle = os.memfd_create(name)
            self._children[name] = subprocess.Popen(command, stdout=handle, stderr=subprocess.STDOUT), handle

    def _reap(self) -> None:
        for name, (child, handle) in list(self._children.items()):
            if child.poll() is not None:
                self.done[name] += 1
                del self._children[name]
                with open(handle, "rb") as said:
                    said.seek(0)
                    if child.returncode != 0:
                        words = said.read().decode(errors="replace")[-2000:]
                        self.problems.append(f"{name} ended with {child.returncode}: {words}")

    # --- consoles -------------------------------------------------------------------------------------------------

    def _open_consoles(self) -> None:
        for name in ("typed", "watching", "second", "on and off", "stopped"):
            command = [sys.executable, "-m", "benchmarks.open_console", str(self.home.root)]
            self.consoles[name] = Probe(command, size=(160, 50) if name != "second" else (80, 24))
        for probe in self.consoles.values():
            probe.painted("steps")
        self.consoles["watching"].press("enter")
        os.kill(self.consoles["stopped"].pid, signal.SIGSTOP)
        self._follow_in_silence()

    def _follow_in_silence(self) -> None:
        """A client that follows and never reads: the engine has to let it go, not wait for it."""
        self._silent = socket.socket(socket.AF_UNIX)
        self._silent.connect(str(self.home.socket))
        for line in ({"type": "hello", "protocol": 1, "client": "console", "version": "0"}, {"type": "follow"}):
            self._silent.sendall(json.dumps(line).encode() + b"\n")

    def _drain(self, seconds: float) -> None:
        """Reads what the consoles write and throws it away."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for probe in self.consoles.values():
                probe.read(min(left, 0.02))
                probe.written.clear()

    def _type(self) -> None:
        self.consoles["typed"].press(VIEWS[self._view % len(VIEWS)])
        self._view += 1

    def _stop_or_go_on(self) -> None:
        self.done["console stopped or continued"] += 1
        stop = self.done["console stopped or continued"] % 2 == 0
        os.kill(self.consoles["on and off"].pid, signal.SIGSTOP if stop else signal.SIGCONT)

    def _resume(self) -> None:
        """A console that was stopped for hours shows what is so, once it is let go."""
        probe = self.consoles["stopped"]
        os.kill(probe.pid, signal.SIGCONT)
        probe.written.clear()
        until = time.monotonic() + 20
        while time.monotonic() < until and len(probe.written) < 200:
            probe.read(0.2)
        if len(probe.written) < 200:
            self.problems.append("the console that was stopped paints nothing when it is let go on")
        for name in self.consoles:
            if resident(self.consoles[name].pid) is None:
                self.problems.append(f"the console {name!r} has ended")

    # --- violence -------------------------------------------------------------------------------------------------

    def _kill_one(self) -> None:
        """One process of the home, but not its engine, nor one of ours."""
        spared = {engine_pid(self.home), *(probe.pid for probe in self.consoles.values())}
        spared |= {child.pid for child, _ in self._children.values()}
        found = [pid for pid in processes(self.home.root) if pid not in spared]
        if found:
            try:
                os.kill(self.dice.choice(found), signal.SIGKILL)
                self.done["process killed"] += 1
            except ProcessLookupError:
                pass

    # --- looking --------------------------------------------------------------------------------------------------

    def _sample(self) -> None:
        home, figures = self.home, dict[str, float | None]()
        engine = engine_pid(home)
        for name, pid in (("engine", engine or 0), *((f"console {n}", p.pid) for n, p in self.consoles.items())):
            figures[f"{name} MB"] = resident(pid)
            figures[f"{name} descriptors"] = descriptors(pid)
            figures[f"{name} threads"] = threads(pid)
        figures["wal MB"] = size(home.database.with_name(f"{home.database.name}-wal"))
        figures["store MB"] = size(home.database)
        figures["attempts MB"] = taken([home.attempts])
        figures["engine.log MB"] = size(home.log)
        figures["home MB"] = taken([home.root])
        figures["processes"] = float(len(processes(home.root)))
        known = {key: value for key, value in figures.items() if value is not None}
        self.samples.append(Sample(time.monotonic() - self.began, self.life, known))
        print(json.dumps({"at": round(self.samples[-1].at, 1), "life": self.life, **known}), file=self.log, flush=True)
        self._journal()

    def _journal(self) -> None:
        """Every attempt begins once, whoever was killed."""
        try:
            with self.journal.open("rb") as file:
                file.seek(self._read_of_journal)
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return
        self._read_of_journal += sum(len(line) + 1 for line in lines)
        for line in lines:
            name = line.split()[0].decode()
            self.begun[name] += 1
            if self.begun[name] == 2:
                self.problems.append(f"attempt {name} has begun twice")


def processes(root: Path) -> list[int]:
    """Processes of a home's attempts, hosts and runners."""
    mark, found = str(root).encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if mark in words and (b"bootstrap.py" in words or b"DAGDECK_ATTEMPT_ID=" in words):
            found.append(int(entry.name))
    return found


def judged(samples: list[Sample]) -> list[Growth]:
    """The figures over the last life of the engine, without its first fifth."""
    last = [sample for sample in samples if sample.life == samples[-1].life]
    settled = last[len(last) // 5 :]
    limits = {"wal MB": 8.0, "home MB": 4.0, "store MB": 4.0, "attempts MB": 4.0}
    long_enough = settled[-1].at - settled[0].at >= JUDGED_SECONDS
    found = []
    for name in sorted({name for sample in settled for name in sample.figures}):
        points = [(sample.at, sample.figures[name]) for sample in settled if name in sample.figures]
        limit = limits.get(name)
        if name.endswith("MB") and limit is None:
            limit = 4.0 if name.startswith("console") else 3.0
        elif name.endswith(("descriptors", "threads")):
            limit = 4.0
        if len(points) >= 3:
            found.append(growth(name, points, limit if long_enough else None))
    return found


def report(steady: Steady) -> dict[str, Any]:
    """Everything that was seen."""
    figures = judged(steady.samples) if steady.samples else []
    return {
        "seconds": round(time.monotonic() - steady.began),
        "engine_lives": steady.life + 1,
        "done": dict(steady.done),
        "attempts_begun": len(steady.begun),
        "problems": steady.problems,
        "figures": [figure.as_json() for figure in figures],
        "wal_most_mb": max((sample.figures["wal MB"] for sample in steady.samples), default=0.0),
    }


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1_000_000))
    parser.add_argument("--kill-every", type=float, default=10.0)
    parser.add_argument("--samples", type=Path, help="where every sample is written, one JSON object a line")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as outside,
        open(chosen.samples or os.devnull, "w", encoding="utf-8") as log,
        bench_home(DAGS) as bench,
    ):
        journal = Path(outside) / "journal"
        bench.home.config.write_text(CONFIG.format(journal=journal))
        steady = Steady(bench, journal, chosen.seed, chosen.seconds, chosen.kill_every, log)
        steady.run()
        bench.stop()
        verified = subprocess.run(
            [sys.executable, "-m", "dagdeck", "--home", str(bench.home.root), "verify", "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if verified.returncode != 0:
            steady.problems.append(f"verify at the end: {verified.stdout[-2000:]}{verified.stderr[-500:]}")
        told = report(steady)
    print(json.dumps({"seed": chosen.seed, **told}, indent=2))
    return 1 if told["problems"] or not all(figure["kept"] for figure in told["figures"]) else 0


if __name__ == "__main__":
    sys.exit(main())
