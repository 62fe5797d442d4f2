"""Numbers under which processes of ours find the descriptors they are started with."""

ENGINE_FD = 3
"""In the runner: the engine."""
ORDERS_FD = 3
"""In a host: its orders."""
NEWS_FD = 4
"""In hosts, cold starts and shims: the runner's pipe."""
SECRETS_FD = 5
"""Of an attempt that is given secrets, and of the process that keeps them out of its log: what it is given, as JSON."""
