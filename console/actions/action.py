"""What an action is: data, and pure functions from scene and target to whether it is possible and what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from console.model.asks import Selection
from console.model.keys import TaskRef
from console.model.snapshot import Scene
from console.model.targets import Target

OVERVIEW, DAG, RUN, LOG, SOURCE = "overview", "dag", "run", "log", "source"
EVERYWHERE = frozenset({"*"})
LISTS = frozenset({"@lists"})
"""Views whose cursor stands on a row that can be opened, explained, copied."""
ROWS = frozenset({"@rows"})
"""Views whose target is a DAG, a run or a task, which can be changed."""

Key: TypeAlias = str
"""A printable key as it is typed (`x`, `X`, `?`), or its name: `enter`, `escape`, `ctrl+p`, `space`, `pagedown`."""

WhyNot: TypeAlias = Callable[[Scene, Target], str | None]
"""Why an action is not possible now, as a sentence for people; None when it is."""


class Danger(Enum):
    """What an action can do: nothing to the home, change state, or end processes."""

    NONE = "none"
    CHANGES = "changes"
    KILLS = "kills"


@dataclass(frozen=True, slots=True)
class Switch:
    """An option of a dialog. Its name is the argument of the verb; of one `group` exactly one is on."""

    name: str
    key: Key
    label: str
    on: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a dialog asks the engine for, with the identity frozen at the key press."""

    verb: str
    title: str
    selection: Selection
    words: str
    """How the intent reads: `kill requested`."""
    refs: frozenset[TaskRef]
    args: Mapping[str, Any] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()
    note: bool = True

    @property
    def does(self) -> str:
        """What Enter does, in the words of the title."""
        return self.title.partition(" ── ")[0].lower()

    def switched(self, names: frozenset[str]) -> Ask:
        """The same with these switches on; of a group, the others are off then."""
        groups = {switch.group for switch in self.switches if switch.name in names and switch.group}
        changed = tuple(
            replace(switch, on=True)
            if switch.name in names
            else replace(switch, on=False)
            if switch.group in groups
            else switch
            for switch in self.switches
        )
        return replace(self, switches=changed)

    def arguments(self, values: Mapping[str, bool]) -> dict[str, Any]:
        """The verb's arguments for the switches as they stand; a group gives its chosen name as its value."""
        found = dict(self.args)
        for switch in self.switches:
            on = values.get(switch.name, switch.on)
            if not switch.group:
                found[switch.name] = on
            elif on:
                found[switch.group] = switch.name
        return found


def always(scene: Scene, target: Target) -> str | None:
    """For actions that are always possible."""
    return None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an operator can do. `rank` orders the key line, most useful first; 0 keeps it off that line."""

    id: str
    title: str
    help: str
    keys: tuple[Key, ...] = ()
    views: frozenset[str] = EVERYWHERE
    """Ids of views, or the groups that views belong to."""
    danger: Danger = Danger.NONE
    verb: str | None = None
    rank: int = 0
    why_not: WhyNot = always
    ask: Callable[[Scene, Target], Ask] | None = None
    label: Callable[[Scene, Target], str] | None = None
    group: str = "look"
    opens: str = ""
    """The id of the view that it opens, for what the cursor stands on; then it needs no handler."""

    def title_for(self, scene: Scene, target: Target) -> str:
        """Its title, for what it would do here."""
        return self.title if self.label is None else self.label(scene, target)


@dataclass(frozen=True, slots=True)
class View:
    """One view: its pane, the groups of shared actions that make sense there, and its own actions.

    `pane` and `handlers` name objects as `module:name`, imported when they are first needed: a pane is a
    `console.screens.pane.Pane`, a handler takes the app and the target. `order` is its place in lists of views.
    """

    id: str
    title: str
    pane: str
    order: int
    groups: frozenset[str] = LISTS | ROWS
    actions: tuple[Action, ...] = ()
    handlers: Mapping[str, str] = field(default_factory=dict)

    def takes(self, action: Action) -> bool:
        """Whether an action makes sense here."""
        return bool(action.views & (self.groups | EVERYWHERE | {self.id}))
