"""Carrying actions out: where each one leads. Changes go through their dialog; everything else only looks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from console.actions import many, possible
from console.actions.action import OVERVIEW, Action, Ask
from console.actions.backfilling import backfill_of
from console.actions.finding import attention_of, dag_of, task_of
from console.actions.flow import Flow, carry_out
from console.actions.registry import BY_ID, actions_of
from console.actions.views import VIEWS
from console.model.intents import Intent
from console.model.keys import UNMAPPED
from console.model.limits import WaitCard
from console.model.place import Place
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Scene
from console.model.targets import Target
from console.screens.chooser import Chooser, fuzzy
from console.view import help as help_view
from console.view import why as why_view
from console.view import why_backfills, why_limits
from console.view.details import details
from console.view.dialogs import paragraphs
from console.view.spans import Spans
from console.view.why_group import first_in_the_way, is_group, why_group
from console.widgets.dialog import Dialog, DialogContent

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


def why(app: ConsoleApp, target: Target) -> None:
    """Says why it waits or failed, and what would free it."""
    scene = app.scene()
    row = attention_of(scene, target)
    card, run = task_of(scene, target), scene.snapshot.run
    if target.view == "limits":
        app.spawn(_why_limit(app, target))
        return
    backfill = backfill_of(scene, target)
    if backfill is not None:
        title, parts = why_backfills.why_backfill(scene, backfill)
    elif row is not None:
        title, parts = why_view.why_attention(scene, row)
    elif card is not None and run is not None:
        app.spawn(_why_task(app, run, card))
        return
    elif run is not None and run.mark.run_id == target.run_id and is_group(run, target.task_id or ""):
        app.spawn(_why_group(app, run, target.task_id or ""))
        return
    else:
        dag = dag_of(scene, target)
        if dag is None:
            app.say("there is nothing to explain here", "warn")
            return
        title, parts = why_view.why_dag(scene, dag)
    _tell(app, title, parts)


async def _why_task(app: ConsoleApp, run: RunDetail, card: TaskCard) -> None:
    _tell(app, *await _told(app, run, card))


async def _why_group(app: ConsoleApp, run: RunDetail, group: str) -> None:
    """Its tasks by state, and what the first of them that is in the way would say on its own row."""
    first = first_in_the_way(run, group)
    _tell(app, *why_group(run, group, None if first is None else await _told(app, run, first)))


async def _told(app: ConsoleApp, run: RunDetail, card: TaskCard) -> tuple[str, why_view.Parts]:
    """What the picture knows, and beneath it what the store says of limits, breakers and people."""
    backend = app.backend
    said = WaitCard() if backend is None else await backend.waiting(run.mark.run_id, card.task_id, card.map_index)
    return why_view.why_task(app.scene(), run, card, said.sentences)


async def _why_limit(app: ConsoleApp, target: Target) -> None:
    """What the store says of a pool, a breaker or a question, and what the engine says of its own limits."""
    backend, scene = app.backend, app.scene()
    kind, _, name = (target.attention or "").partition(":")
    if kind == "engine":
        _tell(app, *why_limits.why_engine(scene.link.gauges, name))
    elif backend is None:
        return
    elif target.run_id is not None and target.task_id is not None:
        said = await backend.waiting(target.run_id, target.task_id, target.map_index)
        _tell(app, f"What does {target.task_id} wait for?", why_limits.why_question(said, app.scene().now))
    else:
        said = await backend.limit(kind, name)
        _tell(app, f"Why: {kind} {name}", why_limits.why_limit(kind, said))


def _details(app: ConsoleApp, target: Target) -> None:
    title, parts = details(app.scene(), target)
    _tell(app, title, parts)


def _tell(app: ConsoleApp, title: str, parts: list[tuple[str, str]]) -> None:
    def body(width: int) -> list[Spans]:
        return paragraphs(parts, width)

    app.open_dialog(Dialog(DialogContent(title, body=body, ready=True)), lambda _: None)


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


def _keys_of(app: ConsoleApp, action: Action) -> str:
    view = app.place.view
    return "  ".join(
        shown for key in app.keymap_of.keys(action.id) if (shown := app.keymap_of.shown_key(action.id, key, view))
    )


def _help(app: ConsoleApp, target: Target) -> None:
    scene = app.scene()
    listed = [(action, keys) for action in actions_of(app.place.view) if (keys := _keys_of(app, action))]

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        return help_view.help_rows(listed, scene, target, width)

    title = f"Keys here: {app.place.view}"
    chooser = Chooser(title, rows, typing=False, about=lambda name: _about(BY_ID[name], scene, target))
    app.push_screen(chooser, lambda name: _chosen(app, name, target))


def _about(action: Action, scene: Scene, target: Target) -> str:
    """What an action does, and why it does not just now."""
    why = action.why_not(scene, target)
    return action.help if why is None else f"{action.help} Not now: {why}."


def _palette(app: ConsoleApp, target: Target) -> None:
    scene = app.scene()
    listed = [action for action in actions_of(app.place.view) if action.group != "move" and action.id != "palette"]

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        ranked = [
            (cost, a) for a in listed if (cost := fuzzy(needle, f"{a.title_for(scene, target)} {a.id}")) is not None
        ]
        ranked.sort(key=lambda pair: (pair[1].why_not(scene, target) is not None, pair[0] if needle else 0))
        columns = (6, max((len(a.title_for(scene, target)) for a in listed), default=8))
        return [
            (a.id, help_view.action_row(a, _keys_of(app, a).partition("  ")[0], scene, target, columns, width))
            for _, a in ranked
        ]

    chooser = Chooser("Actions", rows, typing=True, about=lambda name: _about(BY_ID[name], scene, target))
    app.push_screen(chooser, lambda name: _chosen(app, name, target))


def _chosen(app: ConsoleApp, name: str | None, target: Target) -> None:
    if name is not None and BY_ID[name].group != "move":
        app.perform(BY_ID[name], target)


def _theme(app: ConsoleApp, target: Target) -> None:
    app.next_theme()


def _lofi(app: ConsoleApp, target: Target) -> None:
    app.toggle_lofi()


def _freeze(app: ConsoleApp, target: Target) -> None:
    app.toggle_freeze()


def _mouse(app: ConsoleApp, target: Target) -> None:
    app.toggle_mouse()


def _interrupt(app: ConsoleApp, target: Target) -> None:
    app.say("q goes back a level, Ctrl-Q leaves the console; whatever runs goes on either way")


def _repaint(app: ConsoleApp, target: Target) -> None:
    app.repaint()


_WAYS = "console.screens.wayfinding"
_PARTS = "console.screens.parts"
_PATHS = {
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
    "details": _details,
    "failure.next": _next_failure,
    "failure.previous": _previous_failure,
    "filter": ask_filter,
    "copy": _copy,
    "help": _help,
    "palette": _palette,
    "line": _line,
    "theme": _theme,
    "lofi": _lofi,
    "repaint": _repaint,
    "freeze": _freeze,
    "mouse": _mouse,
    "interrupt": _interrupt,
}
