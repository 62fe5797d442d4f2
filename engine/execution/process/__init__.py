"""What runs outside the engine: runner, host, child and shim. Standard library, `engine.model` and `engine.authoring`.

This package imports nothing by itself; `bootstrap` is run by path and decides what may be imported at all.
"""
