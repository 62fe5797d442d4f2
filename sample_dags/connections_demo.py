"""Connections: a task asks for a system by name; where it is and how to get in stands in dagdeck.toml.

    [connections.demo_api]
    uri = "https://api.example.org"
    token = { file = "demo_secrets.toml", key = "demo.token" }

with a file `demo_secrets.toml` beside it, `chmod 600`, that says

    [demo]
    token = "not-a-real-token"
"""

from dagdeck import connection, dag, shell, task


@task
def ask():
    """Printing the token shows `***`: whatever this task writes is masked before it reaches the log."""
    api = connection("demo_api")
    print(f"asking {api.uri} with {api.token}")
    return {"asked": api.uri}


@dag(tags=["config"], owner="samples")
def connections_demo():
    """A Python task and a shell task use the same connection."""
    ask() >> shell("tell", 'echo "with $DAGDECK_CONN_DEMO_API_TOKEN"', connections=["demo_api"])
