"""The loop that makes DAGs run: due runs, admission under limits, timers, dispatch, recovery.

All state moves go through `engine.lifecycle`; everything is committed before anything acts on it.
"""
