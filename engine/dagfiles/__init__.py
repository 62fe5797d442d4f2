"""DAG files: found in `dags/`, parsed in child processes, validated, and kept as versions (bundles).

Nothing is imported here: the parse child loads this package in the user's interpreter.
"""
