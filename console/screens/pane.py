"""What every view's pane can do: draw a scene, and say what its cursor stands on."""

from __future__ import annotations

from textual.containers import Vertical
from textual.widget import Widget

from console.model.snapshot import Interest, Scene
from console.model.targets import Target
from console.view.spans import Spans

Bar = tuple[Spans, Spans]
"""The left and right side of a line."""


class Pane(Vertical):
    """One view. Only the pane in front is drawn."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    view = ""

    def draw(self, scene: Scene) -> None:
        """Shows the scene; cells that did not change cost nothing."""
        raise NotImplementedError

    def title(self, scene: Scene, width: int) -> Bar | None:
        """The line under the header; None where the view needs none."""
        return None

    def rule(self, scene: Scene, width: int) -> Spans:
        """What stands in the rule, on its right."""
        return ()

    def target(self, scene: Scene) -> Target:
        """What the cursor stands on."""
        return Target(self.view)

    def interest(self) -> Interest:
        """What has to be in the picture for this view."""
        return Interest()

    def focus_inside(self) -> Widget:
        """The widget that takes the keys."""
        raise NotImplementedError

    def leave(self) -> None:
        """Another pane comes in front."""

    def next_failure(self, scene: Scene, step: int) -> bool:
        """Puts the cursor on the next (or previous) failure; False when there is none."""
        return False
