"""Setup and teardown: what was set up is taken down again, however the work in between ended."""

from dagdeck import Param, dag, setup, task, teardown


@setup
def create_cluster():
    """Runs before the work, and again when any of the work is cleared."""
    print("three nodes are up")
    return {"nodes": 3}


@teardown
def drop_cluster():
    """Runs when the work is over, done or not. Its own failure would fail the run."""
    print("the nodes are gone")


@task
def work(params):
    """Fails when the run asks for it."""
    if params["fail"]:
        raise RuntimeError("failed because the run was triggered with fail=true")
    print("the work is done")


@dag(params={"fail": Param(False, type="boolean")}, tags=["dependencies", "failures"], owner="samples")
def cluster_demo():
    """Trigger it with `--param fail=true`, or cancel it while it works: the cluster goes in any case."""
    with drop_cluster().as_teardown(setups=create_cluster(), on_failure_fail_dagrun=True):
        work()
