"""The bodies of dialogs: exactly what would change, row by row; and what the engine says about it."""

from __future__ import annotations

from collections.abc import Sequence

from console.glyphs import STATES
from console.model.asks import EffectCard, PreviewCard
from console.text import cell_len, cut_middle, wrap
from console.view.source import code_sentence, diff_lines
from console.view.spans import ACCENT, DIM, TEXT, WARN, Line, Spans, crop
from console.view.words import counts_words, sign

_DIFF_LINES = 200
_LEAST_NAME = 8


def preview_body(preview: PreviewCard, width: int) -> list[Spans]:
    """A line for each row that would change, and more where its words need them."""
    rows = preview.rows
    several = len({row.run_id for row in rows}) > 1 or len({row.dag_id for row in rows}) > 1
    names = [_name(row, several) for row in rows]
    longest = max((cell_len(name) for name in names), default=8)
    wide = min(longest, max(width // 2 - 6, 12))
    state = min(max((len(row.state) for row in rows), default=4), 16)
    if any(wide + _beside(row, state) > width for row in rows):
        # Words that have lines of their own leave room for names.
        becomes = max((len(row.becomes) for row in rows if _moves(row)), default=0)
        wide = max(min(longest, width - state - becomes - 10), wide)
    else:
        wide = max(min(longest, width - max((_beside(row, state) for row in rows), default=0)), wide)
    lines = [line for row, name in zip(rows, names, strict=True) for line in _row(row, name, wide, state, width)]
    left = preview.total - len(rows)
    if left > 0:
        lines.append(Line().add(f"  … and {left} more", DIM).done())
    for code in preview.code:
        if code.diff.lines:
            lines.append(Line().done())
            lines.append(Line().gap(1).add(f"version {code.before.number} > {code.after.number}", DIM).done())
            lines += [crop(((" ", DIM), *line), width) for line in diff_lines(code.diff, _DIFF_LINES)]
    return lines


def _name(row: EffectCard, several: bool) -> str:
    if row.kind == "task" and row.task_id:
        name = row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]"
        return f"{row.run_id} / {name}" if several and row.run_id else name
    return row.run_id or row.dag_id or row.kind


def _cut(name: str, width: int) -> str:
    """A name in so many cells. Of a run's it is the DAG's that is cut: without its date it would be any of its runs."""
    dag, at, run = name.partition("@")
    room = width - cell_len(at + run)
    return cut_middle(dag, room) + at + run if at and room >= _LEAST_NAME else cut_middle(name, width)


def _beside(row: EffectCard, state_width: int) -> int:
    """The cells of what stands beside a row's name, all of it on one line."""
    state = state_width + (5 if row.state in STATES else 3)
    becomes = len(row.becomes) + (5 if row.becomes in STATES else 3) if _moves(row) else 0
    return state + becomes + (cell_len(row.detail) + (2 if becomes else 3) if row.detail else 0)


def _moves(row: EffectCard) -> bool:
    return row.becomes not in ("none", row.state)


def _row(row: EffectCard, name: str, name_width: int, state_width: int, width: int) -> list[Spans]:
    line = Line().gap(1).cell(_cut(name, name_width), name_width).gap(2)
    if row.state in STATES:
        line.add(*sign(row.state)).gap(1)
    line.cell(row.state.replace("_", " "), state_width, DIM)
    token = WARN if row.kills else DIM
    moves = _moves(row)
    if moves:
        line.add(" > ", ACCENT)
        if row.becomes in STATES:
            line.add(*sign(row.becomes)).gap(1)
        line.add(row.becomes.replace("_", " "), TEXT)
    if not row.detail:
        return [line.done()]
    lead, mark = ("  ", "") if moves else (" > ", "> ")
    if line.width + len(lead) + cell_len(row.detail) <= width:
        return [line.add(lead, ACCENT).add(row.detail, token).done()]
    below = wrap(row.detail, max(width - 4 - len(mark), 8))
    return [
        line.done(),
        *(((f"    {mark if at == 0 else ' ' * len(mark)}", ACCENT), (text, token)) for at, text in enumerate(below)),
    ]


def preview_summary(preview: PreviewCard, width: int) -> list[Spans]:
    """The sentence that says it all, what is concerned by state, and warnings."""
    lines: list[Spans] = [((text, TEXT),) for text in wrap(preview.sentence + ".", width)]
    if len(preview.counts) > 1:
        lines.append((("now: ", DIM), *counts_words(preview.counts)))
    for code in preview.code:
        token = WARN if code.broken or code.after.id != code.before.id else DIM
        lines.extend(((text, token),) for text in wrap(code_sentence(code), width))
    for warning in preview.warnings:
        lines.extend(((text, WARN),) for text in wrap(warning, width))
    return lines


def paragraphs(parts: Sequence[tuple[str, str]], width: int) -> list[Spans]:
    """Wrapped texts, each in its token."""
    return [((line, token),) for text, token in parts for line in (wrap(text, width) if text else [""])]
