"""Starting attempts without a runner: slower, and only until there is one again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from engine.execution import directory as files
from engine.execution.process import failure, spawn, waiter


class ColdStarts:
    """Attempts started by the engine itself. `over(id, begun)` is called when one's process has ended."""

    def __init__(self, root: str, boot_id: str, over: Callable[[str, bool], None]) -> None:
        self._root = root
        self._boot_id = boot_id
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._handles: dict[int, int] = {}

    def start(self, attempt_id: str, interpreter: str | None, given: dict[str, Any] | None = None) -> str | None:
        """Starts a shell attempt, or a Python one in the interpreter. Returns why that failed, None if it did not.

        `given` are its secrets.
        """
        guard: spawn.Guard | None = None
        try:
            if given is not None:
                guard = spawn.Guard.open(self._root, attempt_id, given)
                self._wait_for(guard.pid)
            if interpreter is None:
                pid = spawn.shell(self._root, attempt_id, self._boot_id, None, guard, spawn.shell_variables(given))
            else:
                pid = spawn.cold(interpreter, self._root, attempt_id, None, guard)
        except (spawn.Begun, spawn.Locked):
            return None
        except (OSError, ValueError, TypeError, KeyError) as problem:
            return failure.one_line(problem)
        finally:
            if guard is not None:
                guard.close()
        handle = os.pidfd_open(pid)
        self._handles[handle] = pid
        self._loop.add_reader(handle, self._ended, handle, attempt_id, interpreter is None)
        return None

    def _ended(self, handle: int, attempt_id: str, stands_over: bool) -> None:
        pid = self._forget(handle)
        try:
            _, wait_status, usage = os.wait4(pid, os.WNOHANG)
        except ChildProcessError:
            return
        path = files.path_of(self._root, attempt_id)
        how = waiter.settle(path, pid, wait_status, "engine", round(usage.ru_utime + usage.ru_stime, 6), stands_over)
        if how in ("ended", "unclaimed"):
            self._over(attempt_id, how == "ended")

    def _wait_for(self, pid: int) -> None:
        """Has a guard's end noticed, whenever that is."""
        handle = os.pidfd_open(pid)
        self._handles[handle] = pid

        def ended() -> None:
            self._forget(handle)
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass

        self._loop.add_reader(handle, ended)

    def _forget(self, handle: int) -> int:
        self._loop.remove_reader(handle)
        os.close(handle)
        return self._handles.pop(handle)

    def close(self) -> None:
        """Waits for none of them any more."""
        for handle in list(self._handles):
            self._forget(handle)
