"""What authors write about retries: delays, rules, partial results, memory limits."""

from datetime import timedelta
from typing import Any

import pytest

from dagdeck import DAG, DefinitionError, Partial, RetryRule, task
from engine.authoring.serialize import serialize
from engine.model.dag import RetryRule as Rule
from engine.model.dag import TaskSpec


def spec(**options: Any) -> TaskSpec:
    """The serialized form of a task with these arguments."""

    @task(**options)
    def work() -> None: ...

    with DAG("d") as dag:
        work()
    return serialize(dag, "f.py").tasks[0]


def test_delays_may_be_given_one_by_one() -> None:
    """A list of durations is kept whole; a single one stays a single one."""
    retry = spec(retries=3, retry_delay=["10s", timedelta(minutes=1), "5m"]).retry
    assert (retry.delays, retry.delay) == ([10.0, 60.0, 300.0], 10.0)
    assert spec(retry_delay="30s").retry.delays == []


@pytest.mark.parametrize("value", [[], ["x"], ["-1s"], 5, ["1s"] * 101])
def test_an_impossible_delay_is_an_error(value: object) -> None:
    """An empty list, wrong text, negative and bare numbers are refused, naming the argument."""
    with pytest.raises(DefinitionError, match="retry_delay="):
        spec(retry_delay=value)


def test_a_list_of_delays_leaves_no_room_for_backoff() -> None:
    """Both at once contradict each other."""
    with pytest.raises(DefinitionError, match="retry_delay= is a list"):
        spec(retry_delay=["1s"], retry_exponential_backoff=True)


def test_rules_are_serialized_by_the_names_of_their_classes() -> None:
    """Classes and names, one or several codes, an expression, and what follows."""
    rules = spec(
        retry_rules=[
            RetryRule(exception=[KeyError, "httpx.HTTPError"], delay="90s"),
            RetryRule(exit_code=(2, 3), match=r"no such \w+", then="fail"),
            RetryRule(http_status=404, then="skip"),
        ]
    ).retry.rules
    assert rules == [
        Rule(exceptions=["KeyError", "httpx.HTTPError"], delay=90.0),
        Rule(exit_codes=[2, 3], match=r"no such \w+", then="fail"),
        Rule(http_status=[404], then="skip"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "needs a condition"),
        ({"exception": int}, "an exception class or its name"),
        ({"exit_code": 0}, "from 1 to 255"),
        ({"match": "("}, "no regular expression"),
        ({"exit_code": 1, "then": "wait"}, "one of retry, fail, skip"),
        ({"exit_code": 1, "then": "fail", "delay": "1s"}, "a delay belongs to"),
    ],
)
def test_an_impossible_rule_is_refused_where_it_is_written(arguments: dict[str, Any], words: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(ValueError, match=words):
        RetryRule(**arguments)


def test_anything_but_rules_is_refused() -> None:
    """`retry_rules=` takes rules alone."""
    with pytest.raises(DefinitionError, match="RetryRule"):
        spec(retry_rules=["exit code 3"])


@pytest.mark.parametrize(
    ("value", "size"), [("512M", 512 << 20), ("1.5 GiB", 3 << 29), ("2GB", 2 << 30), (1 << 20, 1 << 20)]
)
def test_a_memory_limit_is_a_size(value: object, size: int) -> None:
    """Units are powers of 1024, with or without their B."""
    assert spec(memory_limit=value).memory_limit == size


@pytest.mark.parametrize("value", ["512", "1K", 1000, True, "-1G", "lots"])
def test_an_impossible_memory_limit_is_an_error(value: object) -> None:
    """Too little to start with, or no size at all."""
    with pytest.raises(DefinitionError, match="memory_limit="):
        spec(memory_limit=value)


def test_a_partial_result_describes_itself() -> None:
    """How many of how many, the first keys, and what the task adds."""
    assert str(Partial(ok=["a", "b"], failed=["c"])) == "1 of 3 failed: c"
    assert str(Partial(ok=8, failed=range(6), message="quota")) == "6 of 14 failed: 0, 1, 2, 3, 4, … (quota)"
    assert str(Partial(failed=["c"])) == "1 failed: c"
    with pytest.raises(ValueError, match="a list of keys"):
        Partial(failed="abc")
