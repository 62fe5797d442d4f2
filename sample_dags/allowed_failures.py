"""Which failures fail a run: a task may be allowed to fail, and a DAG may let its last tasks alone decide."""

from dagdeck import dag, shell


@dag(tags=["failures"], owner="samples")
def allowed_failures():
    """Succeeds, and says that a failure was allowed."""
    shell("load", "echo loaded") >> shell("tell_chat", "echo nobody listens >&2; exit 1", allow_failure=True)


@dag(tags=["failures"], owner="samples", outcome="leaves")
def leaves_decide():
    """Succeeds although its first task fails: the last one runs anyway, and only last tasks count."""
    shell("try_fast_way", "exit 1") >> shell("slow_way", "echo it takes longer", trigger_rule="all_done")
