"""The code of a DAG version."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import SOURCE, Action, View
from console.model.snapshot import Scene
from console.model.source import SourceCard
from console.model.targets import Target

_SOURCE = frozenset({SOURCE})
_DOING = "console.screens.source:"


def _older(scene: Scene, target: Target) -> str | None:
    card = scene.snapshot.paged
    return "this is the first version" if isinstance(card, SourceCard) and card.older is None else None


def _newer(scene: Scene, target: Target) -> str | None:
    card = scene.snapshot.paged
    return "this is the current version" if isinstance(card, SourceCard) and card.newer is None else None


_ACTIONS = (
    Action("source.back", "back", "Back to where the source was opened.", ("escape",), _SOURCE),
    Action("source.compare", "compare", "What has changed from this version to the current one, or the whole source.",
           ("=", "v"), _SOURCE, rank=90, why_not=possible.a_dag),
    Action("source.older", "earlier version", "The version of the DAG before this one.", ("h", "left"), _SOURCE,
           rank=80, why_not=possible.first(possible.a_dag, _older)),
    Action("source.newer", "later version", "The version of the DAG after this one.", ("l", "right"), _SOURCE, rank=70,
           why_not=possible.first(possible.a_dag, _newer)),
    Action("source.open", "editor", "A copy of the file at the line, in $EDITOR; where none is set, in $PAGER.", ("o",),
           _SOURCE, rank=65, why_not=possible.a_dag),
    Action("source.next", "next file or change", "To the next file, or the next part that has changed.", ("n", "e"),
           _SOURCE, rank=60, why_not=possible.a_dag),
    Action("source.previous", "previous file or change", "To the file, or the part that has changed, before.",
           ("N", "E"), _SOURCE, why_not=possible.a_dag),
)  # fmt: skip

VIEW = View(
    SOURCE,
    "source",
    "console.screens.source:SourcePane",
    6,
    frozenset(),
    _ACTIONS,
    {
        "source.back": "console.screens.doing:back",
        "source.compare": f"{_DOING}compare",
        "source.older": f"{_DOING}older",
        "source.newer": f"{_DOING}newer",
        "source.open": "console.screens.lending:source",
        "source.next": f"{_DOING}next_part",
        "source.previous": f"{_DOING}previous_part",
    },
)
