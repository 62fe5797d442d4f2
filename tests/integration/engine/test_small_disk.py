"""A small file system of its own, filled and freed while tasks run."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.control import protocol as p
from engine.control.client import CommandRefused
from tests.integration.engine.conftest import DAGS, MakeSite
from tests.support.engine import PATIENCE, Site, until

pytestmark = pytest.mark.processes


class Disk:
    """A file system of 24 MB in memory where one may be mounted, else a folder in which the kernel lets no file of the
    engine grow while the disk is said to be full.
    """

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dd-s"))
        command = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(self.root)]
        self.mounted = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
        self._ballast = self.root / "ballast"
        self._limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    def fill(self, engine: int) -> None:
        """Takes every byte there is."""
        if not self.mounted:
            self._limits = resource.prlimit(engine, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return
        with self._ballast.open("wb", buffering=0) as file:
            size = 1 << 20
            while size >= 4096:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 4

    def free(self, engine: int) -> None:
        """Gives it back."""
        if self.mounted:
            self._ballast.unlink()
        else:
            resource.prlimit(engine, resource.RLIMIT_FSIZE, self._limits)

    def close(self) -> None:
        """Takes the disk away."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.root)], check=True)
        shutil.rmtree(self.root)


@pytest.fixture
def small_disk() -> Iterator[Disk]:
    """The disk, gone after the test."""
    disk = Disk()
    yield disk
    disk.close()


async def test_a_full_disk_degrades_and_recovers_while_tasks_run(make_site: MakeSite, small_disk: Disk) -> None:
    """Filled to the last byte, the engine lives on, its tasks too, nothing new starts and everybody is told; freed, all
    goes on without a restart, and nothing that was acknowledged is lost.
    """
    template = await make_site({"plain.py": DAGS["plain.py"]})
    root = small_disk.root / "home"
    shutil.copytree(template.root, root)
    site = template.copy_at(root)
    site.configure("min_free_mb = 8")
    try:
        await fill_and_free(site, small_disk)
        assert set(site.rows("SELECT dag_id, state FROM run")) == {("hold", "success"), ("results", "success")}
    finally:
        site.clear()


async def fill_and_free(site: Site, disk: Disk) -> None:
    """The story itself."""
    old = site.home.attempts / "20200101" / "01DXFAG000AAAAAAAAAAAAAAAA"
    old.mkdir(parents=True)
    (old / "log").write_bytes(b"x" * 5000)
    await site.start()
    run_id = await site.trigger("hold")
    await until(lambda: len(site.bodies()) == 2, "both tasks run")
    assert site.engine is not None
    disk.fill(site.engine.pid)
    await told(site, degraded=True, at_once=disk.mounted)
    assert site.engine.code is None
    async with site.client() as client:
        await client.preview("prune", p.Selector())
    with contextlib.suppress(CommandRefused):  # it depends on what still fitted whether it can be written down
        await site.command("prune", p.Selector())
    await until(lambda: not old.exists(), "files are pruned also while nothing can be written down")
    asked = await acknowledged(site, "results")
    for early in asked:
        assert site.run_state(early) == "queued"
    assert not site.rows("SELECT a.id FROM attempt a JOIN task_instance t ON t.id = a.task_instance "
                         "WHERE t.dag_id = 'results'")  # fmt: skip
    disk.free(site.engine.pid)
    await told(site, degraded=False)
    waiting = await site.trigger("results")
    for early in asked:
        assert await site.over(early) == "success"
    (site.root / "release").touch()
    assert await site.over(run_id) == "success"
    assert await site.over(waiting) == "success"
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    assert await site.stop() == 0


async def acknowledged(site: Site, dag_id: str) -> list[str]:
    """The run that was asked for, if the full disk still had room for its rows; a refusal is an answer, too."""
    try:
        return [await site.trigger(dag_id)]
    except CommandRefused:
        return []


async def told(site: Site, *, degraded: bool, at_once: bool = False) -> None:
    """Returns once the engine says that it is degraded, or no longer is; `at_once`: with the first word it says."""
    async with asyncio.timeout(PATIENCE), site.client() as client:
        async for event in client.follow():
            if hasattr(event, "degraded"):
                if bool(event.degraded) == degraded:
                    return
                assert not at_once, "whoever asks is told of the disk as it is"
