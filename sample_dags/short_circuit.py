"""A short circuit: a task whose answer decides whether what lies below it runs."""

from dagdeck import dag, shell, task


@task.short_circuit
def is_month_end(data_interval_end):
    """False skips everything below, whatever its trigger rules say."""
    return data_interval_end.day == 1


@task.short_circuit(ignore_downstream_trigger_rules=False)
def has_news():
    """False skips only what is directly below; after that trigger rules decide."""
    return False


@dag(tags=["dependencies"], owner="samples")
def short_circuit():
    """On most days the report is skipped; there is never news, but the summary is written all the same."""
    is_month_end() >> shell("report", "echo closing the month") >> shell("send", "echo sent", trigger_rule="all_done")
    has_news() >> shell("publish", "echo published") >> shell("summary", "echo nothing new", trigger_rule="all_done")
