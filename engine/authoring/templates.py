"""Placeholders in text: `{ds}`, `{logical_date}`, …, `{params.NAME}`. Exactly these; other braces are left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

TOKENS = (
    "ds",
    "ds_nodash",
    "logical_date",
    "execution_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "run_id",
    "run_type",
    "dag_id",
    "task_id",
    "try_number",
)
PARAM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TOKEN = re.compile(r"\{(?:(" + "|".join(TOKENS) + r")|params\.([^{}\s]+))\}")


def param_token(name: str) -> str:
    """The placeholder of a param."""
    return f"{{params.{name}}}"


def param_variable(name: str) -> str:
    """The environment variable in which a shell finds a param."""
    return f"DAGDECK_PARAM_{name.upper()}"


def has_tokens(text: object) -> bool:
    """Whether there is a placeholder in the text."""
    return isinstance(text, str) and _TOKEN.search(text) is not None


def param_names(text: str) -> Iterator[str]:
    """The names of the params whose placeholders stand in the text, also impossible ones."""
    return (found[2] for found in _TOKEN.finditer(text) if found[2])


def shell_variables(text: str) -> Iterator[tuple[str, str]]:
    """Each placeholder in a shell command, with the environment variable that holds its value.

    `${ds}` is the shell's own notation for a variable, and no placeholder.
    """
    for found in _TOKEN.finditer(text):
        if found.start() and text[found.start() - 1] == "$":
            continue
        yield found[0], param_variable(found[2]) if found[2] else f"DAGDECK_{found[1].upper()}"


def fill(text: str, tokens: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """The text with its placeholders replaced, once: what a value contains is never read as a placeholder."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return to_text(tokens[found[1]]) if found[1] in tokens else found[0]
        return to_text(params[found[2]]) if found[2] in params else found[0]

    return _TOKEN.sub(value, text)


def to_text(value: Any) -> str:
    """A JSON value as text: text itself, nothing for None, otherwise JSON (`true`, `1.5`, `["a"]`)."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
