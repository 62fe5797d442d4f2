"""Loading DAG files as the engine would, without one: each in a child process, then validated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from console.cli.errors import Exit, NotFound
from console.cli.output import clean, emit_json, no_rows, paint, say, warn
from console.cli.reading import pools_known_in
from console.cli.session import Session
from engine.config import task_environment
from engine.dagfiles.parse import Parser
from engine.dagfiles.tree import look
from engine.dagfiles.updates import Broken, Loaded
from engine.dagfiles.verdict import Judge
from engine.model.dag import ImportFailure, ParsedFile

_AT_ONCE = 2


def load_files(session: Session, path: Path | None = None) -> Iterator[ParsedFile]:
    """Loads a file, or every DAG file below a folder (None: the home's `dags/`), in the order of their names.

    Raises NotFound where there is no such path.
    """
    dags = session.home.dags
    root, names = dags, dict[str, str | None]()
    if path is not None:
        path = path.expanduser().resolve()
        if not path.exists():
            raise NotFound(f"there is no file or folder {path}")
        inside = path.is_relative_to(dags.resolve())
        root = dags.resolve() if inside else path if path.is_dir() else path.parent
    if path is not None and path.is_file():
        names[str(path.relative_to(root))] = None
    else:
        below = root if path is None else path
        names = {name: seen.problem for name, seen in look(root).items() if (root / name).is_relative_to(below)}
    settings = session.settings
    parser = Parser(task_environment(session.home, settings), settings.timezone)
    python = settings.python or sys.executable

    def parse(name: str) -> ParsedFile:
        problem = names[name]
        if problem is not None:
            return ParsedFile(name, errors=[ImportFailure(name, problem)])
        return parser.parse(name, root, python)

    with ThreadPoolExecutor(_AT_ONCE) as threads, closing(parser):
        yield from threads.map(parse, sorted(names))


def validate_path(session: Session, path: Path | None, *, as_json: bool) -> int:
    """Says of each file whether it can be used, and what is wrong; exit code 1 if something is."""
    pools = pools_known_in(session.home, session.settings.pools)
    judge = Judge({}, lambda: pools, session.settings.environments)
    verdicts = [judge.judge(parsed, "") for parsed in load_files(session, path)]
    if as_json:
        emit_json([_verdict_json(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            _print(verdict)
        if not verdicts:
            no_rows(f"no DAG file in {path or session.home.dags}")
    return int(Exit.FAILED if any(verdict.failures for verdict in verdicts) else Exit.DONE)


def _print(verdict: Loaded | Broken) -> None:
    dags = verdict.dags if isinstance(verdict, Loaded) else ()
    for dag in dags:
        say(f"{paint('ok', 'green')}     {clean(verdict.file)}  {clean(dag.dag_id)}, {_tasks(len(dag.tasks))}")
    for failure in verdict.failures:
        where = f"{failure.file}:{failure.line}" if failure.line else failure.file
        say(f"{paint('wrong', 'red')}  {clean(where)}  {clean(failure.message)}")
    for warning in verdict.warnings if isinstance(verdict, Loaded) else ():
        warn(f"note   {verdict.file}  {warning}")


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _verdict_json(verdict: Loaded | Broken) -> dict[str, Any]:
    dags, warnings = (verdict.dags, verdict.warnings) if isinstance(verdict, Loaded) else ((), ())
    return {
        "file": verdict.file,
        "ok": not verdict.failures,
        "dags": [{"dag_id": dag.dag_id, "tasks": [task.task_id for task in dag.tasks]} for dag in dags],
        "errors": [
            {"file": each.file, "line": each.line, "dag_id": each.dag_id, "message": each.message}
            for each in verdict.failures
        ],
        "warnings": list(warnings),
    }
