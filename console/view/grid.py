"""The grid: a row for each task with its rail, a column of one cell for each run; pure."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from console.figures import date, percent
from console.glyphs import bar
from console.graph.rail import Rail, build
from console.model.dags import RunMark
from console.model.grid import Grid
from console.model.runs import TaskPlan
from console.model.snapshot import Scene
from console.text import cell_len
from console.view.backfills import gap_token
from console.view.spans import ACCENT, BAD, DIM, TEXT, Line, Spans, crop
from console.view.words import logical_words, sign, took_words, usual_words

_TAIL = 26
"""Cells of the figures behind the grid, where there is room for them."""
_GRAPH = 23


class Shape:
    """What depends on the tasks alone: the rail and the order of rows."""

    def __init__(self, plan: tuple[TaskPlan, ...]) -> None:
        self.plan = plan
        numbers = {task.task_id: number for number, task in enumerate(plan)}
        upstream = [[numbers[name] for name in task.upstream if name in numbers] for task in plan]
        self.rail: Rail = build(upstream)
        self.order = tuple(plan[number] for number in self.rail.order)
        self.index: dict[Hashable, int] = {("task", task.task_id): at for at, task in enumerate(self.order)}
        self.longest = max((cell_len(task.task_id) for task in plan), default=4)


@dataclass(frozen=True, slots=True)
class Window:
    """Which columns of runs are in sight, and which one the cursor is in."""

    first: int
    count: int
    cursor: int

    @classmethod
    def around(cls, cursor: int, before: int, runs: int, count: int) -> Window:
        """A window of `count` columns that holds the cursor and moves as little as it can from `before`."""
        cursor = max(0, min(cursor, runs - 1))
        first = min(max(before, cursor - count + 1), cursor)
        return cls(max(0, min(first, runs - count)), min(count, runs), cursor)


def columns(width: int, shape: Shape) -> tuple[int, int, int, int]:
    """Cells of the rail, of the names, of the grid and of the figures, for rows of `width` cells."""
    graph = min(max(shape.rail.width, 1), _GRAPH if width >= 100 else 9)
    name = max(min(shape.longest, 28 if width >= 140 else 20 if width >= 100 else 16), 8)
    tail = _TAIL if width >= 100 else 0  # and a blank at the very end
    cells = max(width - graph - name - 4 - (tail + 3 if tail else 0), 8)
    return graph, name, cells, tail


class GridRows:
    """The rows of the tasks, made on demand."""

    def __init__(self, grid: Grid, shape: Shape, window: Window, before: GridRows | None = None) -> None:
        self.grid, self.shape, self.window = grid, shape, window
        self._cache: dict[tuple[int, int], Spans] = {}
        self._shares: dict[str, tuple[int, int]] = {}
        self._runs = grid.runs[window.first : window.first + window.count]
        if before is not None and before.shape is shape:
            self._keep(before)

    def _keep(self, before: GridRows) -> None:
        """Takes over the rows that say the same as before: of a grid that lives, nearly all of them."""
        old, new = before.grid, self.grid
        if [run.id for run in old.runs] != [run.id for run in new.runs]:
            return
        moved = [run.id for run in new.runs if new.cells.get(run.id) is not old.cells.get(run.id)]
        names = {
            task_id for run in moved for task_id, _ in new.cells.get(run, {}).items() ^ old.cells.get(run, {}).items()
        }
        self._shares = {task: share for task, share in before._shares.items() if task not in names}
        if before.window == self.window and old.usual == new.usual:
            self._cache = {at: row for at, row in before._cache.items() if self.shape.order[at[0]].task_id not in names}

    def __len__(self) -> int:
        return len(self.shape.order)

    def key(self, index: int) -> Hashable:
        """The task of a row."""
        return "task", self.shape.order[index].task_id

    def index(self, key: Hashable | None) -> int | None:
        """Where a task stands."""
        return self.shape.index.get(key)

    def row(self, index: int, width: int) -> Spans:
        """The content of a row."""
        spans = self._cache.get((index, width))
        if spans is None:
            spans = self._cache[index, width] = crop(self._task_row(index, width), max(width, 1))
        return spans

    def _task_row(self, index: int, width: int) -> Spans:
        task = self.shape.order[index]
        graph, name, cells, tail = columns(width, self.shape)
        newest = self.grid.runs[-1] if self.grid.runs else None
        line = Line().spans(self._rail(index, task, newest, graph), graph).gap(2)
        line.cell(task.task_id, name, TEXT, cut="middle").gap(2)
        end = line.width + cells
        for at, run in enumerate(self._runs, self.window.first):
            state = self.grid.state(run, task.task_id)
            glyph, token = (" ", DIM) if state is None else sign(state)
            line.add(glyph, f"{token} reverse" if at == self.window.cursor else token)
        line.pad(end)
        return self._figures(line, task).done() if tail else line.done()

    def _rail(self, index: int, task: TaskPlan, newest: RunMark | None, width: int) -> Spans:
        row = self.shape.rail.row(index)
        state = None if newest is None else self.grid.state(newest, task.task_id)
        line = Line()
        for at, character in enumerate(row.text[:width]):
            if at == row.node or (at == width - 1 and row.node >= width):
                line.add(*sign(state or "none"))
            else:
                line.add(character, DIM)
        return line.done()

    def _figures(self, line: Line, task: TaskPlan) -> Line:
        if task.task_id not in self._shares:
            states = [self.grid.state(run, task.task_id) for run in self.grid.runs]
            self._shares[task.task_id] = states.count("success"), states.count("failed")
        well, ill = self._shares[task.task_id]
        usual = self.grid.usual.get(task.task_id)
        p50, p95 = (None, None) if usual is None else (usual.p50, usual.p95)
        line.gap(2).figure("–" if p50 is None else usual_words(p50), 8, DIM)
        line.gap(1).figure("–" if p95 is None else usual_words(p95), 8, DIM)
        return line.gap(2).figure(percent(well, well + ill), 7, BAD if ill > well else DIM)


def heads(scene: Scene, grid: Grid, shape: Shape, window: Window, zone: str, width: int) -> list[Spans]:
    """The two lines above the tasks: days, and how long each run took; with a mark over the cursor's column."""
    graph, name, cells, tail = columns(width, shape)
    runs = grid.runs[window.first : window.first + window.count]
    first = graph + name + 4
    days = Line().pad(first)
    shown = ""
    found = ((at, grid.gap_before(window.first + at)) for at in range(len(runs)))
    marked = {at: gap_token(gap) for at, gap in found if gap is not None}
    for at, run in enumerate(runs):
        day = date(run.logical_date, zone)
        fits = (
            days.width + (at - 1 in marked) <= first + at
            and at + len(day) < cells
            and marked.keys().isdisjoint(range(at, at + len(day) + 1))
        )
        if at in marked:
            days.pad(first + at).add("_", marked[at])
        elif day != shown and fits:
            days.pad(first + at).add(day + " ", DIM)
            shown = day
    if tail:
        days.pad(first + cells).gap(2).figure("p50", 8, DIM).gap(1).figure("p95", 8, DIM).gap(2).figure("ok", 7, DIM)
    most = max((run.duration(scene.now) or 0 for run in runs if run.state == "success"), default=0)
    bars = Line().cell("run", graph + 2 + name, DIM, align="right").gap(2)
    for at, run in enumerate(runs, window.first):
        glyph, token = (bar((run.duration(scene.now) or 0) * 6, most * 7), DIM)
        if run.state != "success":
            glyph, token = sign(run.state)
        bars.add(glyph, f"{ACCENT} bold reverse" if at == window.cursor else token)
    return [crop(days.done(), width), crop(bars.done(), width)]


def about(scene: Scene, grid: Grid, run: RunMark, task_id: str | None, zone: str) -> Spans:
    """What the cursor stands on: the run, and the task's state in it."""
    took = run.duration(scene.now)
    line = Line().add(logical_words(run.logical_date, zone), TEXT).add(" ")
    line.add(*sign(run.state)).add(f" {run.state}", DIM)
    line.add("" if took is None else f" {took_words(took)}", TEXT)
    gap = grid.gap_before(grid.runs.index(run)) if run in grid.runs else None
    if gap is not None:
        line.add(f"   _ {gap.runs:,} earlier run{'s' if gap.runs != 1 else ''} left out, b fills", gap_token(gap))
    state = None if task_id is None else grid.state(run, task_id)
    if task_id is not None:
        line.add("   ").add(task_id, f"{TEXT} bold").add(" ")
        line.add(*(sign(state) if state else ("", DIM)))
        line.add(" not in that version" if state is None else f" {state.replace('_', ' ')}", DIM)
    return line.done()
