"""The `:` line: actions by name, views with what they are about, filters, addresses; and how such a line may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions.action import Action
from console.actions.finding import logged_task, task_of
from console.actions.registry import ACTIONS, BY_ID, actions_of, views_of
from console.actions.views import VIEWS
from console.keep import BOOKMARKS, COMMANDS
from console.model.place import Place
from console.model.targets import Target
from console.screens.overview import target_of
from console.screens.sorting import by_name
from console.screens.wayfinding import remember, visit
from console.theming import available
from engine.model.ids import split_name

if TYPE_CHECKING:
    from console.app import ConsoleApp

ALIASES = {"runs": "dag", "dags": "overview", "home": "overview", "q": "leave", "quit": "quit", "keys": "help"}
"""Words for views and actions that people's fingers know."""
_MOST = 200
_WITH_TERMS = ("filter", "since", "before", "state", "tag", "error")


def obey_line(app: ConsoleApp, text: str) -> None:
    """Runs a `:` line: an action or a view by its name, then what it is about, then switches such as `+downstream`."""
    words = text.split()
    if not words:
        app.redraw()
        return
    remember(app, COMMANDS, text)
    given, rest = words[0].lower(), words[1:]
    name = ALIASES.get(given, given)
    if name == "theme" and rest:
        app.next_theme(rest[0])
    elif name == "sort" and rest and app.stage.front.columns():
        by_name(app, rest[0])
    elif name == "open" and rest:
        visit(app, " ".join(rest))
    elif given in _WITH_TERMS and (rest or given == "filter"):
        _filter(app, " ".join(rest) if given == "filter" else f"{given}:{' '.join(rest)}")
    elif name in VIEWS and rest and not rest[0].startswith("+"):
        _show(app, name, rest)
    else:
        _act(app, name, rest)


def _filter(app: ConsoleApp, text: str) -> None:
    pane = app.stage.front
    if pane.listed is None:
        app.say("there is no list to filter here", "warn")
        return
    pane.filter(text, app.scene())
    app.redraw()


def _show(app: ConsoleApp, view: str, rest: list[str]) -> None:
    """A view of what is named: a DAG, a run, or a task of the run in front, with an attempt for its log."""
    if "@" in rest[0] and (view != "log" or ("/" in rest[0] and len(rest) == 1)):
        visit(app, f"{view}/{rest[0]}")
        return
    target = _named(app, rest[0])
    if target is None:
        return
    place = Place.of(view, target)
    if view == "log":
        found = logged_task(app.scene(), target)
        if target.run_id is None or found is None:
            app.say(f"{rest[0]} has no log yet", "warn")
            return
        attempt = _attempt(app, target, rest[1:])
        place = Place("log", target.dag_id, target.run_id, *found, attempt)
    app.go(place)


def _attempt(app: ConsoleApp, target: Target, rest: list[str]) -> int | None:
    """`2` is the second attempt, `-1` the newest, `-2` the one before."""
    number = next((int(word) for word in rest if word.lstrip("-").isdecimal() and word.isascii()), None)
    card = task_of(app.scene(), target)
    if number is None or number >= 0 or card is None or not card.attempts:
        return number
    return card.attempts[max(number, -len(card.attempts))].number


def _act(app: ConsoleApp, name: str, rest: list[str]) -> None:
    action = _action(name)
    if action is None:
        app.say(f"there is no command {name!r}; Ctrl-P lists them", "warn")
        return
    if app.place.view not in views_of(action):
        where = ", ".join(VIEWS[view].title for view in views_of(action))
        app.say(f"{action.title} is an action of another view ({where})", "warn")
        return
    target = app.meant()
    switches = {word.lstrip("+") for word in rest if word.startswith("+")}
    words = [word for word in rest if not word.startswith("+")]
    if words:
        known = _switches(app, action, target)
        switches |= {word for word in words[1:] if word in known}
        stray = [word for word in words[1:] if word not in known]
        if stray:
            app.say(f"{action.title} takes one thing to be about, and not {stray[0]!r}", "warn")
            return
        named = _named(app, words[0])
        if named is None:
            return
        target = named
    app.perform(action, target, frozenset(switches))


def _action(name: str) -> Action | None:
    found = BY_ID.get(name) or BY_ID.get(name.replace("-", "_"))
    found = found or next((a for a in ACTIONS if a.title.replace(" ", "_") == name.replace("-", "_")), None)
    return None if found is not None and found.group == "move" else found


def _named(app: ConsoleApp, name: str) -> Target | None:
    """What is named: a task where a run is in front, a run by its id, else a DAG. None, said why, if there is none."""
    view, scene = app.place.view, app.scene()
    run = scene.snapshot.run
    if run is not None and app.place.run_id == run.mark.run_id:
        task_id, index = split_name(name)
        found = Target(view, run.mark.dag_id, run.mark.run_id, task_id, -1 if index is None else index)
        if task_of(scene, found) is not None:
            return found
    dag_id, sign, _ = name.partition("@")
    card = scene.snapshot.by_id.get(dag_id)
    if card is not None:
        return Target(view, dag_id, name) if sign else target_of(view, card)
    if run is not None and app.place.run_id == run.mark.run_id:
        app.say(f"this run has no task {name!r}", "warn")
    else:
        app.say(f"there is no DAG {name!r}; tasks are named where their run is open", "warn")
    return None


def _switches(app: ConsoleApp, action: Action, target: Target) -> list[str]:
    if action.ask is None or action.why_not(app.scene(), target) is not None:
        return []
    return [switch.name for switch in action.ask(app.scene(), target).switches]


def completions(app: ConsoleApp, text: str) -> list[str]:
    """How a `:` line may go on: names of actions and views, then DAGs, runs, tasks, themes, addresses or switches."""
    head, space, tail = text.rpartition(" ")
    if not space:
        names = {a.id for a in actions_of(app.place.view) if a.group != "move" and "." not in a.id}
        found = sorted(names | VIEWS.keys() | ALIASES.keys() | {"open", "since", "state", "filter"})
    else:
        found = _about(app, head.split()[0].lower(), tail)
    return [f"{head}{space}{name}" for name in found if name.startswith(tail)][:_MOST]


def _about(app: ConsoleApp, word: str, tail: str) -> list[str]:
    scene, name = app.scene(), ALIASES.get(word, word)
    snapshot = scene.snapshot
    if name == "theme":
        return available()
    if name == "sort":
        names = [column.name for column in app.stage.front.columns()]
        return names + [f"-{each}" for each in names]
    if name == "open":
        return app.keep.lines(BOOKMARKS)[::-1] + [f"dag/{card.dag_id}" for card in snapshot.dags]
    action = _action(name)
    if tail.startswith("+") and action is not None:
        return [f"+{switch}" for switch in _switches(app, action, app.stage.front.target(scene))]
    dags = [card.dag_id for card in snapshot.dags]
    if name in ("dag", "grid", "overview"):
        return dags
    run = snapshot.run
    tasks = [plan.task_id for plan in run.plan] if run is not None and app.place.run_id == run.mark.run_id else []
    if name == "run" or "@" in tail:
        listed = () if snapshot.dag is None else snapshot.dag.runs
        marks = [*listed, *(mark for card in snapshot.dags for mark in reversed(card.recent))]
        return list(dict.fromkeys(mark.run_id for mark in marks))
    return tasks or dags
