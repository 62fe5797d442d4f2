"""Several DAGs from one file: `with DAG(...)` in a loop."""

from dagdeck import DAG, shell

MARKETS = {"eu": "Europe/Berlin", "us": "America/New_York", "jp": "Asia/Tokyo"}

for market, zone in MARKETS.items():
    with DAG(
        f"sales_{market}",
        schedule="0 18 * * 1-5",
        timezone=zone,
        start_date="2024-01-01",
        catchup=False,
        default_args={"retries": 1, "retry_delay": "30s", "owner": "samples"},
        tags=["sales", market],
        description=f"Closes the day in {market}, at six in the evening there.",
    ):
        shell("collect", f"echo collecting {market}") >> shell("close", 'echo closing "$DAGDECK_DS"')
