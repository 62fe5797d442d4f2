"""An exception raised by a DAG file, as an import failure: one sentence, the line, a short traceback."""

from __future__ import annotations

import os
import traceback

from engine.authoring.exceptions import DefinitionError
from engine.authoring.places import is_own
from engine.model.dag import ImportFailure

_LONGEST_MESSAGE, _LONGEST_TRACE = 2_000, 8_000


def describe_failure(problem: BaseException, file: str, root: str) -> ImportFailure:
    """The failure of the DAG file `file` (absolute; named relative to `root`), with the line of it that led there."""
    relative = os.path.relpath(file, root)
    culprit, at, line = _origin(problem, file)
    message = _sentence(problem)
    if culprit != file and culprit.startswith(root.rstrip(os.sep) + os.sep):
        message = f"{os.path.relpath(culprit, root)}:{at or 1}: {message}"
    return ImportFailure(
        file=relative,
        message=_cut(message, _LONGEST_MESSAGE),
        line=line,
        traceback=_cut(_short_trace(problem), _LONGEST_TRACE, keep_end=True),
    )


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, SystemExit):
        return f"the file calls sys.exit({problem.code!r}) while it is being loaded: remove the call"
    if isinstance(problem, MemoryError):
        return "the file needs more memory to load than it may have: do the work in a task, not at import"
    text = _text(problem)
    if isinstance(problem, DefinitionError):
        return text
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def _text(problem: BaseException) -> str:
    if isinstance(problem, SyntaxError):
        return problem.msg or "invalid syntax"
    try:
        return str(problem)
    except Exception as second:
        return f"<its text cannot be shown: {type(second).__name__}>"


def _origin(problem: BaseException, file: str) -> tuple[str, int | None, int | None]:
    """The file and line that the problem arose in, and the last line of the DAG file on the way there."""
    frames = traceback.extract_tb(problem.__traceback__) if problem.__traceback__ else []
    users = [frame for frame in frames if not is_own(frame.filename) and "importlib" not in frame.filename]
    culprit, at = (users[-1].filename, users[-1].lineno) if users else (file, None)
    if isinstance(problem, SyntaxError) and problem.filename:
        culprit, at = problem.filename, problem.lineno
    elif isinstance(problem, DefinitionError):
        culprit, at = problem.file, problem.line
    line = next((frame.lineno for frame in reversed(users) if frame.filename == file), None)
    return culprit, at or None, (at or None) if culprit == file else line


def _short_trace(problem: BaseException) -> str:
    """The traceback without our own frames, which say nothing about the author's mistake."""
    try:
        described = traceback.TracebackException.from_exception(problem, limit=-40)
        described.stack = traceback.StackSummary.from_list(
            [frame for frame in described.stack if not is_own(frame.filename) and "importlib" not in frame.filename]
        )
        return "".join(described.format())
    except Exception as second:
        return f"<no traceback: {type(second).__name__}>"


def _cut(text: str, most: int, *, keep_end: bool = False) -> str:
    if len(text) <= most:
        return text
    return "…" + text[-most:] if keep_end else text[:most] + "…"
