"""Tasks that belong together: groups have a common prefix in their ids, and are wired and folded as one.

`extract` is made by a function that is called once for each region, `load` by a `with` block with a group inside.
"""

from dagdeck import TaskGroup, dag, shell, task, task_group


@task
def fetch(region):
    """Pretends to fetch a region's orders."""
    return {"region": region, "orders": len(region) * 100}


@task
def clean(orders):
    """Pretends to drop what is wrong."""
    return orders | {"orders": orders["orders"] - 1}


@task_group
def extract(region):
    """Two tasks for each region; a second call of it makes the group `extract__1`."""
    return clean(fetch(region))


@dag(schedule=None, tags=["sample"])
def task_groups():
    """Two regions side by side, then a group with a group in it."""
    start = shell("start", "echo the day begins")
    with TaskGroup("regions") as regions:
        for region in ("north", "south"):
            extract(region)
    with TaskGroup("load") as load:
        tables = shell("tables", "echo tables are there")
        with TaskGroup("checks") as checks:
            shell("rows", "echo rows are right")
            shell("keys", "echo keys are right")
        tables >> checks
    start >> regions >> load >> shell("notify", "echo done")
