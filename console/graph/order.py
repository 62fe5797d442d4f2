"""Row orders of a DAG: every task below all of its upstream tasks, the same for the same structure.

Tasks are numbered in declaration order; `upstream[i]` holds the numbers of the tasks that task `i` waits for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


def downstream_of(upstream: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each task the tasks that wait for it, in declaration order."""
    downstream: list[list[int]] = [[] for _ in upstream]
    for task, sources in enumerate(upstream):
        for source in sources:
            downstream[source].append(task)
    return downstream


def depth_first(upstream: Sequence[Sequence[int]], downstream: Sequence[Sequence[int]]) -> list[int]:
    """A branch is followed to its end before the next one begins. Raises ValueError on a cycle."""
    missing = [len(sources) for sources in upstream]
    ready = [task for task in range(len(upstream) - 1, -1, -1) if not missing[task]]
    order: list[int] = []
    while ready:
        task = ready.pop()
        order.append(task)
        for target in reversed(downstream[task]):
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return _whole(order, len(upstream))


def breadth_first(upstream: Sequence[Sequence[int]], downstream: Sequence[Sequence[int]]) -> list[int]:
    """Tasks in the order in which they become ready (Kahn). Raises ValueError on a cycle."""
    missing = [len(sources) for sources in upstream]
    ready = deque(task for task in range(len(upstream)) if not missing[task])
    order: list[int] = []
    while ready:
        task = ready.popleft()
        order.append(task)
        for target in downstream[task]:
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return _whole(order, len(upstream))


def _whole(order: list[int], size: int) -> list[int]:
    if len(order) != size:
        raise ValueError("the graph has a cycle, so it has no order")
    return order


def reachable(start: int, neighbours: Sequence[Sequence[int]]) -> set[int]:
    """All tasks reached from one by following `neighbours`, without itself."""
    found: set[int] = set()
    waiting = list(neighbours[start])
    while waiting:
        task = waiting.pop()
        if task not in found:
            found.add(task)
            waiting.extend(neighbours[task])
    return found
