"""Which DAG is being built right now, and which file is being loaded: the two things that definitions attach to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from engine.authoring.exceptions import DefinitionError
from engine.authoring.places import user_place

if TYPE_CHECKING:
    from engine.authoring.dag import DAG, DagFunction


@dataclass
class FileRegistry:
    """The DAGs that one DAG file defines. `file` and `root` are absolute paths."""

    file: str
    root: str
    dags: dict[str, DAG] = field(default_factory=dict)
    functions: list[DagFunction] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def owns_running_code(self) -> bool:
        """Whether the module whose body runs is the loaded file, and not another DAG file that it imports."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_code.co_filename
            if frame.f_code.co_name == "<module>" and (name == self.file or Path(name).is_relative_to(self.root)):
                return name == self.file
            frame = frame.f_back
        return True

    def add(self, dag: DAG) -> None:
        """Registers a DAG under its id. Raises DefinitionError when the file defines that id twice."""
        other = self.dags.get(dag.dag_id)
        if other is not None:
            raise DefinitionError(
                f"DAG id {dag.dag_id!r} is defined twice in this file, first on line {other.place.line}: "
                "give each DAG an id of its own",
                dag.place,
            )
        self.dags[dag.dag_id] = dag


_building: list[DAG] = []
_loading: list[FileRegistry] = []


def current_dag() -> DAG | None:
    """The DAG whose body is being executed, if any."""
    return _building[-1] if _building else None


def require_dag(what: str) -> DAG:
    """The DAG being built. Raises DefinitionError, saying what needed it, when there is none."""
    if not _building:
        raise DefinitionError(f"{what} outside of a DAG: do it in a @dag function or in `with DAG(...)`")
    return _building[-1]


def push_dag(dag: DAG) -> None:
    """Makes `dag` the one that new tasks belong to."""
    _building.append(dag)


def pop_dag() -> None:
    """Ends what `push_dag` began."""
    _building.pop()


def loading() -> FileRegistry | None:
    """The registry of the file that is being loaded, if one is."""
    return _loading[-1] if _loading else None


def read_beside(name: str) -> str:
    """The text of a data file beside the DAG file, which from then on is a part of the DAG's version.

    Raises ValueError for a file that is not there, or lies outside of `dags/`.
    """
    registry = loading()
    if registry is None:
        path = Path(user_place().file).parent / name
    else:
        path = Path(registry.file).parent / name
        if not Path(os.path.normpath(path)).is_relative_to(registry.root):
            raise ValueError(f"a file below dags/: {name} lies elsewhere")
        _files_read.append(os.path.normpath(path))
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"a file of plain text: {name} is not UTF-8") from None
    except OSError as problem:
        raise ValueError(f"a file that can be read: {name}: {problem.strerror}") from None


def files_read() -> list[str]:
    """The data files that the file being loaded, or the one loaded last, has asked for. Absolute paths."""
    return list(_files_read)


def push_loading(registry: FileRegistry) -> None:
    """Begins to load a file: its DAGs register there, and it sees none that was being built outside."""
    if not _loading:
        _files_read.clear()
    _loading.append(registry)
    _saved.append(_building.copy())
    _building.clear()


def pop_loading() -> None:
    """Ends what `push_loading` began, whatever the file has left open."""
    _loading.pop()
    _building[:] = _saved.pop()


_saved: list[list[DAG]] = []
_files_read: list[str] = []
