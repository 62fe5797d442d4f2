"""Keys: one meaning each, presets, a person's own, and what is said of those that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from console.actions.registry import ACTIONS, BY_ID, views_of
from console.actions.views import VIEWS
from console.keymap import Keymap
from console.presets import PRESETS, KeymapError

FILE = "/srv/etl/dagdeck.toml"
RECOMMENDED = {
    "move.down": "j", "move.up": "k", "move.first": "g", "move.last": "G", "move.half_down": "ctrl+d",
    "move.half_up": "ctrl+u", "open": "enter", "back": "escape", "leave": "q", "quit": "ctrl+q", "line": ":",
    "palette": "ctrl+p", "filter": "/", "log.search": "/", "log.match_next": "n", "log.match_previous": "N",
    "log.only": "&", "failure.next": "e", "failure.previous": "E", "history.back": "[", "history.forward": "]",
    "history.last": "-", "overview": "1", "grid": "2", "boxes": "3", "gantt": "4", "help": "?", "details": "d",
    "why": "i", "source": "v", "log": "L", "pager": "o", "source.open": "o", "log.bookmark": "m", "sort": "s",
    "sort.next": ">", "sort.previous": "<",
    "row.mark": "space", "row.range": "V", "row.all": "*", "part.next": "tab", "part.previous": "shift+tab",
    "part.larger": "+", "part.smaller": "_", "full": "f", "clear": "c", "again": "r", "mark": "m", "trigger": "t",
    "backfill": "b", "pause": "p", "stop": "x", "force": "X", "undo": "u", "acknowledge": "a", "copy": "y",
    "copy.menu": "Y", "newest": "F", "log.follow": "s", "log.wrap": "w", "failures": "z", "freeze": "Z",
    "bookmark": "B", "bookmarks": "'", "theme": "T", "inbox": "I", "hold": "H", "log.compare": "=", "repaint": "ctrl+l",
    "interrupt": "ctrl+c",
}  # fmt: skip


@pytest.mark.parametrize(("action", "key"), RECOMMENDED.items())
def test_fingers_find_what_they_know(action: str, key: str) -> None:
    """Keys that people know from their other tools mean the same here, in every view that has the action."""
    assert key in BY_ID[action].keys
    held = [Keymap().action(view, key) for view in views_of(BY_ID[action])]
    assert any(found is BY_ID[action] for found in held)


def test_a_key_means_one_thing_in_a_view() -> None:
    """Two actions share a key only where one of them belongs to the view alone."""
    own = {action.id for view in VIEWS.values() for action in view.actions}
    given: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        for view in views_of(action):
            if action.id in own and len(views_of(action)) == 1:
                continue
            for key in action.keys:
                other = given.setdefault((view, key), action.id)
                assert other == action.id, f"{key!r} in {view}: {other} and {action.id}"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_name_actions_and_leave_all_of_them_in_reach(preset: str) -> None:
    """Every action of a preset is one of the registry's; none is asked twice for a key in one view."""
    keymap = Keymap(preset=preset)
    assert PRESETS[preset].keys() <= BY_ID.keys()
    for name, keys in PRESETS[preset].items():
        for key in keys:
            assert any(keymap.action(view, key) is BY_ID[name] for view in views_of(BY_ID[name]))
    assert keymap.notices == ()


def test_the_airflow_preset_marks_with_shift() -> None:
    """S and F mark as on the web; without the preset they do not."""
    keymap = Keymap.of({"preset": "airflow"}, FILE)
    assert keymap.action("run", "S") is BY_ID["mark_success"] and keymap.action("run", "F") is BY_ID["mark_failed"]
    assert Keymap().action("run", "S") is not BY_ID["mark_success"]


def test_a_person_gives_takes_and_unbinds_keys() -> None:
    """A key, several, or none; whoever loses a key to that is named."""
    keymap = Keymap.of({"clear": ["c", "Ctrl-R"], "pause": "", "force": False, "why": "w", "acknowledge": "i"}, FILE)
    assert keymap.action("run", "ctrl+r") is BY_ID["clear"]
    assert keymap.action("run", "p") is None and keymap.action("run", "X") is None
    assert keymap.action("run", "w") is BY_ID["why"]
    assert keymap.action("overview", "i") is BY_ID["acknowledge"]
    assert keymap.keys("pause") == ()
    taken = Keymap.of({"theme": "x"}, FILE)
    assert taken.action("run", "x") is BY_ID["theme"]
    assert "key x is theme's now; stop has none" in taken.notices
    partly = Keymap.of({"clear": "t"}, FILE).notices
    assert "key t is clear's now; trigger has it in backfills, durations of a DAG" in partly


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"claer": "c"}, "there is no action 'claer': did you mean clear"),
        ({"preset": "emacs"}, "there is no preset 'emacs'; there are default, airflow"),
        ({"preset": 3}, "preset = 3 should be one of"),
        ({"clear": "x", "theme": "x"}, "key 'x' is given to both"),
        ({"clear": "Super-Q"}, "clear = 'Super-Q' is no key"),
        ({"clear": 7}, "clear = 7 is no key"),
    ],
)
def test_what_cannot_be_is_said_with_file_and_entry(table: Mapping[str, object], words: str) -> None:
    """The message begins with the file and the table, and says what is wrong in it."""
    with pytest.raises(KeymapError) as caught:
        Keymap.of(table, FILE)
    assert str(caught.value).startswith(f"{FILE}: [keys] ") and words in str(caught.value)


def test_the_cheat_sheet_and_the_registry_agree() -> None:
    """Every action stands in docs/keys.md, with each of its keys."""
    text = (Path(__file__).parents[3] / "docs" / "keys.md").read_text(encoding="utf-8")
    keymap = Keymap()
    for action in ACTIONS:
        assert action.help in text.replace("\\|", "|"), action.id
        for view in views_of(action):
            for key in action.keys:
                shown = keymap.shown_key(action.id, key, view)
                assert not shown or f"`{shown}`".replace("|", "\\|") in text, (action.id, key)


def test_no_preset_leaves_an_action_of_a_view_without_a_key_unless_it_says_so() -> None:
    """Whatever a preset gives to others, what it does not unbind itself can be typed where it could be typed before."""
    usual = Keymap()
    given_away = {"k9s": {"run.right", "grid.newer", "calendar.right"}}
    for preset, changes in PRESETS.items():
        keymap = Keymap(preset=preset)
        for view in VIEWS:
            for action in ACTIONS:
                if not usual.shown(action.id, view) or changes.get(action.id) == ():
                    continue
                arrow = any(keymap.action(view, key) is action for key in ("left", "right"))
                assert keymap.shown(action.id, view) or arrow or action.id in given_away.get(preset, ()), action.id


def test_the_view_that_is_alone_with_a_key_has_it() -> None:
    """An action of one view goes before one that another view lends to it."""
    keymap = Keymap()
    for view, key, name in (
        ("calendar", "b", "calendar.plan"),
        ("run", "<", "boxes.nearer"),
        ("log", "m", "log.bookmark"),
    ):
        found = keymap.action(view, key)
        assert found is not None and found.id == name
    for view in VIEWS:
        assert keymap.action(view, "R") is None
        for key, names in {"o": {"pager", "source.open"}, "m": {"mark", "log.bookmark"}}.items():
            held = keymap.action(view, key)
            assert held is None or held.id in names
