"""What every attempt does, done a few times in the idle host, to no effect.

A function that has run often enough is not rewritten by the interpreter any more, so a forked child that calls it
changes fewer pages of the memory it shares with its host: about a fifth fewer.
"""

from __future__ import annotations

import os
from typing import Any

from engine import failpoints
from engine.authoring.dag import DAG
from engine.authoring.decorators import task
from engine.authoring.running import call_task, followed, prepare
from engine.execution import directory as files
from engine.execution.process import child, failure, news
from engine.execution.process.marks import Marks
from engine.execution.process.spawn import BLANK_TAG
from engine.model.attempt_files import CLAIM, SPEC, STATUS, AttemptSpec, Context

_TIMES = 12
_MOMENT = "2026-01-01T00:00:00Z"


def plain() -> None:
    """Needs nothing."""
    return


def in_context(logical_date: Any, params: Any) -> None:
    """Needs its place in time."""
    return


def rehearse(root: str, boot_id: str, marks: Marks) -> None:
    """Goes the way of an attempt, in a folder of its own below `root`. What prevents it is only said."""
    with DAG("rehearsal", schedule=None) as dag:
        task(plain)()
        task(in_context)()
    prepare(dag)
    scratch = f"{root}/.rehearsal-{os.getpid()}"
    environment, folder = dict(os.environ), os.getcwd()
    silent = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    points = failpoints.mute()
    try:
        for number in range(_TIMES):
            spec = _spec_of("plain" if number % 2 else "in_context", environment, folder)
            files.create(scratch, spec)
            _attempt(dag, scratch, silent, boot_id, marks)
            for name in (SPEC, CLAIM, STATUS):
                os.unlink(f"{scratch}/{name}")
            os.rmdir(scratch)
    except Exception as problem:
        failure.say(f"rehearsal: {failure.one_line(problem)}")
    finally:
        failpoints.unmute(points)
        child.enter(environment, folder)
        os.close(silent)


def _spec_of(task_id: str, environment: dict[str, str], folder: str) -> bytes:
    context = Context(_MOMENT, _MOMENT, _MOMENT, _MOMENT, "UTC", "manual")
    env = {**environment, **{f"DAGDECK_{number}": _MOMENT for number in range(12)}}
    spec = AttemptSpec(BLANK_TAG, "rehearsal", "r", task_id, -1, 1, "python", context, cwd=folder, env=env)
    return spec.dumps()


def _attempt(dag: DAG, path: str, silent: int, boot_id: str, marks: Marks) -> None:
    marks.write(BLANK_TAG, marks.name)
    begun = child.claim(path, boot_id, 0)
    if begun is None:
        return
    try:
        news.claimed(silent, BLANK_TAG, begun.pid, begun.ticks)
        spec = AttemptSpec.loads(files.read_spec(path))
        child.enter({**spec.env, child.ATTEMPT_ID: spec.attempt_id}, spec.cwd)
        followed(dag, spec.task_id, call_task(dag, spec, {}))
        child.record(path, begun, None)
    finally:
        os.close(begun.directory)
