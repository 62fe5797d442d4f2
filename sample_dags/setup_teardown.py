"""Setup and teardown: what is made ready for some tasks is cleaned up after them, however they end."""

from dagdeck import Param, dag, setup, shell, task, teardown


@setup
def rent_cluster():
    print("three nodes are up")
    return {"nodes": 3}


@task
def crunch(cluster, params):
    """Fails when the run asks for it; the cluster is given back all the same."""
    if params["fail"]:
        raise RuntimeError("failed because the run was triggered with fail=true")
    print(f"crunching on {cluster['nodes']} nodes")


@teardown
def give_back():
    print("no nodes are up")


@dag(params={"fail": Param(False, type="boolean")}, tags=["dependencies", "failures"], owner="samples")
def setup_teardown():
    """Clear `crunch`: the cluster is rented again for it. Cancel the run while it crunches: it is given back."""
    cluster = rent_cluster()
    with give_back().as_teardown(setups=cluster):
        crunch(cluster) >> shell("collect", "sleep 2; echo collected")
