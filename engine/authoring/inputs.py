"""The values of an attempt's inputs, read from where its spec says they are."""

from __future__ import annotations

import json

from engine.model.attempt_files import InputRef
from engine.model.dag import Json


def value_of(ref: InputRef) -> Json:
    """The value itself; of a mapped task the list of its results. Raises OSError and ValueError, reading files."""
    if ref.items is not None:
        return [value_of(item) for item in ref.items]
    if ref.path is None:
        return ref.value
    with open(ref.path, "rb") as source:
        return json.load(source)
