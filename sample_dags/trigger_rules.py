"""Trigger rules: when a task runs although some of the tasks before it failed or were skipped."""

from dagdeck import Param, SkipTask, dag, shell, task

RULES = (
    "all_success",
    "all_failed",
    "all_done",
    "all_done_min_one_success",
    "all_skipped",
    "all_ran",
    "one_success",
    "one_failed",
    "one_done",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "always",
)


@task
def good():
    print("this one works")


@task
def skipped():
    raise SkipTask("there is nothing to do today")


@task
def risky(params):
    """Fails when the run asks for it."""
    if params["fail"]:
        raise RuntimeError("failed because the run was triggered with fail=true")


@dag(params={"fail": Param(False, type="boolean")}, tags=["dependencies", "failures"], owner="samples")
def trigger_rules():
    """Trigger it twice, once with `--param fail=true`, and compare."""
    before = [good(), skipped(), risky()]
    for rule in RULES:
        before >> shell(rule, f"echo {rule} is met", trigger_rule=rule)
