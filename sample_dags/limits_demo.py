"""Limits of one DAG: over all its runs, within a run, for one task; and a task that waits for its own past."""

from dagdeck import dag, shell, task


@task(isolate=True)
def alone():
    """Starts in an interpreter of its own, for packages that cannot bear being forked."""
    print("no other task shares this interpreter")


@dag(max_active_tasks=3, max_active_tasks_per_run=2, on_broken="hold", tags=["pools"], owner="samples")
def limits_demo():
    """Trigger it twice: the runs share three places, one run has two of them, and one export runs at a time.

    While its file cannot be loaded, its scheduled runs wait. With `min_free_memory_mb = 100_000_000` in `dagdeck.toml`,
    which no host has, nothing of any DAG starts, and the reason is `memory_guard`.
    """
    shell("export", "sleep 0.3; echo exported", max_active_tis=1)
    shell("daily_balance", "echo $DAGDECK_DS", depends_on_past=True)
    for name in ("a", "b", "c"):
        shell(f"step_{name}", "sleep 0.2; echo done")
    alone()
