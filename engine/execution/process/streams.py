"""What host and cold start share: standard streams fit for a log, and the import of a bundle."""

from __future__ import annotations

import io
import os
import sys

from engine.authoring.dag import DAG
from engine.authoring.loading import load_file
from engine.authoring.running import prepare
from engine.execution.process.judge import BundleBroken


def suit_logs() -> None:
    """Lines reach the log as they are written, in UTF-8, whatever characters they hold."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def load_bundle(bundle: str, file: str) -> dict[str, DAG]:
    """The DAGs of a bundle's file, by id. Raises BundleBroken, caused by whatever the import raised."""
    try:
        dags = load_file(os.path.join(bundle, file), bundle)
        for dag in dags.values():
            prepare(dag)
        return dags
    except BaseException as problem:
        raise BundleBroken(f"{file} cannot be imported") from problem
    finally:
        flush()


def flush() -> None:
    """Hands what has been printed to the kernel."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
