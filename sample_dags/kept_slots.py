"""A pool whose slots are kept by tasks that wait for their retry: nobody else asks a source that is unwell.

This file needs a pool. In `dagdeck.toml`:

    [pools]
    demo_source = { slots = 1, include_deferred = true }

or, while the engine runs: `dagdeck pools resize demo_source 1 --include-deferred`.
"""

from dagdeck import TransientError, dag, task


@task(pool="demo_source", retries=2, retry_delay="2s")
def fetch(part, try_number):
    """The first part fails once. Until its retry has gone well the others wait, and `dagdeck why` says for whom."""
    if part == 0 and try_number == 1:
        raise TransientError("the source is busy")
    print(f"part {part} is there")
    return part


@dag(tags=["pools"], owner="samples")
def kept_slots():
    """Three parts from one source, one at a time; `dagdeck pools` and the page of pools (6) show who keeps the slot."""
    for part in range(3):
        fetch(part)
