"""References in a serialized task's environment, replaced by their values when the attempt starts."""

from __future__ import annotations

from engine.authoring.context import build_context, build_scope
from engine.authoring.exceptions import PermanentError
from engine.authoring.lazy import RESULT, evaluate
from engine.authoring.templates import to_text
from engine.model.attempt_files import AttemptSpec
from engine.model.dag import Json


def resolve_text(value: Json, spec: AttemptSpec) -> str:
    """One value of a `TaskSpec.env` as text, its params, dates and upstream results taken from the attempt's spec.

    Raises PermanentError when a reference has no value, or one that is too large for an environment.
    """
    if not isinstance(value, dict):
        return to_text(value)
    source = spec.inputs.get(value.get(RESULT, ""))
    if source is not None and source.path is not None:
        raise PermanentError(
            f"the result of {value[RESULT]!r} is too large for an environment variable: write it to a file and pass "
            "the file's path"
        )
    results = {name: ref.value for name, ref in spec.inputs.items()}
    text = to_text(evaluate(value, build_scope(build_context(spec), results)))
    if "\0" in text:
        raise PermanentError("an environment variable cannot hold a NUL character")
    return text
