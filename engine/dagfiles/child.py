"""The parse child: imports one DAG file in the user's interpreter and answers with one JSON line.

`main([FILE, ROOT, ZONE, PYTHON, MEMORY, NICE])`, where ROOT is `dags/`, ZONE the home's zone, PYTHON the path that this
interpreter was started by, MEMORY the bytes that loading may add, NICE by how much to lower the priority. Imports the
standard library, `engine.authoring` and `engine.model` alone.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import resource
import sys
from typing import Any

from engine.authoring.failures import describe_failure
from engine.authoring.loading import ImportRefused, load
from engine.authoring.modules import literal_python, mentions_own_file, modules_under
from engine.authoring.serialize import serialize, warnings_of
from engine.model.dag import ImportFailure, ParsedFile

MAX_ANSWER_BYTES = 64 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Answers on standard output, where nothing that the file prints arrives, and ends the process."""
    file, root, zone, python, memory, nice = arguments
    os.nice(int(nice))
    answer = os.dup(1)
    printed = _silence()
    started_by, pid = literal_python(file), os.getpid()
    if started_by is not None and started_by != python:
        _send(answer, {"python": started_by})
    _limit_memory(int(memory))
    sys.dont_write_bytecode = True
    sys.argv = [file]
    parsed = parse(file, root, zone)
    if os.getpid() != pid:
        os._exit(0)  # the file forked while it was imported: only the original process answers
    if printed.size:
        parsed.warnings.append(f"the file prints while it is being loaded ({printed.size:,} bytes, not kept)")
    _send(answer, {"parsed": compact(parsed)})
    return 0


def parse(file: str, root: str, zone: str) -> ParsedFile:
    """Imports a DAG file and serializes its DAGs. Whatever goes wrong is an error in the answer."""
    parsed = ParsedFile(file=os.path.relpath(file, root))
    try:
        loaded = load(file, root)
    except ImportRefused as refusal:
        parsed.errors.append(ImportFailure(parsed.file, str(refusal)))
        return parsed
    except BaseException as problem:
        _lift_memory_limit()
        parsed.errors.append(describe_failure(problem, file, root))
        parsed.modules = modules_under(root, file)
        return parsed
    parsed.errors.extend(loaded.failures)
    for dag in loaded.dags.values():
        try:
            parsed.dags.append(serialize(dag, parsed.file, zone))
            parsed.warnings.extend(warnings_of(dag))
        except Exception as problem:
            failure = describe_failure(problem, file, root)
            failure.dag_id = dag.dag_id
            parsed.errors.append(failure)
    parsed.modules = modules_under(root, file)
    for module in parsed.modules:
        if mentions_own_file(f"{root}/{module}"):
            parsed.warnings.append(
                f"{module} uses __file__, which at run time is a copy without the data files beside it: name those "
                "relative to the working folder, which is the DAG file's"
            )
    return parsed


def compact(value: Any) -> Any:
    """A dataclass as a dict without the fields that have their default value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: compact(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not _is_default(field, getattr(value, field.name))
        }
    if isinstance(value, list):
        return [compact(item) for item in value]
    if isinstance(value, dict):
        return {key: compact(item) for key, item in value.items()}
    return value


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)


class _Counter(io.RawIOBase):
    """Takes what the file prints, and only counts it."""

    def __init__(self, descriptor: int) -> None:
        self.size = 0
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        self.size += count
        return count

    def fileno(self) -> int:
        return self._descriptor


def _silence() -> _Counter:
    """Points both standard streams at nothing, for Python code, C code and children alike."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    counter = _Counter(nothing)
    sys.stdout = sys.stderr = io.TextIOWrapper(counter, "utf-8", "backslashreplace", write_through=True)
    return counter


def _limit_memory(extra: int) -> None:
    """Limits the address space to what this interpreter takes by itself, and `extra` bytes more."""
    try:
        with open("/proc/self/statm") as source:
            own = int(source.read().split()[0]) * resource.getpagesize()
    except OSError:
        own = 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = own + extra
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lift_memory_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _send(answer: int, message: dict[str, Any]) -> None:
    """Writes the answer and ends the process at once, whatever threads the file has started."""
    data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    if len(data) > MAX_ANSWER_BYTES:
        data = json.dumps({"too_large": len(data)}).encode() + b"\n"
    view = memoryview(data)
    while view:
        view = view[os.write(answer, view) :]
    os._exit(0)
