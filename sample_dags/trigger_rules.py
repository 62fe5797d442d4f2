"""Trigger rules: when a task runs although some of the tasks before it failed or were skipped."""

from dagdeck import Param, SkipTask, dag, shell, task


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
    for rule in ("all_success", "all_done", "none_failed", "one_success", "one_failed", "all_failed", "none_skipped"):
        before >> shell(rule, f"echo {rule} is met", trigger_rule=rule)
