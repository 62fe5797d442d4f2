"""Carrying actions out: where each one leads. Changes go through their dialog; everything else only looks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from console.actions import many, possible
from console.actions.action import OVERVIEW, Action, Ask
from console.actions.flow import Flow, carry_out
from console.actions.registry import BY_ID
from console.actions.views import VIEWS
from console.model.intents import Intent
from console.model.keys import UNMAPPED
from console.model.place import Place
from console.model.targets import Target
from console.screens.explaining import show_details, why

if TYPE_CHECKING:
    from console.app import ConsoleApp

Handler = Callable[["ConsoleApp", Target], None]


def do(app: ConsoleApp, action: Action, target: Target, switches: frozenset[str] = frozenset()) -> None:
    """Does a possible action; `switches` are those of its dialog that are on from the beginning."""
    if action.id == "trigger":
        from console.screens.trigger import open_form

        open_form(app, target)
    elif action.id == "trigger_again":
        from console.screens.trigger import open_again

        open_again(app, target)
    elif action.id == "backfill":
        from console.screens.backfill_form import open_form as open_backfill_form

        open_backfill_form(app, target)
    elif action.id == "acknowledge" and possible.a_cause(app.scene(), target) is None:
        app.perform(BY_ID["claim"], target)
    elif action.id == "acknowledge":
        assert action.ask is not None
        app.spawn(_at_once(app, action.ask(app.scene(), target)))
    elif action.ask is not None and not any(action.id in view.handlers for view in VIEWS.values()):
        ask = many.ask(action, app.scene(), target)
        unknown = sorted(switches - {switch.name for switch in ask.switches})
        if unknown:
            named = ", ".join(switch.name for switch in ask.switches) or "none"
            app.say(f"{action.title} has no switch {unknown[0]!r}; it has: {named}", "warn")
            return
        pane = app.stage.front
        done = pane.unmark if many.takes(action, target) else None
        Flow(app, ask.switched(switches), app.scene().snapshot.home.production, done).start()
    elif action.opens == app.place.view:
        app.redraw()
    elif action.opens:
        app.go(Place.of(action.opens, target))
    else:
        (_HANDLERS.get(action.id) or _elsewhere(action))(app, target)


def _elsewhere(action: Action) -> Handler:
    """The handler of an action by its path, or the one that a view declares for an action of its own."""
    path = _PATHS.get(action.id) or next(
        view.handlers[action.id] for view in VIEWS.values() if action.id in view.handlers
    )
    module, _, name = path.partition(":")
    return cast(Handler, getattr(import_module(module), name))


async def _at_once(app: ConsoleApp, ask: Ask) -> None:
    await carry_out(app, ask, ask.args, None)


# Looking


def _open(app: ConsoleApp, target: Target) -> None:
    view = app.place.view
    if view == "run" and app.stage.front.unfold(app.scene()):
        return
    if view == "run":
        log = BY_ID["log"]
        words = log.why_not(app.scene(), target)
        if words is None:
            app.open_log(target)
        else:
            app.say(words, "warn")
    elif target.attention is not None and possible.recoverable(app.scene(), target) is None:
        app.perform(BY_ID["recover"], target)
    elif (asked := _asked_run(app, target)) is not None:
        app.open_once_made(asked)
    elif target.run_id is not None:
        app.go(Place("run", target.dag_id, target.run_id, target.task_id, target.map_index))
    elif target.attention is not None:
        why(app, target)
    elif target.dag_id is not None:
        app.go(Place("dag", target.dag_id))


def _asked_run(app: ConsoleApp, target: Target) -> Intent | None:
    """The run that was asked for of the DAG under the cursor, while no picture shows it."""
    if app.place.view != OVERVIEW or target.attention is not None or target.dag_id is None:
        return None
    asked = app.scene().intents.of((target.dag_id, "", UNMAPPED))
    return asked if asked is not None and asked.verb == "trigger" else None


def _enter(app: ConsoleApp, target: Target) -> None:
    """The same, but of failures of one cause the run of the newest."""
    if possible.a_cause(app.scene(), target) is None and target.run_id is not None:
        app.go(Place("run", target.dag_id, target.run_id, target.task_id, target.map_index))
    else:
        _open(app, target)


def back(app: ConsoleApp, target: Target) -> None:
    """Without the filter, where there is one; then without the marks; else one level back."""
    pane = app.stage.front
    if pane.needle:
        pane.filter("", app.scene())
        app.redraw()
        return
    if pane.unmark():
        app.redraw()
        return
    app.back()


def _leave(app: ConsoleApp, target: Target) -> None:
    if not app.back():
        app.exit()


def _quit(app: ConsoleApp, target: Target) -> None:
    app.exit()


def _overview(app: ConsoleApp, target: Target) -> None:
    app.go(Place("overview"))


def _log(app: ConsoleApp, target: Target) -> None:
    app.open_log(target)


def _next_failure(app: ConsoleApp, target: Target) -> None:
    _to_failure(app, 1)


def _previous_failure(app: ConsoleApp, target: Target) -> None:
    _to_failure(app, -1)


def _to_failure(app: ConsoleApp, step: int) -> None:
    app.stage.front.touched()
    if not app.stage.front.next_failure(app.scene(), step):
        app.say("nothing has failed here", "warn")


def _copy(app: ConsoleApp, target: Target) -> None:
    name = target.run_id or target.dag_id or ""
    text = f"{name} {target.task_id}" if target.task_id else name
    app.copy(text, text)


# The console itself


def ask_filter(app: ConsoleApp, target: Target) -> None:
    """Asks what the rows in front are filtered by."""
    if app.stage.front.listed is None:
        app.say("there is no list to filter here", "warn")
        return
    app.stage.ask_line("filter", "/", app.stage.front.needle)


def _line(app: ConsoleApp, target: Target) -> None:
    app.stage.ask_line("command", ":")


def _interrupt(app: ConsoleApp, target: Target) -> None:
    app.say("q goes back a level, Ctrl-Q leaves the console; whatever runs goes on either way")


_WAYS = "console.screens.wayfinding"
_PARTS = "console.screens.parts"
_LOOKS = "console.screens.looks"
_PATHS = {
    "help": "console.screens.menus:show_help",
    "palette": "console.screens.menus:show_palette",
    "theme": f"{_LOOKS}:next_theme",
    "lofi": f"{_LOOKS}:toggle_lofi",
    "freeze": f"{_LOOKS}:toggle_freeze",
    "mouse": f"{_LOOKS}:toggle_mouse",
    "repaint": f"{_LOOKS}:repaint",
    "filter.out": f"{_PARTS}:filter_out",
    "match.next": f"{_PARTS}:next_match",
    "match.previous": f"{_PARTS}:previous_match",
    "sort": "console.screens.sorting:choose",
    "sort.next": "console.screens.sorting:following",
    "sort.previous": "console.screens.sorting:previous",
    "pager": "console.screens.lending:log",
    "part.next": f"{_PARTS}:next_part",
    "part.previous": f"{_PARTS}:previous_part",
    "full": f"{_PARTS}:full",
    "wide": f"{_PARTS}:wide",
    "history.back": f"{_WAYS}:back",
    "history.forward": f"{_WAYS}:forward",
    "history.last": f"{_WAYS}:last",
    "report": "console.screens.telling:write_report",
    "picture": "console.screens.telling:write_picture",
    "failures": f"{_WAYS}:failures",
    "newest": f"{_WAYS}:newest",
    "bookmark": f"{_WAYS}:bookmark",
    "bookmarks": f"{_WAYS}:bookmarks",
    "copy.address": f"{_WAYS}:copy_address",
    "copy.menu": f"{_WAYS}:copy_menu",
    "row.mark": "console.screens.marking:toggle",
    "row.range": "console.screens.marking:mark_range",
    "row.all": "console.screens.marking:mark_all",
}
"""Handlers that are imported when they are first needed."""

_HANDLERS: dict[str, Handler] = {
    "open": _open,
    "enter": _enter,
    "back": back,
    "leave": _leave,
    "quit": _quit,
    "overview": _overview,
    "log": _log,
    "why": why,
    "details": show_details,
    "failure.next": _next_failure,
    "failure.previous": _previous_failure,
    "filter": ask_filter,
    "copy": _copy,
    "line": _line,
    "interrupt": _interrupt,
}
