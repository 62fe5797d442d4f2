"""A run to watch: three steps of twenty seconds that say how far they are."""

import time

from dagdeck import Param, dag, task


@task
def step(name, params):
    """Prints a line per second. Lines reach the log as they are printed."""
    seconds = params["seconds"]
    for second in range(seconds):
        time.sleep(1)
        print(f"{name}: {second + 1} of {seconds} ({(second + 1) / seconds:.0%})")
    return name


@task
def finish(names):
    print(f"done: {', '.join(names)}")


@dag(
    schedule="*/10 * * * *",
    start_date="2024-01-01",
    catchup=False,
    params={"seconds": Param(20, type="integer", minimum=0, maximum=3600)},
    max_active_runs=1,
    tags=["live"],
    owner="samples",
)
def slow_steps():
    """Takes a minute: two steps side by side cannot start before the first is done."""
    first = step.override(task_id="prepare")("prepare")
    sides = [step.override(task_id=name)(name) for name in ("left", "right")]
    last = step.override(task_id="combine")("combine")
    first >> sides >> last
    finish([first, *sides, last])
