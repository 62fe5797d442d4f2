"""Params of a DAG: their declaration, and whether a value keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from engine.authoring.checks import ENV_NAME, shown
from engine.authoring.exceptions import ParamError
from engine.model.dag import Json, ParamSpec

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
_FORMATS: dict[str, Callable[[str], object]] = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}
_RULES = ("type", "enum", "minimum", "maximum", "min_length", "max_length", "pattern", "format")
_UNSET: Any = object()


class Param:
    """A declared parameter: `Param("prod", enum=["dev", "prod"])`.

    Rules: `type` (a JSON Schema type, or a list of them), `enum`, `minimum`, `maximum`, `min_length`, `max_length`,
    `pattern` (searched in the text), `format` ("date" or "date-time"). A param without a default is required; one
    whose default is None may be left out. Raises ParamError when a rule itself is impossible.
    """

    def __init__(
        self, default: Json = _UNSET, *, description: str | None = None, required: bool | None = None, **rules: Any
    ) -> None:
        missing = default is _UNSET
        self.default: Json = None if missing else default
        self.required = missing if required is None else required
        self.description = description
        self.rules = {_RENAMED.get(name, name): value for name, value in rules.items()}
        if not isinstance(self.required, bool):
            raise ParamError(f"required={shown(required)}: use True or False")
        if description is not None and not isinstance(description, str):
            raise ParamError(f"description={shown(description)}: use text")
        for name, value in self.rules.items():
            _check_rule(name, value)
        if "enum" in self.rules:
            self.rules["enum"] = list(self.rules["enum"])

    def spec(self) -> ParamSpec:
        """The declaration in its serialized form."""
        return ParamSpec(self.default, self.required, self.rules, self.description)


_RENAMED = {"minLength": "min_length", "maxLength": "max_length"}


def check_default(name: str, spec: ParamSpec) -> None:
    """Raises ParamError when the default itself is not allowed. None stands for "not given" and always is."""
    if not _is_json(spec.default):
        raise ParamError(f"param {name!r}: default {shown(spec.default)} is not a JSON value")
    if spec.default is not None:
        check_value(name, spec, spec.default)


def resolve_params(
    specs: Mapping[str, ParamSpec], given: Mapping[str, Json], *, extra: bool = False
) -> dict[str, Json]:
    """The params of a run: what is given, else the defaults. `extra` allows params that are not declared.

    Raises ParamError for a param that is not declared, is missing although required, or breaks its rules.
    """
    values: dict[str, Json] = {}
    for name, value in given.items():
        if name not in specs and extra:
            if not ENV_NAME.match(name) or not _is_json(value):
                raise ParamError(
                    f"param {shown(name)}: {shown(value)} is not a JSON value under the name of a variable"
                )
            values[name] = value
        elif name not in specs:
            known = ", ".join(specs) or "none"
            raise ParamError(f"param {shown(name)} is not declared by this DAG; declared: {known}")
    for name, spec in specs.items():
        value = given.get(name, spec.default)
        if value is None and spec.required:
            raise ParamError(f"param {name!r} is required: give it a value")
        if value is not None:
            check_value(name, spec, value)
        values[name] = value
    return values


def check_value(name: str, spec: ParamSpec, value: Json) -> None:
    """Raises ParamError naming the param, the value and the rule when the value breaks one."""
    if not _is_json(value):
        raise ParamError(f"param {name!r}: {shown(value)} is not a JSON value")
    for rule, wanted in spec.schema.items():
        if not _keeps(rule, wanted, value):
            raise ParamError(f"param {name!r}: {shown(value)} is not allowed: {_says(rule, wanted)}")


def param_from_text(name: str, spec: ParamSpec, text: str) -> Json:
    """The value that text on a command line stands for: itself where the param is text, otherwise JSON.

    Raises ParamError when it does not fit the param's type.
    """
    types = _type_list(spec)
    if not types and isinstance(spec.default, bool | int | float | list | dict):
        types = ["json"]
    if not types or "string" in types:
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ParamError(f"param {name!r}: {shown(text)} is not a value of type {' or '.join(types)}") from None


def _type_list(spec: ParamSpec) -> list[str]:
    declared = spec.schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def _check_rule(name: str, wanted: Any) -> None:
    if name not in _RULES:
        raise ParamError(f"{name}= is not a rule of Param; rules: {', '.join(_RULES)}")
    words = [wanted] if isinstance(wanted, str) else wanted
    if name == "type" and (not isinstance(words, list) or not words or any(word not in _TYPES for word in words)):
        raise ParamError(f"type={shown(wanted)}: use one of {', '.join(_TYPES)}, or a list of them")
    if name == "enum" and (not isinstance(wanted, list | tuple) or not wanted or not _is_json(list(wanted))):
        raise ParamError(f"enum={shown(wanted)}: use a list of JSON values")
    if name in ("minimum", "maximum") and not _TYPES["number"](wanted):
        raise ParamError(f"{name}={shown(wanted)}: use a number")
    if name in ("min_length", "max_length") and not (_TYPES["integer"](wanted) and wanted >= 0):
        raise ParamError(f"{name}={shown(wanted)}: use a whole number of at least 0")
    if name == "format" and wanted not in _FORMATS:
        raise ParamError(f"format={shown(wanted)}: use one of {', '.join(_FORMATS)}")
    if name == "pattern":
        try:
            re.compile(wanted)
        except (re.error, TypeError) as problem:
            raise ParamError(f"pattern={shown(wanted)}: not a regular expression ({problem})") from None


def _keeps(rule: str, wanted: Any, value: Json) -> bool:
    """Whether a value keeps a rule. A rule about text or numbers also asks for text or a number."""
    if rule == "type":
        return any(_TYPES[word](value) for word in ([wanted] if isinstance(wanted, str) else wanted))
    if rule == "enum":
        return any(value == allowed and type(value) is type(allowed) for allowed in wanted)
    if rule in ("minimum", "maximum"):
        return _TYPES["number"](value) and bool(value >= wanted if rule == "minimum" else value <= wanted)
    if rule in ("min_length", "max_length"):
        sized = isinstance(value, str | list | dict)
        return sized and (len(value) >= wanted if rule == "min_length" else len(value) <= wanted)
    if not isinstance(value, str):
        return False
    if rule == "pattern":
        return re.search(wanted, value) is not None
    try:
        _FORMATS[wanted](value)
    except ValueError:
        return False
    return True


def _says(rule: str, wanted: Any) -> str:
    if rule == "type":
        return "it must be of type " + (wanted if isinstance(wanted, str) else " or ".join(wanted))
    if rule == "enum":
        return "it must be one of " + ", ".join(json.dumps(value, ensure_ascii=False) for value in wanted)
    if rule == "pattern":
        return f"it must match {wanted}"
    if rule == "format":
        return f"it must be a {wanted} in ISO 8601"
    bound = "at least" if rule.startswith("min") else "at most"
    return f"its length must be {bound} {wanted}" if "length" in rule else f"it must be {bound} {wanted}"


def _is_json(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False
