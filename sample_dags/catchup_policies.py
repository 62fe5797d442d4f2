"""Catch-up, missed runs and overlap: what becomes of intervals that nobody ran in time.

The DAGs begin paused. `dagdeck dags resume history_all --dry-run` says how many runs resuming would make.
"""

import time

from dagdeck import DAG, shell, task

COMMON = {"start_date": "2026-01-01", "paused": True, "tags": ["time"], "owner": "samples"}


@task
def work():
    """Takes longer than the minute to the next run."""
    time.sleep(75)


for policy in ("none", "latest", "all", "7d"):
    doc = f"catchup={policy!r}: which of the days since the start date run when the DAG is resumed."
    with DAG(f"history_{policy}", schedule="@daily", catchup=policy, max_active_runs=2, doc=doc, **COMMON):
        shell("load", 'echo "the day $DAGDECK_DS, run as $DAGDECK_RUN_TYPE"')

for overlap in ("queue", "skip", "cancel_previous", "latest_only"):
    doc = f"overlap={overlap!r}: what becomes of a run that is due while the one before it is not over."
    with DAG(f"slow_{overlap}", schedule="* * * * *", max_active_runs=1, overlap=overlap, doc=doc, **COMMON):
        work()
