"""Retry rules: what follows a failure depends on what failed. Delays one by one, by exception, exit code and text."""

from dagdeck import RetryRule, dag, shell, task


@task(
    retries=3,
    retry_delay=["1s", "5s", "1m"],
    retry_rules=[
        RetryRule(exception=FileNotFoundError, then="skip"),
        RetryRule(exception=["KeyError", "ValueError"], match="schema", then="fail"),
        RetryRule(exception=OSError, delay="2s"),
    ],
)
def read_file(try_number):
    """The first try meets a busy disk, which a rule has wait for two seconds; then there is no file: skipped."""
    if try_number == 1:
        raise OSError("the disk is busy")
    raise FileNotFoundError("nothing was delivered today")


@task(
    retries=4,
    retry_delay="10s",
    retry_exponential_backoff=3,
    retry_jitter=0.2,
    retry_rules=[RetryRule(http_status=[429, 503], delay="1m")],
    on_lost="fail",
)
def send():
    """Waits 10, 30, 90 seconds, a fifth more or less; a minute where the server is busy. Today it is not.

    Nothing is sent again by itself when nobody saw how an attempt ended.
    """
    print("200 OK")


@dag(tags=["retries"], owner="samples")
def retry_rules():
    """Exit code 75 (try again later) is tried again soon; a line of the log that says `denied` ends a task for good."""
    read_file()
    send()
    shell(
        "queue",
        'test "$DAGDECK_TRY_NUMBER" -ge 2 || exit 75; echo sent',
        retries=5,
        retry_delay="10m",
        retry_rules=[RetryRule(exit_code=75, delay="1s")],
    )
    shell(
        "upload",
        'echo "access denied for role guest" >&2; exit 1',
        retries=5,
        retry_rules=[RetryRule(match=r"\bdenied\b", then="fail"), RetryRule(exit_code=1, delay="1s")],
    )
