"""What tasks say of their failures, by a real engine: rules, partial work, delays, and the budget of a clear."""

from __future__ import annotations

import json

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

DAGS = {
    "retries.py": """
        from dagdeck import Partial, RetryAfter, RetryRule

        @task(retries=3, retry_delay="1h", retry_rules=[
            RetryRule(exception=KeyError, delay="10ms"),
            RetryRule(match="told to .* skip", then="skip"),
        ])
        def fetch(try_number):
            note(f"fetch-{try_number}")
            if try_number == 1:
                raise KeyError("first")
            raise RuntimeError("told to please skip")

        @task(retries=2, retry_delay=["10ms", "20ms"])
        def load(failed_keys):
            note("keys-" + ",".join(failed_keys or ["all"]))
            left = {None: ["b", "c"], 2: ["c"]}.get(failed_keys and len(failed_keys), [])
            return Partial(ok=["done"], failed=left)

        @task(retries=1, retry_delay="10ms")
        def asks(try_number):
            if try_number == 1:
                raise RetryAfter("1h", "quota")

        @dag()
        def ruled():
            fetch()
            shell("denied", "echo access denied for etl; exit 3", retries=9, retry_delay="1h",
                  retry_rules=[RetryRule(match="^access denied", then="fail")])
            shell("endless", "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; exit 4", retries=1, retry_delay="10ms",
                  retry_rules=[RetryRule(exit_code=4, delay="20ms")])

        @dag()
        def parts():
            load()

        @dag()
        def asked():
            asks()
    """
}


@pytest.fixture
async def retrying(make_site: MakeSite) -> Site:
    """A home with DAGs about retries, and a running engine."""
    site = await make_site(DAGS)
    await site.start()
    return site


async def test_rules_decide_by_exception_exit_code_and_text(retrying: Site) -> None:
    """A retry at once, a skip by the error's text, an end by a line of the log, and a retry by the exit code."""
    run_id = await retrying.trigger("ruled")
    assert await retrying.over(run_id) == "failed"
    assert retrying.tasks(run_id) == {"fetch": "skipped", "denied": "failed", "endless": "failed"}
    assert [row["failure_class"] for row in retrying.attempts(run_id, "fetch")] == ["transient", None]
    (denied,) = retrying.attempts(run_id, "denied")
    assert (denied["failure_class"], denied["reason"], denied["exit_code"]) == ("permanent", "retry_rule", 3)
    assert len(retrying.attempts(run_id, "endless")) == 2


async def test_each_try_is_given_what_the_one_before_left(retrying: Site) -> None:
    """The first try has everything to do, the next ones what failed; what is left to none is success."""
    run_id = await retrying.trigger("parts")
    assert await retrying.over(run_id) == "success"
    assert [len(retrying.bodies(word)) for word in ("keys-all", "keys-b,c", "keys-c")] == [1, 1, 1]
    classes = [(row["outcome"], row["failure_class"], row["error"]) for row in retrying.attempts(run_id, "load")]
    assert classes == [
        ("failed", "partial", "2 of 3 failed: b, c"),
        ("failed", "partial", "1 of 2 failed: c"),
        ("success", None, None),
    ]
    assert json.loads(retrying.value("SELECT value FROM task_result")) == ["done"]


async def test_a_task_says_when_it_wants_to_be_tried_again(retrying: Site) -> None:
    """`RetryAfter` goes before the delay of the task; cleared with no retries, the same failure is the last."""
    run_id = await retrying.trigger("asked")
    await until(lambda: retrying.tasks(run_id)["asks"] == "up_for_retry", "it waits for its retry")
    ended = retrying.attempts(run_id, "asks")[0]["ended_at"]
    assert retrying.value("SELECT retry_at FROM task_instance") - ended == 3_600_000_000
    await retrying.act("clear", run_id, "asks", retries=0)
    assert await retrying.over(run_id) == "success"
