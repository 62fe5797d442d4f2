"""Tasks that may fail: the run succeeds without them, and says that something failed."""

from dagdeck import dag, shell

LOAD = "echo loading"
LINT = "echo the style guide is not followed >&2; exit 1"


@dag(tags=["failures"], owner="samples")
def allow_failure():
    """`check_style` always fails, and is the only one that may."""
    shell("check_style", LINT, allow_failure=True) >> shell("report", "echo reported", trigger_rule="all_done")
    shell("load", LOAD)
