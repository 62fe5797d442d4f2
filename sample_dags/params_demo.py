"""Params: values that can be chosen for each run, checked before it starts."""

from dagdeck import Param, dag, task

SETTINGS = {
    "dev": {"source": "s3://dev-data", "sample": 0.01},
    "staging": {"source": "s3://staging-data", "sample": 0.1},
    "prod": {"source": "s3://prod-data", "sample": 1.0},
}


@task
def plan(source, sample, path, date):
    """By the time a task runs, params are plain values."""
    print(f"reading {sample:.0%} of {source}/{path} for {date or 'its own day'}")
    return {"source": f"{source}/{path}", "sample": sample}


@task
def run(planned, params):
    """All params are in `params`, as a dict."""
    print(f"{planned} with {params}")
    return planned["source"]


@dag(
    params={
        "date": Param(None, type="string", format="date", description="The day to process; none: the run's own day."),
        "env": Param("prod", enum=["dev", "staging", "prod"], description="Which environment's data to read."),
        "limit": Param(1000, type="integer", minimum=1, maximum=1_000_000),
    },
    tags=["params"],
    owner="samples",
)
def params_demo(date, env, limit):
    """Trigger with `--param env=dev`, or with `--param env=nowhere` to be refused.

    In this function params are not known yet. They can be looked up, put into text, and handed to tasks.
    """
    settings = env.lookup(SETTINGS)
    path = f"trades/{env}/limit={limit}/date={{ds}}"
    run(plan(settings["source"], settings["sample"], path, date))
