"""Choosing what runs: a branch takes one of two ways, a short circuit lets the rest run or not."""

from dagdeck import Param, dag, shell, task


@task.branch
def by_size(params):
    """The id of the task to go on with; the other one is skipped, with the reason `branch`."""
    return "in_parts" if params["rows"] > 1000 else "at_once"


@task.short_circuit
def is_wanted(params):
    """When this is false, everything below is skipped, with the reason `short_circuit`."""
    return params["report"]


@dag(
    params={"rows": Param(10, type="integer", minimum=0), "report": Param(False, type="boolean")},
    tags=["dependencies"],
    owner="samples",
)
def choices():
    """Trigger it with `--param rows=5000`, or with `--param report=true`, and compare."""
    ways = [shell("at_once", "echo all rows in one go"), shell("in_parts", "echo a thousand rows at a time")]
    done = shell("done", "echo either way", trigger_rule="none_failed_min_one_success")
    by_size() >> ways >> done
    is_wanted() >> shell("report", "echo a report for people") >> shell("send", "echo sent")
