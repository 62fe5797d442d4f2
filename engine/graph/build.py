"""Build the graph of a DAG from each task's upstream ids, or say why that cannot be done."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn


class GraphError(ValueError):
    """Tasks that do not form a DAG, or an id that is not in it.

    `cycle` is the path of a cycle, its first id repeated at the end; empty for other errors.
    """

    def __init__(self, text: str, cycle: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.cycle = cycle


class Graph:
    """An immutable DAG of task ids.

    `edges` maps every task, in declaration order, to the ids of its upstream tasks. Naming an upstream task twice is
    the same as naming it once. Raises GraphError for an unknown upstream id, a task that is its own upstream, and a
    cycle, which it names by its full path.
    """

    __slots__ = ("_down", "_ids", "_levels", "_numbers", "_order", "_places", "_up")

    def __init__(self, edges: Mapping[str, Sequence[str]]) -> None:
        self._ids: tuple[str, ...] = tuple(edges)
        self._numbers: dict[str, int] = {task: number for number, task in enumerate(self._ids)}
        self._up: list[tuple[int, ...]] = [self._resolve(task, ids) for task, ids in edges.items()]
        down: list[list[int]] = [[] for _ in self._ids]
        for number, upstream in enumerate(self._up):
            for above in upstream:
                down[above].append(number)
        self._down: list[list[int]] = down
        self._levels: list[int] = self._find_levels()
        self._order: tuple[str, ...] = self._find_order()
        self._places: dict[str, int] = {task: place for place, task in enumerate(self._order)}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        """The ids in declaration order."""
        return iter(self._ids)

    def __contains__(self, task: object) -> bool:
        return task in self._numbers

    def topological(self) -> tuple[str, ...]:
        """Every id after all of its upstream ids: by level, and in declaration order within a level."""
        return self._order

    def index(self, task: str) -> int:
        """The place of a task in the topological order, from 0."""
        self._number(task)
        return self._places[task]

    def level(self, task: str) -> int:
        """How many tasks stand before this one on the longest path to it: 0 for roots."""
        return self._levels[self._number(task)]

    @property
    def depth(self) -> int:
        """How many tasks are on the longest path: 0 for an empty graph, 1 if there are no edges."""
        return max(self._levels, default=-1) + 1

    @property
    def roots(self) -> tuple[str, ...]:
        """The tasks without upstream tasks, in declaration order."""
        return tuple(task for task, upstream in zip(self._ids, self._up, strict=True) if not upstream)

    @property
    def leaves(self) -> tuple[str, ...]:
        """The tasks without downstream tasks, in declaration order."""
        return tuple(task for task, downstream in zip(self._ids, self._down, strict=True) if not downstream)

    def upstream(self, task: str) -> tuple[str, ...]:
        """The direct upstream ids of a task, in the order in which it names them."""
        return tuple(self._ids[number] for number in self._up[self._number(task)])

    def downstream(self, task: str) -> tuple[str, ...]:
        """The direct downstream ids of a task, in declaration order."""
        return tuple(self._ids[number] for number in self._down[self._number(task)])

    def ancestors(self, tasks: str | Iterable[str]) -> frozenset[str]:
        """All tasks from which a path leads to one of `tasks`; one of these is included only if it is such a task."""
        return self._reach(tasks, self._up)

    def descendants(self, tasks: str | Iterable[str]) -> frozenset[str]:
        """All tasks to which a path leads from one of `tasks`; one of these is included only if it is such a task."""
        return self._reach(tasks, self._down)

    def _number(self, task: str) -> int:
        number = self._numbers.get(task)
        if number is None:
            raise GraphError(f"there is no task {task!r} in this DAG{self._suggestion(task)}")
        return number

    def _resolve(self, task: str, ids: Sequence[str]) -> tuple[int, ...]:
        """The numbers of a task's upstream ids, each once, in the order given."""
        numbers = dict.fromkeys(map(self._numbers.get, ids))
        if None in numbers:
            unknown = next(name for name in ids if name not in self._numbers)
            raise GraphError(
                f"task {task!r} has an upstream task {unknown!r} that is not in this DAG{self._suggestion(unknown)}"
            )
        if self._numbers[task] in numbers:
            raise GraphError(
                f"task {task!r} is its own upstream ({task} -> {task}); take that dependency out", cycle=(task, task)
            )
        return tuple(number for number in numbers if number is not None)

    def _suggestion(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._ids, n=1) if len(self._ids) <= 1000 else []
        return f"; did you mean {close[0]!r}?" if close else ""

    def _find_levels(self) -> list[int]:
        """The length of the longest path to each task, in time linear in tasks and edges."""
        missing = [len(upstream) for upstream in self._up]
        levels = [0] * len(self._ids)
        ready = [number for number, count in enumerate(missing) if count == 0]
        for number in ready:
            below = levels[number] + 1
            for target in self._down[number]:
                levels[target] = max(levels[target], below)
                missing[target] -= 1
                if missing[target] == 0:
                    ready.append(target)
        if len(ready) < len(self._ids):
            self._refuse_cycle(missing)
        return levels

    def _find_order(self) -> tuple[str, ...]:
        layers: list[list[str]] = [[] for _ in range(self.depth)]
        for task, level in zip(self._ids, self._levels, strict=True):
            layers[level].append(task)
        return tuple(task for layer in layers for task in layer)

    def _refuse_cycle(self, missing: list[int]) -> NoReturn:
        """Name one cycle among the tasks that still miss an upstream task, from its first declared task on."""
        import networkx  # takes about 0.2 s to import, and only a broken DAG needs it

        stuck = networkx.DiGraph()
        stuck.add_edges_from(
            (above, number)
            for number, count in enumerate(missing)
            if count
            for above in self._up[number]
            if missing[above]
        )
        members = [edge[0] for edge in networkx.find_cycle(stuck)]
        first = members.index(min(members))
        path = tuple(self._ids[number] for number in [*members[first:], *members[: first + 1]])
        raise GraphError(
            f"tasks depend on each other in a cycle: {' -> '.join(path)}; take one of these dependencies out",
            cycle=path,
        )

    def _reach(self, tasks: str | Iterable[str], neighbours: Sequence[Sequence[int]]) -> frozenset[str]:
        pending = [self._number(task) for task in ([tasks] if isinstance(tasks, str) else tasks)]
        seen: set[int] = set()
        while pending:
            for number in neighbours[pending.pop()]:
                if number not in seen:
                    seen.add(number)
                    pending.append(number)
        return frozenset(self._ids[number] for number in seen)
