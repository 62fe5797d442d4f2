"""One task for each item of a list that another task finds: mapped tasks, in Python and as shell commands.

How many instances there are is known only when `list_files` has ended. `total` gets their results as one list, in the
order of the items. Clear `list_files` with everything below it, and the instances follow the new list.
"""

from dagdeck import dag, shell, task


@task
def list_files(params):
    """As many files as the param says."""
    return [f"part-{number:03}.csv" for number in range(params["files"])]


@task(retries=1, retry_delay="1s")
def count_rows(file, factor):
    """One instance for each file: `count_rows[0]`, `count_rows[1]`, …"""
    return len(file) * factor


@task
def total(counts):
    """The results of all instances, in order."""
    print(f"{len(counts)} files with {sum(counts)} rows")
    return sum(counts)


@dag(schedule=None, params={"files": 5}, tags=["sample"])
def mapped_files():
    """Lists files, counts each one in a task of its own, and sums up."""
    files = list_files()
    counts = count_rows.partial(factor=10).expand(file=files)
    total(counts)
    shell("archive", 'echo "index $DAGDECK_MAP_INDEX archives $FILE"').expand(FILE=files)
