"""The pane of what tasks wait for besides each other: pools, circuit breakers and people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from console.actions.flow import Flow
from console.actions.views.limits import ask_resize, name_in
from console.model.limits import LimitsCard
from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.explaining import why
from console.screens.pane import Bar, ListPane
from console.view import limits as view
from console.view.columns import LIMITS
from console.view.sorting import Column
from console.view.spans import Spans

if TYPE_CHECKING:
    from console.app import ConsoleApp

PAGE = Page("limits")
_RESIZE = "limits.resize"


class LimitsPane(ListPane):
    """One list; the cursor stands on a pool, a breaker or a question."""

    view = "limits"

    def interest(self) -> Interest:
        """One page."""
        return Interest(page=PAGE)

    def card(self, scene: Scene) -> LimitsCard | None:
        """What has been read; None until it has."""
        found = scene.snapshot.paged if scene.snapshot.page == PAGE else None
        return found if isinstance(found, LimitsCard) else None

    def columns(self) -> tuple[Column[Any], ...]:
        """What pools and breakers can be sorted by."""
        return LIMITS

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        card = self.card(scene)
        if card is None:
            self.show_words("reading")
        else:
            zones = {dag.dag_id: dag.timezone for dag in scene.snapshot.dags} if card.questions else {}
            width = self.list.row_width
            self.list.show(view.rows(card, scene.now, width, scene.link.gauges, zones, self.sorting))

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return view.title(width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much there is."""
        return view.facts(self.card(scene))

    def target(self, scene: Scene) -> Target:
        """A question's task; a pool or a breaker as an attention key of its own."""
        key = self.list.cursor_key
        if not isinstance(key, tuple):
            return Target(self.view)
        if key[0] == "ask":
            asked = next((q for q in (self.card(scene) or LimitsCard()).questions if q.run_id == key[1]), None)
            return Target(self.view, None if asked is None else asked.dag_id, key[1], key[2], key[3])
        if key[0] in ("host", "process"):
            return Target(self.view)  # a figure: there is nothing to do with it
        return Target(self.view, attention=f"{key[0]}:{key[1]}")

    def is_failing(self, scene: Scene, key: object) -> bool:
        """A breaker that is open."""
        card = self.card(scene) or LimitsCard()
        return any(each.state == "open" and key == ("breaker", each.name) for each in card.breakers)

    def entered(self, purpose: str, text: str) -> None:
        """The number of slots was typed."""
        app = cast("ConsoleApp", self.app)
        name = purpose.removeprefix(f"{_RESIZE} ")
        words = text.strip().lower()
        slots = -1 if words in ("unlimited", "none", "∞", "-1") else int(words) if words.isdecimal() else None
        if slots is None:
            app.say(f"{text!r} is not a number of slots, nor `unlimited`", "warn")
            return
        ask = ask_resize(app.scene(), Target(self.view, attention=f"pool:{name}"))
        ask = replace(ask, args={**ask.args, "slots": slots})
        Flow(app, ask, app.scene().snapshot.home.production).start()


def enter(app: ConsoleApp, target: Target) -> None:
    """The task that asks, in its run; else why the pool or the breaker stands as it does."""
    if target.run_id is not None:
        app.go(Place("run", target.dag_id, target.run_id, target.task_id, target.map_index))
    else:
        why(app, target)


def resize(app: ConsoleApp, target: Target) -> None:
    """Asks for the pool's new size."""
    name = name_in(target)
    app.stage.ask_line(f"{_RESIZE} {name}", f"slots of {name}: ")
