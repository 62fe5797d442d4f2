"""What a DAG file imports, and `python -m dagdeck`.

from dagdeck import dag, shell, task

@dag(schedule="@daily", start_date="2024-01-01")
def hello():
    shell("greet", "echo hello") >> shell("leave", "echo bye")
"""

from engine.authoring.approvals import approval
from engine.authoring.breakers import Breaker
from engine.authoring.connections import Connection, connection
from engine.authoring.context import TaskContext
from engine.authoring.dag import DAG, dag
from engine.authoring.decorators import setup, task, teardown
from engine.authoring.exceptions import (
    DefinitionError,
    FailTask,
    ParamError,
    PermanentError,
    RetryAfter,
    SkipTask,
    TransientError,
)
from engine.authoring.groups import TaskGroup, task_group
from engine.authoring.lazy import ParamValue
from engine.authoring.params import Param
from engine.authoring.retries import Partial, RetryRule
from engine.authoring.tasks import shell
from engine.authoring.wiring import Task, chain, cross_downstream

__all__ = [
    "DAG",
    "Breaker",
    "Connection",
    "DefinitionError",
    "FailTask",
    "Param",
    "ParamError",
    "ParamValue",
    "Partial",
    "PermanentError",
    "RetryAfter",
    "RetryRule",
    "SkipTask",
    "Task",
    "TaskContext",
    "TaskGroup",
    "TransientError",
    "approval",
    "chain",
    "connection",
    "cross_downstream",
    "dag",
    "setup",
    "shell",
    "task",
    "task_group",
    "teardown",
]

if __name__ == "__main__":
    from console.cli.main import main

    main()
