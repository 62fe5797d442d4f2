"""A Python attempt in an interpreter of its own: `cold ATTEMPTS-FOLDER ATTEMPT-ID PIPE`; -1: no pipe."""

from __future__ import annotations

import faulthandler
import os

from engine.authoring.dag import DAG
from engine.execution import directory as files
from engine.execution.process import child, guarding, proc, redact, stacks, streams
from engine.model.attempt_files import AttemptSpec


def main(arguments: list[str]) -> int:
    """Runs one attempt; does not return unless the arguments are wrong."""
    root, attempt_id, pipe = arguments[0], arguments[1], int(arguments[2])
    os.umask(0o077)
    if pipe >= 0:
        os.set_inheritable(pipe, False)
    else:
        pipe = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    if arguments[3:] == ["guarded"]:
        child.keep_secrets(guarding.Keeper(redact.read_given()))
    streams.suit_logs()
    child.measure_cold()
    faulthandler.enable()
    stacks.listen()
    child.run(files.path_of(root, attempt_id), attempt_id, pipe, proc.boot_id(), _load, None, 0)


def _load(spec: AttemptSpec) -> dict[str, DAG]:
    return streams.load_bundle(spec.bundle or "", spec.file or "")
