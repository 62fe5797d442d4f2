"""Callbacks: functions that run after an attempt, to tell somebody. They are short attempts with logs of their own."""

import json
import os
from pathlib import Path

from dagdeck import TransientError, dag, task


def tell(what, context):
    """Writes a message under a name of its own, so that telling twice is the same as telling once."""
    folder = Path(os.environ["DAGDECK_HOME"]) / "messages"
    folder.mkdir(parents=True, exist_ok=True)
    message = {"what": what, "dag": context["dag_id"], "day": context["ds"], "error": context["error"]}
    name = f"{context['run_id']}.{context['task_id'] or 'run'}.{what}.json"
    (folder / name).write_text(json.dumps(message))
    print(message)


def on_success(context):
    tell("success", context)


def on_failure(context):
    tell("failure", context)


def on_retry(context):
    tell("retry", context)


@task(retries=1, retry_delay="3s", on_retry_callback=on_retry, on_success_callback=on_success)
def second_time_lucky(try_number):
    if try_number == 1:
        raise TransientError("the first try never works")


@task(on_failure_callback=on_failure)
def may_fail(params):
    if params["fail"]:
        raise RuntimeError("failed because the run was triggered with fail=true")


@dag(params={"fail": False}, on_success_callback=on_success, on_failure_callback=on_failure, tags=["callbacks"])
def callbacks_demo():
    """The messages stand in the home's `messages` folder."""
    second_time_lucky() >> may_fail()
