"""What a DAG file uses: `@dag`, `DAG`, `@task`, `shell`, `Param`, and what turns them into a serialized DAG.

Loaded in the user's interpreter, so it imports the standard library and `engine.model` alone.
"""
