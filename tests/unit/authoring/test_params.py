"""Params: declarations, and whether values keep to them."""

from __future__ import annotations

from typing import Any

import pytest

from dagdeck import Param, ParamError
from engine.authoring.params import check_default, param_from_text, resolve_params


@pytest.mark.parametrize(
    ("rules", "good", "bad", "says"),
    [
        ({"type": "string"}, "x", 1, "it must be of type string"),
        ({"type": "integer"}, 1, True, "it must be of type integer"),
        ({"type": "integer"}, 1, 1.0, "it must be of type integer"),
        ({"type": "number"}, 1.5, "1.5", "it must be of type number"),
        ({"type": "boolean"}, False, 0, "it must be of type boolean"),
        ({"type": "array"}, [1], {"a": 1}, "it must be of type array"),
        ({"type": "object"}, {"a": 1}, [1], "it must be of type object"),
        ({"type": ["integer", "null"]}, 1, "x", "it must be of type integer or null"),
        ({"enum": ["dev", "prod"]}, "dev", "qa", 'it must be one of "dev", "prod"'),
        ({"enum": [1, 2]}, 1, True, "it must be one of 1, 2"),
        ({"minimum": 1}, 1, 0, "it must be at least 1"),
        ({"maximum": 9}, 9, 9.5, "it must be at most 9"),
        ({"minimum": 1}, 1, "5", "it must be at least 1"),
        ({"min_length": 2}, "ab", "a", "its length must be at least 2"),
        ({"maxLength": 2}, "ab", "abc", "its length must be at most 2"),
        ({"min_length": 1}, ["a"], 5, "its length must be at least 1"),
        ({"pattern": r"^\d+$"}, "12", "1a", r"it must match ^\d+$"),
        ({"format": "date"}, "2024-02-29", "2023-02-29", "it must be a date in ISO 8601"),
        ({"format": "date-time"}, "2024-02-29T01:00Z", "noon", "it must be a date-time in ISO 8601"),
    ],
)  # fmt: skip
def test_values_keep_the_rules(rules: dict[str, Any], good: Any, bad: Any, says: str) -> None:
    """A value that breaks a rule is refused with the param's name, the value and the rule."""
    specs = {"p": Param(good, **rules).spec()}
    assert resolve_params(specs, {"p": good}) == {"p": good}
    with pytest.raises(ParamError) as caught:
        resolve_params(specs, {"p": bad})
    assert str(caught.value) == f"param 'p': {bad!r} is not allowed: {says}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, (1, 2), {1}, b"x", object()])
def test_values_are_json(value: Any) -> None:
    """What would not survive JSON unchanged is refused."""
    with pytest.raises(ParamError, match="is not a JSON value"):
        resolve_params({"p": Param(None).spec()}, {"p": value})
    with pytest.raises(ParamError, match=r"param 'p': default .* is not a JSON value"):
        check_default("p", Param(value).spec())


def test_what_is_not_given_is_the_default() -> None:
    """Defaults fill up, None included, in the order of declaration."""
    specs = {"a": Param(1).spec(), "b": Param(None, type="string").spec()}
    assert resolve_params(specs, {}) == {"a": 1, "b": None}
    assert list(resolve_params(specs, {"b": "x"})) == ["a", "b"]


def test_a_required_param_must_be_given() -> None:
    """A param without a default is required; None does not count as a value."""
    specs = {"day": Param(type="string").spec()}
    for given in ({}, {"day": None}):
        with pytest.raises(ParamError, match="param 'day' is required: give it a value"):
            resolve_params(specs, given)
    assert resolve_params({"day": Param("x", required=True).spec()}, {}) == {"day": "x"}


def test_an_unknown_param_is_refused_with_the_known_ones() -> None:
    """A misspelt key never passes silently."""
    with pytest.raises(ParamError, match="param 'evn' is not declared by this DAG; declared: env"):
        resolve_params({"env": Param("x").spec()}, {"evn": "y"})


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"type": "str"}, "type='str': use one of string"),
        ({"type": []}, r"type=\[\]: use one of"),
        ({"enum": []}, "use a list of JSON values"),
        ({"enum": "dev"}, "use a list of JSON values"),
        ({"minimum": "1"}, "minimum='1': use a number"),
        ({"min_length": -1}, "min_length=-1: use a whole number"),
        ({"pattern": "("}, r"not a regular expression"),
        ({"pattern": 3}, r"not a regular expression"),
        ({"format": "email"}, "format='email': use one of date, date-time"),
        ({"minimun": 1}, "minimun= is not a rule of Param; rules: type, enum"),
        ({"required": "yes"}, "required='yes': use True or False"),
        ({"description": 1}, "description=1: use text"),
    ],
)
def test_impossible_rules_are_refused_where_they_stand(rules: dict[str, Any], says: str) -> None:
    """A declaration that could never be kept, or is misspelt, is an error."""
    with pytest.raises(ParamError, match=says):
        Param("x", **rules)


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (Param("x"), "1", "1"),
        (Param(None), "x", "x"),
        (Param("x", type="string"), "true", "true"),
        (Param(None, type=["string", "null"]), "null", "null"),
        (Param(5), "7", 7),
        (Param(5, type="integer"), "7", 7),
        (Param(False), "true", True),
        (Param(None, type="array"), '["a"]', ["a"]),
    ],
)
def test_text_of_a_command_line_becomes_a_value_of_the_params_type(param: Param, text: str, value: Any) -> None:
    """Text where the param is text, JSON where its type or default is something else."""
    assert param_from_text("p", param.spec(), text) == value


def test_text_that_does_not_fit_the_type_is_refused() -> None:
    """The error names the param, the text and the type."""
    with pytest.raises(ParamError, match="param 'p': 'many' is not a value of type integer"):
        param_from_text("p", Param(5, type="integer").spec(), "many")
