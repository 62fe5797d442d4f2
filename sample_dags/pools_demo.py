"""Pools: how many tasks may use something at the same time, over all DAGs.

This file needs a pool. In `dagdeck.toml`:

    [pools]
    demo_db = 2

or, while the engine runs: `dagdeck pools resize demo_db 2`. Try another size while the queries run.
"""

import time

from dagdeck import Param, dag, task


@task(pool="demo_db")
def query(number, params):
    """Two of these run at a time; the others wait, and the console says what for."""
    time.sleep(params["seconds"])
    print(f"query {number} is done")


@task(pool="demo_db", pool_slots=2, priority_weight=10)
def big_query(params):
    """Takes both slots, and goes first when it can."""
    time.sleep(params["seconds"])
    print("the big query is done")


@dag(params={"seconds": Param(0.5, type="number", minimum=0, maximum=600)}, tags=["pools"], owner="samples")
def pools_demo():
    """Six queries and a big one share two connections."""
    for number in range(6):
        query(number)
    big_query()
