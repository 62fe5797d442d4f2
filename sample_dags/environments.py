"""Environments: the same DAG against development and production.

In `dagdeck.toml`:

    environment = "dev"

    [config]
    source = "s3://dev-data/"

    [env.dev]

    [env.prod]
    production = true
    config = { source = "s3://prod-data/" }
    params = { sample = 1.0 }

Then `dagdeck trigger environments --env prod`, or `dagdeck engine start --env prod` for all runs.
"""

from dagdeck import Param, dag, shell, task


@task
def plan(config, environment, params):
    """Without `[config]` it reads where its own folder is."""
    source = config.get("source", "./")
    print(f"{environment or 'no environment'}: a sample of {params['sample']:g} from {source}")
    return {"source": source, "sample": params["sample"]}


@dag(
    params={"sample": Param(0.01, type="number", minimum=0, maximum=1)},
    tags=["config"],
    owner="samples",
    extra_params=True,
)
def environments():
    """What a run reads, and how much of it, is said by its environment."""
    plan() >> shell("show", 'echo "in ${DAGDECK_ENVIRONMENT:-no environment}: $DAGDECK_CONFIG"')
