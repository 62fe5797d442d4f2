"""Dependencies: every way to say which task comes after which."""

from dagdeck import chain, dag, shell, task


@task
def wait_for_data():
    """A task that is wired without being called becomes one task with the function's name."""
    print("the data is there")


@task
def process_data():
    print("processing")


@dag(tags=["dependencies"], owner="samples")
def dependencies():
    """Edges only: no values are passed, so the order is all that counts."""
    wait_for_data >> process_data

    transform = shell("transform", "echo transform")
    process_data >> transform

    # One to many, and many to one: lists stand on either side.
    aggregate, export, archive = (shell(name, f"echo {name}") for name in ("aggregate", "export", "archive"))
    transform >> [aggregate, export, archive] >> shell("merge", "echo merge")

    # Against the reading direction, and in one long chain.
    audit = shell("audit", "echo audit")
    audit << [aggregate, export]
    chain(audit, shell("sign", "echo sign"), shell("send", "echo send"))
