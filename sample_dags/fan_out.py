"""Fan-out and fan-in: one task, then many side by side, then one again."""

from dagdeck import dag, shell, task

REGIONS = ["africa", "america", "asia", "europe", "oceania"]


@task
def list_orders():
    """What the regions have to process."""
    return {region: 10 + 5 * number for number, region in enumerate(REGIONS)}


@task
def process_region(region, orders):
    """One region's share. The same function makes a task per region."""
    print(f"{region}: {orders} orders")
    return orders


@task
def total(parts):
    """Waits for all regions, and takes a list of their results."""
    print(f"{sum(parts)} orders in all")
    return sum(parts)


@dag(schedule="*/5 * * * *", start_date="2024-01-01", catchup=False, tags=["dependencies"], owner="samples")
def fan_out():
    """One to five to one, with shell commands beside the Python tasks."""
    orders = list_orders()
    parts = [process_region.override(task_id=f"process_{name}")(name, orders[name]) for name in REGIONS]
    archives = [shell(f"archive_{name}", f"echo archiving {name}") for name in REGIONS]
    for part, archive in zip(parts, archives, strict=True):
        part >> archive
    [total(parts), *archives] >> shell("notify", "echo all regions are done")
