"""Branching: a task that chooses which of the tasks below it run."""

from dagdeck import Param, dag, shell, task


@task.branch
def by_size(params):
    """The id of the task that is to run; a list of ids, or None for none of them, would do as well."""
    return "in_parts" if params["rows"] > 1_000 else "at_once"


@dag(params={"rows": Param(250, type="integer", minimum=0)}, tags=["dependencies"], owner="samples")
def branching():
    """Trigger it with `--param rows=5000` to see it go the other way; what is not chosen is skipped."""
    ways = [shell("at_once", "echo loading in one go"), shell("in_parts", "echo loading part by part")]
    done = shell("done", "echo loaded", trigger_rule="none_failed_min_one_success")
    by_size() >> ways >> done
