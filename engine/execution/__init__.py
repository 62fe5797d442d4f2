"""Execution: attempts as processes that outlive the engine, and what their directories say about them.

`port` is what the scheduler sees; `local` implements it. `directory` is the form on disk. `process` is what runs in
the runner, the hosts and the tasks. This package imports nothing by itself: a task's interpreter loads it too.
"""
