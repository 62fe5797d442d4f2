"""`dagdeck test`: a DAG, here and now, in one process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli import names
from console.cli.errors import CliError, Exit, NotFound
from console.cli.options import param_option, reading
from console.cli.output import Column, clean, emit_json, say, state_word, table, warn
from console.cli.session import Session, pass_session
from console.cli.trigger import parse_param

if TYPE_CHECKING:
    from console.cli.rehearsal import Report, Stage
    from engine.model.dag import DagSpec
    from engine.timetable import Slot


@click.command("test")
@click.argument("dag", shell_complete=names.dags)
@click.option("--logical-date", metavar="D", help="The run's logical date; naive text is in the DAG's zone.")
@param_option("A parameter, read as the DAG declares it.")
@click.option("--twice", is_flag=True, help="Run it twice, and fail if a task's second result is not the first one.")
@reading
@pass_session
def test(
    session: Session, dag: str, logical_date: str | None, params: tuple[str, ...], twice: bool, as_json: bool
) -> int:
    """Run DAG in this process, task after task: no engine, no store, and a debugger works.

    DAG is an id, or a file, or FILE:ID. Retries follow at once. Exit code 1 if the run does not succeed.
    """
    # Imported on first use: it needs most rooms of the engine.
    from console.cli.rehearsal import Rehearsal

    stage = set_stage(session, dag, logical_date, dict(parse_param(text) for text in params))
    reports = []
    with _output_aside(as_json):
        for _ in range(2 if twice else 1):
            reports.append(Rehearsal(stage, lambda line: warn(f"- {line}")).perform())
    different = _differences(*reports) if twice else []
    if as_json:
        emit_json({**asdict(reports[-1]), "different": different} if twice else asdict(reports[-1]))
    else:
        _print(reports[-1])
    for name in different:
        warn(f"{name}: the second run gave another result than the first")
    good = all(report.state == "success" for report in reports) and not different
    return int(Exit.DONE if good else Exit.FAILED)


def _differences(first: Report, second: Report) -> list[str]:
    return [
        before.task_id
        for before, after in zip(first.tasks, second.tasks, strict=True)
        if (before.state, before.result) != (after.state, after.result)
    ]


def _print(report: Report) -> None:
    say(f"{clean(report.run_id)}  {state_word(report.state)}")
    columns = [
        Column("task"),
        Column("state", state=True),
        Column("tries", right=True),
        Column("seconds", right=True),
        Column("error"),
    ]
    rows = [(task.task_id, task.state, task.attempts, f"{task.seconds:.2f}", task.error) for task in report.tasks]
    table(columns, rows)


@contextmanager
def _output_aside(aside: bool) -> Iterator[None]:
    """With `--json`, what tasks print goes to standard error, also from their child processes."""
    if not aside:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def set_stage(session: Session, text: str, logical_date: str | None, params: dict[str, str]) -> Stage:
    """Loads the DAG that `text` names. Raises CliError with what is wrong with it, as validation would say it."""
    from console.cli.reading import pools_known_in
    from console.cli.rehearsal import Stage
    from engine.authoring.exceptions import ParamError
    from engine.authoring.loading import load
    from engine.authoring.params import resolve_params
    from engine.authoring.serialize import serialize
    from engine.dagfiles.validate import validate
    from engine.execution.process.failure import one_line, to_log

    root, file, dag_id = _find(session, text)
    settings = session.settings
    try:
        loaded = load(file, root)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        to_log(problem, str(Path(__file__).parents[2]))
        raise CliError(f"{file.name} cannot be loaded: {one_line(problem)}") from None
    for failure in loaded.failures:
        warn(f"{failure.file}:{failure.line or 1}: {failure.message}")
    if dag_id is None and len(loaded.dags) == 1:
        dag_id = next(iter(loaded.dags))
    if dag_id is None or dag_id not in loaded.dags:
        known = ", ".join(loaded.dags) or "none"
        raise NotFound(f"{file.name} has no DAG {dag_id or 'of its own choice'}: it defines {known}")
    dag = loaded.dags[dag_id]
    spec = serialize(dag, str(file.relative_to(root)), settings.timezone)
    problems = validate(spec, pools_known_in(session.home, settings.pools))
    if problems:
        raise CliError("\n".join(f"{each.file}:{each.line or 1}: {each.message}" for each in problems))
    try:
        given = {name: _value(spec, name, text) for name, text in params.items()}
        values = resolve_params(spec.params, given)
    except (ParamError, ValueError) as error:
        raise CliError(f"{dag_id}: {error}", Exit.USAGE) from error
    return Stage(session.home, settings, file, dag, spec, _slot(spec, logical_date), values)


def _value(spec: DagSpec, name: str, text: str) -> Any:
    from engine.authoring.params import param_from_text

    declared = spec.params.get(name)
    return text if declared is None else param_from_text(name, declared, text)


def _slot(spec: DagSpec, text: str | None) -> Slot:
    from engine.model.moments import from_iso
    from engine.timetable import Slot, last_completed, slot_at, timetable_of

    zone = spec.schedule.timezone
    now = time.time_ns() // 1000
    try:
        date = from_iso(text, zone) if text is not None else None
    except ValueError as error:
        raise CliError(f"--logical-date {text!r} is not a date or time such as 2026-11-22", Exit.USAGE) from error
    timetable = timetable_of(spec.schedule)
    if timetable is None:
        at = now if date is None else date
        return Slot(at, at, at, at)
    if date is not None:
        return slot_at(timetable, date)
    return last_completed(timetable, now) or slot_at(timetable, now)


def _find(session: Session, text: str) -> tuple[Path, Path, str | None]:
    """The root for imports, the file and, where it is said, the DAG's id."""
    name, colon, dag_id = text.rpartition(":")
    path = Path(name if colon else text).expanduser()
    if path.suffix == ".py":
        if not path.is_file():
            raise NotFound(f"there is no file {path}")
        path = path.resolve()
        root = session.home.dags.resolve()
        return (root if path.is_relative_to(root) else path.parent), path, dag_id if colon else None
    return (root := session.home.dags.resolve()), root / _file_of(session, text), text


def _file_of(session: Session, dag_id: str) -> str:
    """The file in `dags/` that defines a DAG, found by loading them all as the engine would."""
    from console.cli.validating import load_files

    known: list[str] = []
    broken: list[str] = []
    for parsed in load_files(session):
        for dag in parsed.dags:
            known.append(dag.dag_id)
            if dag.dag_id == dag_id:
                return parsed.file
        broken += [f"cannot be loaded: {error.file}:{error.line or 1}: {error.message}" for error in parsed.errors]
    for line in broken:  # it may stand in one of them
        warn(line)
    raise NotFound(f"no file in {session.home.dags} defines DAG {dag_id!r}: there are {', '.join(known) or 'none'}")
