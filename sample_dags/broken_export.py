"""Failures: what a run looks like when no retry can help."""

from dagdeck import PermanentError, dag, shell, task


@task
def collect(ds):
    """Works."""
    return [{"day": ds, "rows": 3}]


@task(retries=5, retry_delay="10s")
def export(parts):
    """A permanent error is not tried again, whatever `retries` says: a person has to look at it."""
    print(f"connecting to the archive with {len(parts)} part(s)")
    raise PermanentError("the archive refuses our credentials: ask for new ones (see the runbook)")


@dag(
    schedule="*/15 * * * *",
    start_date="2024-01-01",
    catchup=False,
    tags=["failures"],
    owner="samples",
    runbook="https://en.wikipedia.org/wiki/Runbook",
)
def broken_export():
    """Fails every time. `publish` cannot run without the export; `clean_up` runs in any case."""
    exported = export(collect())
    exported >> shell("publish", "echo never reached")
    exported >> shell("clean_up", "echo removing temporary files", trigger_rule="all_done")
