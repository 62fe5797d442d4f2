"""`Breaker("db-1")`: as an argument of a task, or around a part of its code.

A task that has one is not started while it is open. In code, `with Breaker("db-1"):` reads how it stands from a file
that the engine keeps, and leaves word of how the part ended, so that it is one breaker for all tasks of all DAGs.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from engine.authoring.checks import shown
from engine.authoring.durations import seconds_of
from engine.authoring.exceptions import PermanentError, RetryAfter, SkipTask
from engine.model.breaker import BreakerSpec, OnOpen
from engine.model.ids import check_id

FOLDER, REPORTS = "breakers", "reports"
_SOON = 1.0


def _unless_permanent(problem: BaseException) -> bool:
    return not isinstance(problem, PermanentError | SkipTask)


counts: Callable[[BaseException], bool] = _unless_permanent
"""Whether a failure says something of the system that was called; put in place by the process that runs attempts."""


def _as_it_is(text: str) -> str:
    return text


clean: Callable[[str], str] = _as_it_is
"""What is reported of errors goes through here; put in place by a process that was given secrets."""


class BreakerOpen(RetryAfter):
    """The breaker around a part of a task is open: the attempt is tried again when it may pass, and uses no retry."""


class BreakerRefuses(PermanentError):
    """The breaker is open and the task says `on_open="fail"`."""


class Breaker:
    """A circuit breaker by name, shared by all that use the name.

    After `failures` failures in a row it opens for `cooldown` after the last one, doubled after each failed probe up to
    `max_cooldown`. While it is open a task waits, fails or is skipped, as `on_open` says. Then `probe="one"` lets one
    through, `"all"` everybody. Raises ValueError for what cannot be.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        cooldown: timedelta | str = "5m",
        max_cooldown: timedelta | str = "1h",
        on_open: str = "wait",
        probe: str = "one",
    ) -> None:
        check_id("breaker", name)
        if isinstance(failures, bool) or not isinstance(failures, int) or failures < 1:
            raise ValueError(f"Breaker {name!r}: failures={shown(failures)}: use a whole number of at least 1")
        if on_open not in ("wait", "fail", "skip") or probe not in ("one", "all"):
            raise ValueError(f'Breaker {name!r}: on_open is "wait", "fail" or "skip", probe is "one" or "all"')
        first, longest = seconds_of(cooldown), seconds_of(max_cooldown)
        if not 0 < first <= longest:
            raise ValueError(f"Breaker {name!r}: cooldown must be more than 0 and at most max_cooldown")
        self.spec = BreakerSpec(
            name, failures, first, longest, cast(OnOpen, on_open), "all" if probe == "all" else "one"
        )
        self._probing = False
        self._known = False

    def __enter__(self) -> Breaker:
        """Passes, or raises what `on_open` says."""
        folder = _folder()
        self._probing, self._known = False, False
        if folder is None:
            return self
        stands = _read(f"{folder}/{self.spec.name}.json")
        self._known = stands is not None
        if stands is None or stands["state"] == "closed":
            return self
        now = time.time()
        until = stands["until"]
        if stands["state"] == "open" and (until is None or until > now):
            self._refuse(_SOON * 60 if until is None else until - now)
        if self.spec.probe == "one" and not _take_probe(folder, self.spec.name, stands["opened_at"]):
            self._refuse(_SOON)
        self._probing = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves word of how it went."""
        folder = _folder()
        if folder is None:
            return
        if problem is None:
            if self._known:
                self._report(folder, None)
        elif counts(problem):
            self._report(folder, clean(f"{type(problem).__name__}: {problem}")[:300])
        elif self._probing:
            self._report(folder, "")

    def _refuse(self, seconds: float) -> None:
        text = f"breaker {self.spec.name} is open"
        if self.spec.on_open == "skip":
            raise SkipTask(text)
        if self.spec.on_open == "fail":
            raise BreakerRefuses(text)
        raise BreakerOpen(max(seconds, 0.1), text)

    def _report(self, folder: str, error: str | None) -> None:
        """One file for each word, complete as soon as it can be seen; empty text says that a probe said nothing."""
        spec = self.spec
        word: dict[str, Any] = {
            "name": spec.name, "error": error, "failures": spec.failures, "cooldown": spec.cooldown,
            "max_cooldown": spec.max_cooldown, "dag_id": os.environ.get("DAGDECK_DAG_ID"), "v": 1,
        }  # fmt: skip
        reports = Path(folder, REPORTS)
        reports.mkdir(0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{os.getpid()}"
        spare = reports / f".{name}"
        spare.write_text(json.dumps(word), encoding="utf-8")
        spare.rename(reports / f"{name}.json")

    def __repr__(self) -> str:
        return f"<breaker {self.spec.name}>"


def _folder() -> str | None:
    """Where the engine keeps breakers; None where no engine runs this."""
    home = os.environ.get("DAGDECK_HOME")
    return f"{home}/{FOLDER}" if home and "DAGDECK_ATTEMPT_ID" in os.environ else None


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
            return found
    except (OSError, ValueError):
        return None


def _take_probe(folder: str, name: str, opened_at: object) -> bool:
    """Only one makes the file of this opening."""
    try:
        os.close(os.open(f"{folder}/.{name}.{opened_at}.probe", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True
