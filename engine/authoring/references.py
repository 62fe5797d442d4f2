"""References in a serialized task's environment, replaced by their values when the attempt starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engine.authoring.context import build_context, build_scope
from engine.authoring.exceptions import PermanentError
from engine.authoring.lazy import FORMAT, PARAM, RESULT, evaluate
from engine.authoring.templates import to_text
from engine.model.dag import Json, MapSource

if TYPE_CHECKING:
    from engine.model.attempt_files import AttemptSpec, InputRef


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
    if source is not None and source.items is not None and any(item.path is not None for item in source.items):
        raise PermanentError(f"results of {value[RESULT]!r} are too large for an environment variable")
    results = {name: whole(ref) for name, ref in spec.inputs.items() if ref.path is None}
    return _variable(evaluate(value, build_scope(build_context(spec), results)))


def whole(ref: InputRef) -> Json:
    """The value of an input itself. Reads result files: raises OSError and ValueError as that does."""
    if ref.items is not None:
        return [whole(item) for item in ref.items]
    if ref.path is None:
        return ref.value
    with open(ref.path, "rb") as source:
        value: Json = json.load(source)
    return value


def resolve_item(source: MapSource, item: InputRef, spec: AttemptSpec) -> str:
    """The item of an index of a mapped shell task as text. Raises PermanentError as `resolve_text` does."""
    if item.path is not None:
        raise PermanentError(f"the item for ${source.name} is too large for an environment variable")
    if source.ref is None and isinstance(item.value, dict) and item.value.keys() & {RESULT, PARAM, FORMAT}:
        return resolve_text(item.value, spec)
    return _variable(item.value)


def _variable(value: Json) -> str:
    text = to_text(value)
    if "\0" in text:
        raise PermanentError("an environment variable cannot hold a NUL character")
    return text
