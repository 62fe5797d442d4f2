"""`python -m docs.reference`: writes the tables that follow from the code into the pages that hold them.

A page has a pair of comments `<!-- NAME: … -->` and `<!-- end of NAME -->`; what stands between them is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from console.actions.action import Action, Danger
from console.actions.registry import ACTIONS, views_of
from console.actions.views import VIEWS
from console.cli.main import VERBS, root
from console.glyphs import STATES
from console.keymap import Keymap
from docs.actions import actions
from engine.lifecycle.table import render_markdown

HERE = Path(__file__).parent
SHARED = ("dry_run", "yes", "note", "as_json")
"""Options that the page explains once for all verbs."""
GROUPS = {"move": "Moving", "look": "Looking", "change": "Changing", "console": "The console itself"}


def verbs() -> str:
    """All verbs with their arguments and options."""
    context = click.Context(root, info_name="dagdeck")
    parts = []
    for section in dict.fromkeys(verb.section for verb in VERBS.values()):
        parts.append(f"### {section}\n")
        for name, verb in VERBS.items():
            if verb.section == section:
                command = root.get_command(context, name)
                assert command is not None
                parts += [_verb(path, each) for path, each in _leaves(f"dagdeck {name}", command, context)]
    return "\n".join(parts)


def _leaves(path: str, command: click.Command, parent: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, info_name=path, parent=parent)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _leaves(f"{path} {name}", inner, context)


def _verb(path: str, command: click.Command) -> str:
    arguments = " ".join(
        param.make_metavar(click.Context(command)) for param in command.params if isinstance(param, click.Argument)
    )
    lines = [f"#### `{f'{path} {arguments}'.strip()}`", "", " ".join((command.help or "").split()), ""]
    options = [param for param in command.params if isinstance(param, click.Option) and param.name != "home"]
    own = [option for option in options if option.name not in SHARED]
    if own:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_spelling(option)}` | {_help(option)} |" for option in own]
        lines.append("")
    shared = ", ".join(f"`{option.opts[0]}`" for option in options if option.name in SHARED)
    return "\n".join([*lines, f"Also {shared}.", ""] if shared else lines)


def _spelling(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    metavar = option.metavar or ("/".join(option.type.choices) if isinstance(option.type, click.Choice) else "N")
    return f"{names} {metavar}"


def _help(option: click.Option) -> str:
    text = option.help or ""
    if option.show_default and option.default is not None:
        text = f"{text} Default: `{option.default}`."
    return text.strip()


def keys() -> str:
    """All actions of the console with their keys."""
    keymap = Keymap()
    lines = []
    for group, title in GROUPS.items():
        lines += [f"### {title}", "", "| key | action | where | |", "|---|---|---|---|"]
        lines += [_action(keymap, action) for action in ACTIONS if action.group == group]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _action(keymap: Keymap, action: Action) -> str:
    shown = [
        keymap.shown_key(action.id, key, view) for key in keymap.keys(action.id) for view in sorted(views_of(action))
    ]
    names = " ".join(f"`{_escaped(key)}`" for key in dict.fromkeys(filter(None, shown)))
    found = views_of(action)
    where = "everywhere" if len(found) == len(VIEWS) else ", ".join(VIEWS[view].title for view in found)
    danger = " **Ends processes.**" if action.danger is Danger.KILLS else ""
    return f"| {names or f'`:{action.id}`'} | {action.title} | {where} | {_escaped(action.help)}{danger} |"


def signs() -> str:
    """The signs of the states."""
    rows = [f"| `{glyph.unicode}` | `{glyph.ascii}` | {state} |" for state, glyph in STATES.items()]
    return "\n".join(["| sign | ASCII | state |", "|---|---|---|", *rows, ""])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "verbs": ("command-line.md", verbs),
    "keys": ("keys.md", keys),
    "signs": ("keys.md", signs),
    "actions": ("actions.md", actions),
    "moves": ("concepts.md", render_markdown),
}


def page_with(name: str) -> tuple[Path, str]:
    """A page's path, and its text as it should be. Raises ValueError when its comments are not there."""
    file, make = PAGES[name]
    path = HERE / file
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{path} has no place for {name}")
    return path, pattern.sub(lambda found: f"{found[1]}\n{make()}\n{found[2]}", text)


def main() -> None:
    """Writes all pages."""
    for name in PAGES:
        path, text = page_with(name)
        path.write_text(text, encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
