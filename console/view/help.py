"""Help for a view, made from the registry: what each key does, and why one does nothing now."""

from __future__ import annotations

from collections.abc import Sequence

from console.actions.action import Action
from console.model.snapshot import Scene
from console.model.targets import Target
from console.text import cell_len
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans

GROUPS = (("look", "Look"), ("change", "Change"), ("move", "Move"), ("console", "Console"))


def help_rows(
    actions: Sequence[tuple[Action, str]], scene: Scene, target: Target, width: int
) -> list[tuple[str | None, Spans]]:
    """Rows by action id: keys, title, and what it does or why it does not."""
    rows: list[tuple[str | None, Spans]] = []
    keys_width = max((cell_len(keys) for _, keys in actions), default=4)
    title_width = max((len(action.title_for(scene, target)) for action, _ in actions), default=8)
    for group, heading in GROUPS:
        members = [(action, keys) for action, keys in actions if action.group == group]
        if not members:
            continue
        if rows:
            rows.append((None, ()))
        rows.append((None, ((heading, f"{TEXT} bold"),)))
        rows.extend((a.id, action_row(a, keys, scene, target, (keys_width, title_width), width)) for a, keys in members)
    return rows


def action_row(action: Action, keys: str, scene: Scene, target: Target, columns: tuple[int, int], width: int) -> Spans:
    """One action: dim, with the reason, when it is not possible here."""
    why = action.why_not(scene, target)
    line = Line().gap(1).cell(keys, columns[0], f"{ACCENT} bold" if why is None else DIM).gap(2)
    line.cell(action.title_for(scene, target), columns[1], TEXT if why is None else DIM).gap(2)
    text = action.help if why is None else why
    return line.cell(text, max(width - line.width, 0), DIM).done()
