"""The params that a command brings: JSON values by name (`params`), and what was typed (`param_texts`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.authoring.params import param_from_text
from engine.control.plans import Refusal
from engine.model.dag import Json, ParamSpec


def given_params(args: Mapping[str, Any], about: str = "") -> tuple[dict[str, Json], dict[str, str]]:
    """Values and texts, each by name. Raises Refusal, whose text begins with `about`, for anything else."""
    values, texts = (args.get(name) or {} for name in ("params", "param_texts"))
    if not isinstance(values, dict):
        raise Refusal("invalid", f"{about}params are values by name, not {values!r}")
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise Refusal("invalid", f"{about}param_texts are texts by name, not {texts!r}")
    return values, texts


def read_params(
    declared: Mapping[str, ParamSpec], values: Mapping[str, Json], texts: Mapping[str, str]
) -> dict[str, Json]:
    """The values of both; a text is read as its param is declared. Raises ParamError."""
    found = dict(values)
    for name, text in texts.items():
        spec = declared.get(name)
        found[name] = param_from_text(name, spec, text) if spec else text
    return found
