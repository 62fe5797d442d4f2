"""The `:` line: actions by name, views with what they are about, filters, addresses; and how such a line may go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from console.actions.action import Action
from console.actions.finding import logged_task, task_of
from console.actions.registry import ACTIONS, BY_ID, actions_of, views_of
from console.actions.views import VIEWS
from console.glyphs import STATES
from console.keep import BOOKMARKS, COMMANDS
from console.model.place import Place
from console.model.runs import TaskCard
from console.model.snapshot import Interest, Snapshot
from console.model.targets import Target
from console.screens.looks import use_theme
from console.screens.overview import target_of
from console.screens.sorting import by_name
from console.screens.wayfinding import remember, visit
from console.theming import available
from engine.model.ids import split_name

if TYPE_CHECKING:
    from console.app import ConsoleApp

ALIASES = {"runs": "dag", "dags": "overview", "home": "overview", "q": "leave", "quit": "quit", "keys": "help"}
"""Words for views and actions that people's fingers know."""
Then: TypeAlias = Callable[[Target, TaskCard | None], None]
"""What to do with what was named, and with its card where it is a task."""
_MOST = 200
_TERMS = ("since", "before", "date", "state", "tag", "owner", "pool", "error")
"""Terms of a filter that are commands, too: `:since 15m` adds one, `:since` alone takes it away."""
_ATTEMPT = re.compile(r"-?\d{1,6}\Z", re.ASCII)
_SPANS = ("15m", "1h", "6h", "24h", "7d", "today", "yesterday")


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
        use_theme(app, rest[0])
    elif name == "sort" and rest and app.stage.front.columns():
        by_name(app, rest[0])
    elif name == "open" and rest:
        visit(app, " ".join(rest))
    elif given == "filter":
        _filter(app, " ".join(rest))
    elif given in _TERMS:
        _filter(app, with_term(app.stage.front.needle, given, " ".join(rest)))
    elif name in VIEWS and rest and not rest[0].startswith("+"):
        _show(app, name, rest)
    else:
        _act(app, name, rest)


def with_term(needle: str, key: str, value: str) -> str:
    """A filter with one of its terms changed; without a value it has that term no more."""
    rest = " ".join(re.sub(rf'(?<!\S)!?{key}:("[^"]*"?|\S*)', "", needle).split())
    quoted = f'"{value}"' if " " in value else value
    return f"{rest} {key}:{quoted}".strip() if value else rest


def _filter(app: ConsoleApp, text: str) -> None:
    pane = app.stage.front
    if pane.listed is None:
        app.say("there is no list to filter here", "warn")
        return
    pane.filter(text, app.scene())
    app.redraw()


def _show(app: ConsoleApp, view: str, rest: list[str]) -> None:
    """A view of what is named: a DAG, a run, or a task of the run that is meant, with an attempt for its log."""
    if "@" in rest[0] and (view != "log" or ("/" in rest[0] and len(rest) == 1)):
        visit(app, f"{view}/{rest[0]}")
        return

    def show(target: Target, card: TaskCard | None) -> None:
        if view != "log":
            app.go(Place.of(view, target))
            return
        found = (card.task_id, card.map_index) if card is not None else logged_task(app.scene(), target)
        if target.run_id is None or found is None or (card is not None and not card.attempts):
            app.say(f"{rest[0]} has no log yet", "warn")
            return
        app.go(Place("log", target.dag_id, target.run_id, *found, _attempt(card, rest)))

    if view == "log" and _ATTEMPT.match(rest[0]):
        meant = app.meant()
        show(meant, task_of(app.scene(), meant))
    else:
        _named(app, rest[0], show)


def _attempt(card: TaskCard | None, rest: list[str]) -> int | None:
    """`2` is the second attempt, `-1` the newest, `-2` the one before."""
    number = next((int(word) for word in rest if _ATTEMPT.match(word)), None)
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
    words = [word for word in rest if not word.startswith("+")]
    plus = [word.lstrip("+") for word in rest if word.startswith("+")]

    def act(target: Target, card: TaskCard | None) -> None:
        known = _switches(app, action, target)
        stray = [word for word in words[1:] if _switch(word, known) is None]
        if stray:
            app.say(f"{action.title} takes one thing to be about, and not {stray[0]!r}", "warn")
            return
        app.perform(action, target, frozenset(_switch(word, known) or word for word in [*plus, *words[1:]]))

    if words and _switch(words[0], _switches(app, action, app.meant())) is not None and not _is_known(app, words[0]):
        words.insert(0, "")
    if words and words[0]:
        _named(app, words[0], act)
    else:
        act(app.meant(), None)


def _switch(word: str, known: list[str]) -> str | None:
    """The switch that a word means: `failed` is `only_failed`, where there is no other."""
    if word in known:
        return word
    ends = [name for name in known if name.endswith(f"_{word}")]
    return ends[0] if len(ends) == 1 else None


def _action(name: str) -> Action | None:
    found = BY_ID.get(name) or BY_ID.get(name.replace("-", "_"))
    found = found or next((a for a in ACTIONS if a.title.replace(" ", "_") == name.replace("-", "_")), None)
    return None if found is not None and found.group == "move" else found


def _is_known(app: ConsoleApp, name: str) -> bool:
    """Whether a DAG, or a task of the run in front, is called so."""
    scene, target = app.scene(), Target("", None, app.place.run_id, split_name(name)[0])
    return name in scene.snapshot.by_id or task_of(scene, target) is not None


def _named(app: ConsoleApp, name: str, then: Then) -> None:
    """What is named: a task where a run is in front, a run by its id, a DAG, else a task of the run that is meant."""
    view, scene = app.place.view, app.scene()
    run = scene.snapshot.run
    if run is not None and app.place.run_id == run.mark.run_id:
        found, card = _task(view, scene.snapshot, name)
        if card is not None:
            then(found, card)
            return
    dag_id, sign, _ = name.partition("@")
    of = scene.snapshot.by_id.get(dag_id)
    if of is not None:
        then(Target(view, dag_id, name) if sign else target_of(view, of), None)
        return
    meant = app.meant().run_id
    if run is not None and app.place.run_id == run.mark.run_id:
        app.say(f"this run has no task {name!r}", "warn")
    elif meant is None or sign:
        app.say(f"there is no DAG {name!r}; tasks are named where a run is open, or under the cursor", "warn")
    else:
        app.spawn(_of_run(app, meant, name, then))


async def _of_run(app: ConsoleApp, run_id: str, name: str, then: Then) -> None:
    """A task of a run that is not in front: what it has is read first."""
    snapshot = await app.read(Interest(run_id=run_id))
    found, card = _task(app.place.view, snapshot, name)
    if card is None:
        app.say(f"there is no DAG {name!r}, and {run_id} has no such task", "warn")
    else:
        then(found, card)


def _task(view: str, snapshot: Snapshot, name: str) -> tuple[Target, TaskCard | None]:
    task_id, index = split_name(name)
    run = snapshot.run
    if run is None:
        return Target(view), None
    map_index = -1 if index is None else index
    return Target(view, run.mark.dag_id, run.mark.run_id, task_id, map_index), run.task(task_id, map_index)


def _switches(app: ConsoleApp, action: Action, target: Target) -> list[str]:
    if action.ask is None or action.why_not(app.scene(), target) is not None:
        return []
    return [switch.name for switch in action.ask(app.scene(), target).switches]


def completions(app: ConsoleApp, text: str) -> list[str]:
    """How a `:` line may go on: names of actions and views, then DAGs, runs, tasks, themes, addresses or switches."""
    head, space, tail = text.rpartition(" ")
    if not space:
        names = {a.id for a in actions_of(app.place.view) if a.group != "move" and "." not in a.id}
        found = sorted(names | VIEWS.keys() | ALIASES.keys() | {"open", "filter", *_TERMS})
    else:
        found = _about(app, head.split(), tail)
    return [f"{head}{space}{name}" for name in found if name.startswith(tail)][:_MOST]


def _about(app: ConsoleApp, words: list[str], tail: str) -> list[str]:
    scene, name = app.scene(), ALIASES.get(words[0].lower(), words[0].lower())
    snapshot = scene.snapshot
    if name == "theme":
        return available()
    if name in _TERMS:
        tags = sorted({tag for card in snapshot.dags for tag in card.tags})
        return list({"state": STATES, "tag": tags, "since": _SPANS, "before": _SPANS}.get(name, ()))
    if name == "sort":
        names = [column.name for column in app.stage.front.columns()]
        return names + [f"-{each}" for each in names]
    if name == "open":
        return app.keep.lines(BOOKMARKS)[::-1] + [f"dag/{card.dag_id}" for card in snapshot.dags]
    things = _things(app, snapshot, name, tail)
    action = _action(name)
    if action is None or (len(words) == 1 and not tail.startswith("+")):
        return things
    if len(words) > 1 and name == "log":
        return _attempts(app, words[1])
    target = app.stage.front.target(scene)
    if len(words) > 1 and _is_known(app, words[1]):
        target = _task(app.place.view, snapshot, words[1])[0] if snapshot.run is not None else target
    switches = _switches(app, action, target)
    return (
        [f"+{each}" for each in switches] if tail.startswith("+") else [*switches, *(f"+{each}" for each in switches)]
    )


def _attempts(app: ConsoleApp, name: str) -> list[str]:
    """The attempts of a task of the run in front."""
    card = _task(app.place.view, app.scene().snapshot, name)[1]
    return [] if card is None else ["-1", "-2", *(str(each.number) for each in card.attempts)]


def _things(app: ConsoleApp, snapshot: Snapshot, name: str, tail: str) -> list[str]:
    """What a command can be about."""
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
