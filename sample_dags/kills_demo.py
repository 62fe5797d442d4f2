"""Ends that a task does not choose: a timeout with a grace, a child that tries to escape, and a memory limit."""

import signal
import time

from dagdeck import dag, shell, task


@task(execution_timeout="2s", grace="2s")
def says_goodbye():
    """Is asked to end after two seconds (SIGTERM), and uses its grace to tidy up."""

    def tidy_up(*_):
        print("asked to end: tidying up", flush=True)
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, tidy_up)
    print("works for a minute", flush=True)
    time.sleep(60)


@task(memory_limit="256M")
def hungry(megabytes=400):
    """Wants more memory than it may have, and fails for that: its class is `infrastructure`."""
    kept = [b"x" * 1_000_000 for _ in range(megabytes)]
    print(f"{len(kept)} MB are too many")


@dag(tags=["timeouts"], owner="samples", dagrun_timeout="1m")
def kills_demo():
    """All three fail, each with its reason; nothing of them is left running."""
    says_goodbye()
    shell("escapes", "trap '' TERM; setsid sleep 300 & sleep 300", execution_timeout="2s", grace="1s")
    hungry()
